"""What the WeChat channel remembers: tokens, windows, sent parts, and numbers used once."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base, EncryptedText, Id


class WeChatToken(Base):
    """The access token of an account, shared by all processes. One of them at a time renews it."""

    __tablename__ = "wechat_token"

    account: Mapped[str] = mapped_column(primary_key=True)
    access_token: Mapped[str] = mapped_column(EncryptedText)
    generation: Mapped[int] = mapped_column(default=0)
    """Counts renewals: who saw generation 3 refused renews only while it is still 3."""
    renew_at: Mapped[datetime] = mapped_column(UTC)
    renewed_at: Mapped[datetime] = mapped_column(UTC)
    owner_until: Mapped[datetime | None] = mapped_column(UTC)
    """Until then one process is fetching a new token; the others wait."""


class WeChatWindow(Base):
    """How often we may still speak to a follower, and until when: `message` 48 h, `event` one minute."""

    __tablename__ = "wechat_window"

    account: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    closes_at: Mapped[datetime] = mapped_column(UTC)
    left: Mapped[int]
    reminded: Mapped[bool] = mapped_column(default=False)
    """Whether he was asked to keep it open."""


class WeChatPart(Base):
    """A part of an outbox row that the platform accepted: a retry goes on after it."""

    __tablename__ = "wechat_part"

    outbox_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    platform_id: Mapped[str]
    at: Mapped[datetime] = mapped_column(UTC, index=True)


class WeChatNonce(Base):
    """A timestamp and nonce that came with a body their signature does not cover."""

    __tablename__ = "wechat_nonce"

    account: Mapped[str] = mapped_column(primary_key=True)
    timestamp: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    at: Mapped[datetime] = mapped_column(UTC, index=True)
