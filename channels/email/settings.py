"""One mailbox, as `email.mailboxes.<name>` describes it."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from core.config import Section

Security = Literal["tls", "starttls", "none"]


class Mailbox(Section):
    """An address of the office. An empty host switches that side off, an empty user means no login."""

    address: str
    token: SecretStr = SecretStr("")
    imap_host: str = ""
    imap_port: int = Field(993, gt=0, le=65535)
    imap_user: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_security: Security = "tls"
    imap_folder: str = "INBOX"
    poll_s: int = Field(60, ge=1)
    smtp_host: str = ""
    smtp_port: int = Field(465, gt=0, le=65535)
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_security: Security = "tls"

    @field_validator("address")
    @classmethod
    def _is_address(cls, value: str) -> str:
        name, at, domain = value.strip().partition("@")
        if not (name and at and domain) or any(letter.isspace() for letter in value.strip()):
            raise ValueError("write a mail address, such as office@example.org")
        return value.strip()
