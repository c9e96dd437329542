"""The case and what hangs on it: transitions, replies, letters, notes, tasks, measures, call-backs."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base, EncryptedText, Id, Json

COPY_ROUND = 0
"""The round of a reply that a merged ticket got from the surviving one: it opens no gate of its own."""

_OWED = text("fulfilled_at IS NULL")


class TicketNumber(Base):
    """The last number given on a day; of archived cases, in their row of the archive."""

    __tablename__ = "ticket_number"

    day: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


class Ticket(Base):
    """One case. Texts hold tokens in place of personal data; `version` goes up by one with every transition."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_state", "state", "id"),
        Index("ix_ticket_registered_at", "registered_at"),
        Index("ix_ticket_department", "department", "state", "id"),
        Index("ix_ticket_kind", "kind", "id"),
        Index("ix_ticket_category", "category", "id"),
        Index("ix_ticket_assignee", "assignee", "id"),
        Index("ix_ticket_urgency", "urgency", "id"),
        Index("ix_ticket_confidential", "confidential", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    number: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    category: Mapped[str | None]
    title: Mapped[str]
    description: Mapped[str]
    place: Mapped[str | None]
    happened_at: Mapped[str | None]
    state: Mapped[str]
    urgency: Mapped[str]
    confidential: Mapped[bool]
    about: Mapped[dict[str, Any] | None] = mapped_column(Json)
    department: Mapped[str | None]
    assignee: Mapped[str | None]
    asked_first: Mapped[str | None]
    """首问负责: who was asked first has it until somebody accepts."""
    green_channel: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """绿色通道: `{code, proof, granted_by, at}`."""
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"), index=True)
    on_behalf_of: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """For whom he spoke this time: `{name, relation}`."""
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    channel: Mapped[str | None]
    call_id: Mapped[str | None] = mapped_column(index=True)
    reply_by: Mapped[str | None]
    """call·letter·collection, where a person brings the answer whatever else is known of the resident."""
    recording: Mapped[str | None]
    """Where the recording of the call can be heard."""
    code: Mapped[str] = mapped_column(EncryptedText)
    """What the resident shows to read the progress."""
    round: Mapped[int] = mapped_column(default=1)
    """One up with each redo: replies of earlier rounds deliver nothing any more."""
    level: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    registered_by: Mapped[str]
    registered_at: Mapped[datetime] = mapped_column(UTC)
    moved_at: Mapped[datetime] = mapped_column(UTC)
    """The moment of the last transition."""
    elements: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    missing: Mapped[list[str]] = mapped_column(Json, default=list)
    answered_on_call: Mapped[dict[str, Any] | None] = mapped_column(Json)
    supplement_open: Mapped[bool] = mapped_column(default=False)
    supplements_asked: Mapped[int] = mapped_column(default=0)
    return_open: Mapped[bool] = mapped_column(default=False)
    returns_refused: Mapped[int] = mapped_column(default=0)
    extension_asked: Mapped[dict[str, Any] | None] = mapped_column(Json)
    decline_asked: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """A refusal that waits for the supervisor's countersignature: `{code, reason, where_to, by, at}`."""
    archive: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """Once archived: `{number, at, index: [{seq, at, title}]}`."""
    solved: Mapped[bool | None]
    satisfied: Mapped[int | None]
    excluded: Mapped[bool] = mapped_column(default=False)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    """The ticket whose one answer and closing are this one's too; that one is linked to none."""
    state_before: Mapped[str | None]
    """The state before a merge, for its undoing."""


class Transition(Base):
    """One thing that happened to a ticket."""

    __tablename__ = "transition"
    __table_args__ = (UniqueConstraint("ticket_id", "seq"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    seq: Mapped[int]
    verb: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(UTC)
    reason: Mapped[str | None]
    changes: Mapped[dict[str, Any] | None] = mapped_column(Json)


class Note(Base):
    """An internal word; residents never see it."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    actor: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(UTC)


class Reply(Base):
    """What the office answers. It goes out when it is approved; its delivery is the outbox's business."""

    __tablename__ = "reply"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    round: Mapped[int]
    text: Mapped[str]
    action_taken: Mapped[str | None]
    findings: Mapped[str | None]
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    """Ids of the files that go with it."""
    submitted_by: Mapped[str]
    submitted_at: Mapped[datetime] = mapped_column(UTC)
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None] = mapped_column(UTC)
    delivered_at: Mapped[datetime | None] = mapped_column(UTC)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTC)
    same_as_id: Mapped[int | None] = mapped_column(ForeignKey("reply.id"), index=True)
    """The reply of the lead whose words these are."""
    call_turn: Mapped[int | None]
    """Given in the call itself: the turn that is its proof."""


class LetterNumber(Base):
    """The last number given to a kind of letter in a year."""

    __tablename__ = "letter_number"

    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class Letter(Base):
    """One letter. `number` is how it is cited (文号); its texts hold tokens in place of personal data."""

    __tablename__ = "letter"
    __table_args__ = (UniqueConstraint("kind", "year", "ordinal"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    reply_id: Mapped[int | None] = mapped_column(ForeignKey("reply.id"), index=True)
    kind: Mapped[str]
    year: Mapped[int]
    ordinal: Mapped[int]
    number: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    office: Mapped[str]
    unit: Mapped[str | None]
    """The department that signs; None where the ticket was with none yet, and the office signs."""
    staff_number: Mapped[str | None]
    """Who made it, by his number and never by his name; None for the machine."""
    made_at: Mapped[datetime] = mapped_column(UTC)
    void_at: Mapped[datetime | None] = mapped_column(UTC)
    """作废: the reply was sent back. The number stays in the register."""
    collected_at: Mapped[datetime | None] = mapped_column(UTC)
    collected_by: Mapped[str | None]
    """The member of staff who handed it over."""
    collected_note: Mapped[str | None]


class Draft(Base):
    """One saved version of the reply that a ticket's officers write together. None is overwritten: nothing is lost."""

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("ticket_id", "version"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    version: Mapped[int]
    findings: Mapped[str | None]
    action_taken: Mapped[str]
    reply: Mapped[str]
    measures: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    saved_by: Mapped[str]
    saved_at: Mapped[datetime] = mapped_column(UTC)


class Task(Base):
    """协办 or 征求意见: what another department does or says, without owning the ticket."""

    __tablename__ = "task"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    department: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    text: Mapped[str]
    due_at: Mapped[datetime | None] = mapped_column(UTC)
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None] = mapped_column(UTC)
    answered_by: Mapped[str | None]


class Measure(Base):
    """承诺: what a reply promises for later."""

    __tablename__ = "measure"
    __table_args__ = (
        Index("ix_measure_owed", "due_on", "ticket_id", sqlite_where=_OWED, postgresql_where=_OWED),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    what: Mapped[str]
    owner: Mapped[str | None]
    due_on: Mapped[date]
    fulfilled_at: Mapped[datetime | None] = mapped_column(UTC)
    proof: Mapped[str | None]


class Callback(Base):
    """A call that a person must make, because nothing else reached the resident."""

    __tablename__ = "callback"
    __table_args__ = (Index("ix_callback_open", "done_at", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    reply_id: Mapped[int | None] = mapped_column(ForeignKey("reply.id"))
    round: Mapped[int]
    reason: Mapped[str]
    """delivery·bad_rating"""
    text: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(UTC)
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None] = mapped_column(UTC)
    done_by: Mapped[str | None]
    reached: Mapped[bool | None]
    note: Mapped[str | None]


class CallAttempt(Base):
    """One try at a call-back: what became of it, and who tried."""

    __tablename__ = "call_attempt"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    callback_id: Mapped[int] = mapped_column(ForeignKey("callback.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTC)
    by: Mapped[str]
    outcome: Mapped[str]
    """connected·no_answer·wrong_number·busy·refused"""
    reached: Mapped[bool]
    note: Mapped[str]
