"""Everything an office sets, put together from core's and the channels' own sections."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from channels.email.settings import Lmtp, Mailbox
from channels.files import FileSettings
from channels.sms import SmsSettings
from channels.wechat.settings import WeChatAccount
from core import config
from core.config import Section
from core.errors import Misconfigured

Role = Literal["clerk", "officer", "supervisor", "inspector", "editor", "auditor", "administrator", "mail"]


def _one_or_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class ApiToken(Section):
    """A program or a person that may use the API; its name is the actor in transitions."""

    token: SecretStr
    role: Annotated[list[Role], BeforeValidator(_one_or_list)]
    department: str | None = None


class Api(Section):
    tokens: dict[str, ApiToken] = {}


class Limits(Section):
    webchat_per_minute: int = Field(30, ge=1)
    webchat_sessions_per_minute: int = Field(120, ge=1)
    sign_in_per_15_minutes: int = Field(10, ge=1)
    progress_per_15_minutes: int = Field(20, ge=1)


class Web(Section):
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    public_url: str = ""
    trusted_proxies: list[str] = []
    embed_origins: list[str] = []
    """Pages of these origins may embed the chat and use its addresses; `https://www.example.org`."""
    limits: Limits = Limits()


    @field_validator("embed_origins")
    @classmethod
    def _are_origins(cls, values: list[str]) -> list[str]:
        for value in values:
            if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?", value):
                raise ValueError(f"{value}: write an origin as https://www.example.org, without a path")
        return values


class Office(Section):
    preset: Literal["property", "hall", "hospital"] = "property"
    name: str = ""


class WeChat(Section):
    accounts: dict[str, WeChatAccount] = {}


class Email(Section):
    mailboxes: dict[str, Mailbox] = {}
    lmtp: Lmtp = Lmtp()
    max_bytes: int = Field(25 * 1024 * 1024, ge=1024)


class Phone(Section):
    """An empty token: no recogniser may hand in calls. In `watch_dir` a recorder leaves them as files."""

    token: SecretStr = SecretStr("")
    watch_dir: Path | None = None


class Tickets(Section):
    close_after: str = "3 working days"
    archive_after: str = "30 days"
    self_approval: bool | None = None
    decline_countersigned: bool | None = None


class Delivery(Section):
    announce_wait: str = "2 working days"


class Survey(Section):
    satisfied_from: int = Field(3, ge=1, le=5)


class Guides(Section):
    samples: bool | None = None
    imported: Literal["draft", "published"] = "draft"
    remind_days: int = Field(30, ge=1)
    check_days: int = Field(365, ge=1)
    rehearse_at: str = Field("03:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^$")


class Understanding(Section):
    vectors: bool = True


class Privacy(Section):
    key_file: Path | None = None


class Clock(Section):
    offset: str = "0s"

    @field_validator("offset")
    @classmethod
    def _is_duration(cls, value: str) -> str:
        parse_offset(value)
        return value


class Assistant(Section):
    """Rasa. With `url` empty, `huiyin serve` starts it itself."""

    url: str = ""
    token: SecretStr = SecretStr("")
    timeout_s: float = Field(20, gt=0)


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"


class StaffNotify(Section):
    """One way to tell members of staff, besides the console: a mail to `to`, or a POST to `url`."""

    kind: Literal["mail", "webhook"]
    to: str = ""
    url: SecretStr = SecretStr("")
    roles: Annotated[list[Role], BeforeValidator(_one_or_list)] = Field(alias="for", min_length=1)

    @model_validator(mode="after")
    def _has_an_end(self) -> "StaffNotify":
        if self.kind == "mail" and not re.fullmatch(r"[^@\s]+@[^@\s]+", self.to):
            raise ValueError("kind mail needs `to`, a mail address")
        if self.kind == "webhook" and not self.url.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("kind webhook needs `url`, such as https://chat.example/hook")
        return self


class Staff(Section):
    notify: list[StaffNotify] = []


class Settings(Section):
    """The whole of config.yml."""

    data_dir: Path = Path("var")
    demo: bool | None = None
    """The demo office: null while nothing else is configured, on this machine alone."""
    database_url: str = ""
    office: Office = Office()
    web: Web = Web()
    api: Api = Api()
    wechat: WeChat = WeChat()
    email: Email = Email()
    phone: Phone = Phone()
    sms: SmsSettings = SmsSettings()
    attachments: FileSettings = FileSettings()
    tickets: Tickets = Tickets()
    delivery: Delivery = Delivery()
    survey: Survey = Survey()
    staff: Staff = Staff()
    guides: Guides = Guides()
    understanding: Understanding = Understanding()
    privacy: Privacy = Privacy()
    assistant: Assistant = Assistant()
    clock: Clock = Clock()
    log: Log = Log()

    @property
    def resolved_database_url(self) -> str:
        """The database the office named, or the SQLite file in `data_dir`."""
        url = self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'huiyin.db'}"
        for short, driver in (("postgresql://", "postgresql+asyncpg://"), ("postgres://", "postgresql+asyncpg://"),
                              ("sqlite:///", "sqlite+aiosqlite:///")):
            if url.startswith(short):
                return driver + url.removeprefix(short)
        return url

    @property
    def key_path(self) -> Path:
        return self.privacy.key_file or self.data_dir / "huiyin.key"

    @property
    def samples_are_published(self) -> bool:
        """The shipped guides answer residents only while the office is trying Huiyin out."""
        return self.guides.samples if self.guides.samples is not None else not self.web.public_url

    @property
    def clock_offset(self) -> timedelta:
        return parse_offset(self.clock.offset)

    @property
    def public_url(self) -> str:
        return self.web.public_url.rstrip("/") or f"http://{self.web.host}:{self.web.port}"

    def secrets(self) -> list[str]:
        """Every text that must never reach a log."""
        found = [token.token.get_secret_value() for token in self.api.tokens.values()]
        found.append(self.assistant.token.get_secret_value())
        found += [way.url.get_secret_value() for way in self.staff.notify]
        return [secret for secret in found if secret]


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_offset(text: str) -> timedelta:
    """`3d`, `-2h`, `1d 4h`, `90` (seconds) → a duration; ValueError when it is none of these."""
    parts = text.split()
    matches = [re.fullmatch(r"([+-]?\d+(?:\.\d+)?)\s*([smhd]?)", part) for part in parts]
    if not parts or not all(matches):
        raise ValueError("write an offset as 90s, 45m, -2h or 3d")
    return sum((timedelta(**{_UNITS[m[2] or "s"]: float(m[1])}) for m in matches if m), timedelta())


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings from config.yml (or the file HUIYIN_CONFIG names) and the environment."""
    named = environ.get("HUIYIN_CONFIG")
    path = Path(named) if named else Path("config.yml")
    if named and not path.exists():
        raise Misconfigured(f"HUIYIN_CONFIG names {named}, which does not exist")
    settings = config.load(Settings, path, environ)
    if settings.clock_offset and settings.web.public_url:
        raise Misconfigured("clock.offset moves the clock for rehearsals: not while web.public_url is set")
    return settings
