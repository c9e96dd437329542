"""One mailbox, as `email.mailboxes.<name>` describes it, and the LMTP door of all of them."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from core.config import Section

Security = Literal["tls", "starttls", "none"]


class Lmtp(Section):
    """`email.lmtp.*`: where the office's own mail server hands mail over. Port 0: nowhere."""

    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65535)


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
    imap_move_to: str = ""
    """A folder into which a mail is moved once it is stored; empty: it is marked seen where it lies."""
    poll_s: int = Field(60, ge=1)
    smtp_host: str = ""
    smtp_port: int = Field(465, gt=0, le=65535)
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_security: Security = "tls"
    plus_addresses: bool = False
    """The server takes name+anything@…: then replies name their ticket, and returned mail its message."""

    @field_validator("address")
    @classmethod
    def _is_address(cls, value: str) -> str:
        name, at, domain = value.strip().partition("@")
        if not (name and at and domain) or any(letter.isspace() for letter in value.strip()):
            raise ValueError("write a mail address, such as office@example.org")
        return value.strip()
