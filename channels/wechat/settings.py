"""One official account, as `wechat.accounts.<name>` describes it."""

from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from core.config import Section

NoticeValue = Literal["number", "title", "state", "at"]

NOTICE_FIELDS: dict[str, NoticeValue] = {
    "first": "title",
    "keyword1": "number",
    "keyword2": "state",
    "remark": "at",
}


class MenuItem(Section):
    """One button of the account's menu: what a tap says, where it leads, or the lines below it."""

    name: str = Field(min_length=1, max_length=16)
    says: str = Field("", max_length=40)
    url: str = ""
    menu: list["MenuItem"] = []


class WeChatAccount(Section):
    """What the operator copies from the platform's pages, and what this account may do there."""

    app_id: str = Field(min_length=1)
    app_secret: SecretStr = SecretStr("")
    token: SecretStr
    aes_key: SecretStr = SecretStr("")
    mode: Literal["plain", "compatible", "safe"] = "safe"
    kind: Literal["service", "subscription", "unverified"] = "service"
    api_base: str = "https://api.weixin.qq.com"
    notice_template: str = ""
    notice_fields: dict[str, NoticeValue] = Field(default_factory=lambda: dict(NOTICE_FIELDS))
    menu: list[MenuItem] = []
    """What `huiyin wechat menu` puts at the foot of the account; empty: the usual three buttons."""
    old_token: SecretStr = SecretStr("")
    old_aes_key: SecretStr = SecretStr("")

    @field_validator("token")
    @classmethod
    def _is_set(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value():
            raise ValueError("the token is the one entered on the platform's page; it cannot be empty")
        return value

    @field_validator("api_base")
    @classmethod
    def _is_base(cls, value: str) -> str:
        value = value.rstrip("/")
        scheme, separator, host = value.partition("://")
        if scheme not in ("http", "https") or not separator or not host or "/" in host:
            raise ValueError("write scheme and host without a path, such as https://api.weixin.qq.com")
        return value

    @field_validator("aes_key", "old_aes_key")
    @classmethod
    def _is_key(cls, value: SecretStr) -> SecretStr:
        key = value.get_secret_value()
        if key and not (len(key) == 43 and key.isalnum() and key.isascii()):
            raise ValueError("EncodingAESKey has 43 letters and digits")
        return value

    @model_validator(mode="after")
    def _can_decrypt(self) -> Self:
        if self.mode != "plain" and not self.aes_key.get_secret_value():
            raise ValueError(f"mode {self.mode} needs aes_key, or set mode: plain")
        return self

    @property
    def pushes(self) -> bool:
        """Only a verified service account has the customer-service interface."""
        return self.kind == "service"
