"""The tables of the knowledge base: guides and their versions, notices, questions that stayed open."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base, Id, Json


class GuideRow(Base):
    """A guide and the version that stands. Readers of the knowledge base get a `Guide` made from `content`."""

    __tablename__ = "guide"
    __table_args__ = (UniqueConstraint("preset", "slug"), Index("ix_guide_state", "preset", "state"))

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    preset: Mapped[str]
    slug: Mapped[str]
    title: Mapped[str]
    state: Mapped[str]
    """draft·review·published·expired·withdrawn"""
    version: Mapped[int]
    digest: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    owner: Mapped[str]
    sample: Mapped[bool] = mapped_column(default=False)
    """Shipped with Huiyin; an editor's own change takes the mark away."""
    pending: Mapped[int | None]
    """The version that is being worked on while another one stands."""
    pending_state: Mapped[str | None]
    """draft·review"""
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    checked_on: Mapped[date | None]
    publish_at: Mapped[datetime | None] = mapped_column(UTC)
    """When what is being worked on is published by itself."""
    changed_at: Mapped[datetime] = mapped_column(UTC)
    changed_by: Mapped[str]


class GuideVersion(Base):
    """What a guide said in one version, who changed it and when."""

    __tablename__ = "guide_version"
    __table_args__ = (UniqueConstraint("guide_id", "version"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    guide_id: Mapped[int] = mapped_column(ForeignKey("guide.id", ondelete="CASCADE"))
    version: Mapped[int]
    digest: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    changed_at: Mapped[datetime] = mapped_column(UTC)
    changed_by: Mapped[str]


class GuideReminder(Base):
    """What the owner of a guide was reminded of, so that he is told once."""

    __tablename__ = "guide_reminder"
    __table_args__ = (UniqueConstraint("guide_id", "kind", "due_on"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    guide_id: Mapped[int] = mapped_column(ForeignKey("guide.id", ondelete="CASCADE"))
    kind: Mapped[str]
    """valid_to·soon·expired·checked_on"""
    due_on: Mapped[date]
    told_at: Mapped[datetime] = mapped_column(UTC)


class GuideSection(Base):
    """One quotable part of the standing version."""

    __tablename__ = "guide_section"
    __table_args__ = (UniqueConstraint("guide_id", "ordinal"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    guide_id: Mapped[int] = mapped_column(ForeignKey("guide.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    field: Mapped[str]
    question: Mapped[str]
    text: Mapped[str]


class Notice(Base):
    """What is true for a while, and perhaps for some places only (停水, 停诊, 系统维护)."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_in_force", "preset", "valid_to"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    preset: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    places: Mapped[list[str]] = mapped_column(Json)
    valid_from: Mapped[datetime] = mapped_column(UTC)
    valid_to: Mapped[datetime] = mapped_column(UTC)
    created_at: Mapped[datetime] = mapped_column(UTC)
    created_by: Mapped[str]
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTC)
    withdrawn_by: Mapped[str | None]


class Unanswered(Base):
    """A question that got no answer (or a bad one), kept for the editors; personal data are tokens."""

    __tablename__ = "unanswered"
    __table_args__ = (Index("ix_unanswered_open", "preset", "settled_at", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    preset: Mapped[str]
    question: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str]
    nearest: Mapped[str | None]
    matter_id: Mapped[int | None] = mapped_column(Id)
    ticket_id: Mapped[int | None] = mapped_column(Id, unique=True)
    """The consultation whose reply was rated badly, where that is why it is here."""
    asked_at: Mapped[datetime] = mapped_column(UTC)
    settled_at: Mapped[datetime | None] = mapped_column(UTC)
    settled_by: Mapped[str | None]
    settled_as: Mapped[str | None]
    """faq·alias·guide·nothing"""
    settled_guide: Mapped[str | None]
    """The guide that answers it from then on."""
    reply: Mapped[str | None]
    """What whoever asked is told once that guide is in force."""
    told_at: Mapped[datetime | None] = mapped_column(UTC)


class Rehearsal(Base):
    """One inspection: each published guide asked its own questions. What failed is for the owners; no figure counts it."""

    __tablename__ = "rehearsal"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    preset: Mapped[str]
    at: Mapped[datetime] = mapped_column(UTC)
    by: Mapped[str]
    guides: Mapped[int]
    questions: Mapped[int]
    failures: Mapped[list[dict[str, Any]]] = mapped_column(Json)


class GuidesVersion(Base):
    """One row that counts the changes of all guides: a process whose index is older builds a new one."""

    __tablename__ = "guides_version"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    version: Mapped[int]
