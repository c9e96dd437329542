"""What the web chat keeps: its sessions, what was said in them, and the files sent there."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base, EncryptedText, Id, Json


class WebChatSession(Base):
    """One browser's conversation. Whoever has the token is the resident; only its digest is kept."""

    __tablename__ = "webchat_session"

    id: Mapped[str] = mapped_column(primary_key=True)
    token_digest: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UTC)


class WebChatMessage(Base):
    """One line of a conversation as the browser shows it. `seq` counts over all sessions and never goes back."""

    __tablename__ = "webchat_message"
    __table_args__ = (
        UniqueConstraint("session_id", "client_id"),
        UniqueConstraint("outbox_id"),
        UniqueConstraint("session_id", "seq"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("webchat_session.id"))
    client_id: Mapped[str]
    """The browser's own id of a resident's message; for ours the outbox row's."""
    author: Mapped[str]
    """resident·assistant·staff"""
    text: Mapped[str] = mapped_column(EncryptedText)
    choices: Mapped[list[str]] = mapped_column(Json)
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    outbox_id: Mapped[int | None] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(UTC)


class WebChatFile(Base):
    """A file of a session, so that it is served to nobody else."""

    __tablename__ = "webchat_file"

    id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("webchat_session.id"), index=True)
    name: Mapped[str]
    type: Mapped[str]
    path: Mapped[str]


class WebChatKey(Base):
    """Another token of a session: that of a second device, whose owner proved to be the same person."""

    __tablename__ = "webchat_key"

    token_digest: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("webchat_session.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTC)
