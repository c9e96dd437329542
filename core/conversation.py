"""Who speaks with us, where, about what, and in whose hands it is."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core import privacy
from core.attachments import keep_files
from core.db import UTC, Base, EncryptedText, Id, Json
from core.message import Address

SILENCE = timedelta(days=1)
"""After this much silence the next message opens a new matter, unless a form is open."""


class Holder(StrEnum):
    """In whose hands a conversation is."""

    ASSISTANT = "assistant"
    STAFF = "staff"


class Resident(Base):
    """A person or an organisation that turned to the office. Name, phone, e-mail and ID are ciphertext."""

    __tablename__ = "resident"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(default="person")
    """person·organisation·staff"""
    name: Mapped[str | None] = mapped_column(EncryptedText)
    phone: Mapped[str | None] = mapped_column(EncryptedText)
    phone_digest: Mapped[str | None] = mapped_column(index=True)
    email: Mapped[str | None] = mapped_column(EncryptedText)
    id_number: Mapped[str | None] = mapped_column(EncryptedText)
    on_behalf_of: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """For whom he spoke last; each ticket keeps for whom it was."""
    person_id: Mapped[int | None] = mapped_column(Id, index=True)
    """Residents with the same number are one person (`core/persons.py`); None: he was joined with nobody."""
    created_at: Mapped[datetime] = mapped_column(UTC)
    erased_at: Mapped[datetime | None] = mapped_column(UTC)


class ResidentAddress(Base):
    """An address that is known to be this resident's. `account` names our own end (account or mailbox)."""

    __tablename__ = "resident_address"
    __table_args__ = (UniqueConstraint("channel", "account", "value"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"), index=True)
    channel: Mapped[str]
    account: Mapped[str]
    value: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UTC)


class Conversation(Base):
    """Everything said between one address and one account of ours."""

    __tablename__ = "conversation"
    __table_args__ = (
        UniqueConstraint("address", "account"),
        Index("ix_conversation_holder", "holder", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    address: Mapped[str]
    account: Mapped[str]
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"), index=True)
    holder: Mapped[str] = mapped_column(default=Holder.ASSISTANT)
    taken_by: Mapped[str | None]
    waiting_since: Mapped[datetime | None] = mapped_column(UTC)
    """Since when the resident waits for a person; None while nobody is asked for."""
    summary: Mapped[str | None]
    opened_at: Mapped[datetime] = mapped_column(UTC)
    last_message_at: Mapped[datetime] = mapped_column(UTC)


class Matter(Base):
    """One thing a resident wants: one Rasa conversation, at most one ticket."""

    __tablename__ = "matter"
    __table_args__ = (UniqueConstraint("conversation_id", "ordinal"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    ordinal: Mapped[int]
    thread: Mapped[str | None] = mapped_column(index=True)
    """The mail thread, where the channel has threads."""
    ticket_id: Mapped[int | None] = mapped_column(Id, index=True)
    form_open: Mapped[bool] = mapped_column(default=False)
    ended: Mapped[bool] = mapped_column(default=False)
    last_guide: Mapped[str | None]
    opened_at: Mapped[datetime] = mapped_column(UTC)
    last_message_at: Mapped[datetime] = mapped_column(UTC)


class Message(Base):
    """One message of a conversation, personal data replaced by tokens."""

    __tablename__ = "message"
    __table_args__ = (UniqueConstraint("conversation_id", "seq"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    matter_id: Mapped[int | None] = mapped_column(ForeignKey("matter.id"), index=True)
    seq: Mapped[int]
    author: Mapped[str]
    """resident·assistant·staff"""
    actor: Mapped[str | None]
    """The member of staff who wrote it."""
    text: Mapped[str]
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id"), unique=True)
    outbox_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTC)


class Personal(Base):
    """What a token such as `<PHONE_1>` in this resident's texts stands for. Erasing him deletes these rows."""

    __tablename__ = "personal"
    __table_args__ = (UniqueConstraint("resident_id", "token"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"))
    token: Mapped[str]
    value: Mapped[str] = mapped_column(EncryptedText)
    digest: Mapped[str]


async def find_or_open(session: AsyncSession, address: Address, account: str, now: datetime) -> Conversation:
    """The conversation of this address with this account; a new one comes with a new resident."""
    found = await session.scalar(
        select(Conversation).where(Conversation.address == str(address), Conversation.account == account)
    )
    if found:
        return found
    resident = await find_resident(session, address, account)
    if resident is None:
        resident = await add_resident(session, now, **_told_by(session, address))
    await add_address(session, resident, address, account, now)
    conversation = Conversation(
        address=str(address),
        account=account,
        resident_id=resident.id,
        holder=Holder.ASSISTANT,
        opened_at=now,
        last_message_at=now,
    )
    session.add(conversation)
    await session.flush()
    return conversation


def _told_by(session: AsyncSession, address: Address) -> dict[str, Any]:
    """What an address says of its resident: who calls has a telephone."""
    if address.channel != "phone" or not address.value.startswith("+"):
        return {}
    keys = session.get_bind().dialect.huiyin_keys  # type: ignore[attr-defined]
    return {"phone": address.value, "phone_digest": keys.digest(address.value)}


async def find_resident(session: AsyncSession, address: Address, account: str) -> Resident | None:
    """Whose address this is, if it is known."""
    return await session.scalar(
        select(Resident)
        .join(ResidentAddress, ResidentAddress.resident_id == Resident.id)
        .where(
            ResidentAddress.channel == address.channel,
            ResidentAddress.account == account,
            ResidentAddress.value == address.value,
        )
    )


async def add_resident(session: AsyncSession, now: datetime, **fields: Any) -> Resident:
    resident = Resident(created_at=now, **fields)
    session.add(resident)
    await session.flush()
    return resident


async def add_address(
    session: AsyncSession, resident: Resident, address: Address, account: str, now: datetime
) -> None:
    """Remember an address, once. It stays with whom it was first known for."""
    if await find_resident(session, address, account):
        return
    session.add(
        ResidentAddress(
            resident_id=resident.id,
            channel=address.channel,
            account=account,
            value=address.value,
            created_at=now,
        )
    )
    await session.flush()


async def current_matter(
    session: AsyncSession, conversation: Conversation, now: datetime, thread: str | None = None
) -> Matter:
    """The matter a message belongs to now: its thread's, or the open one, or a new one."""
    query = select(Matter).where(Matter.conversation_id == conversation.id)
    if thread is not None:
        query = query.where(Matter.thread == thread)
    last = await session.scalar(query.order_by(Matter.ordinal.desc()).limit(1))
    if last and (thread is not None or _goes_on(last, now)):
        return last
    return await open_matter(session, conversation, now, thread)


def _goes_on(matter: Matter, now: datetime) -> bool:
    if matter.ended or matter.ticket_id is not None:
        return False
    return matter.form_open or now - matter.last_message_at < SILENCE


async def open_matter(
    session: AsyncSession, conversation: Conversation, now: datetime, thread: str | None = None
) -> Matter:
    query = select(func.max(Matter.ordinal)).where(Matter.conversation_id == conversation.id)
    matter = Matter(
        conversation_id=conversation.id,
        ordinal=(await session.scalar(query) or 0) + 1,
        thread=thread,
        opened_at=now,
        last_message_at=now,
    )
    session.add(matter)
    await session.flush()
    return matter


async def record_message(
    session: AsyncSession,
    conversation: Conversation,
    now: datetime,
    *,
    author: str,
    text: str,
    matter: Matter | None = None,
    actor: str | None = None,
    attachments: Sequence[dict[str, Any]] = (),
    inbox_id: int | None = None,
    outbox_id: int | None = None,
) -> Message:
    """Add a message to the record, its personal data replaced by tokens; `seq` counts within the conversation."""
    query = select(func.max(Message.seq)).where(Message.conversation_id == conversation.id)
    message = Message(
        conversation_id=conversation.id,
        matter_id=matter.id if matter else None,
        seq=(await session.scalar(query) or 0) + 1,
        author=author,
        actor=actor,
        text=await hide(session, conversation.resident_id, text, only_known=author != "resident"),
        attachments=await keep_files(session, conversation.id, attachments, now),
        inbox_id=inbox_id,
        outbox_id=outbox_id,
        at=now,
    )
    session.add(message)
    conversation.last_message_at = now
    if matter:
        matter.last_message_at = now
    await session.flush()
    return message


async def hide(session: AsyncSession, resident_id: int, text: str, *, only_known: bool = False) -> str:
    """The text with this resident's tokens in place of personal data; new tokens are remembered.

    `only_known`: hide only what is known to be his, for what the office says.
    """
    if not privacy.find(text):
        return text
    known = {row.digest: row.token for row in await _personal(session, resident_id)}
    keys = session.get_bind().dialect.huiyin_keys  # type: ignore[attr-defined]
    hidden, new = privacy.tokenise(text, known, keys.digest, only_known=only_known)
    for token, value in new.items():
        session.add(Personal(resident_id=resident_id, token=token, value=value, digest=keys.digest(value)))
    if new:
        await session.flush()
    return hidden


async def reveal(session: AsyncSession, resident_id: int, text: str) -> str:
    """The text with its tokens resolved; a token whose value was erased stays a token."""
    if not privacy.has_token(text):
        return text
    return privacy.resolve(text, {row.token: row.value for row in await _personal(session, resident_id)})


async def tokens_of(session: AsyncSession, resident_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """What the tokens of these residents stand for, by the resident's id: for who reveals the texts of many."""
    found: dict[int, dict[str, str]] = {}
    if resident_ids:
        for row in await session.scalars(select(Personal).where(Personal.resident_id.in_(resident_ids))):
            found.setdefault(row.resident_id, {})[row.token] = row.value
    return found


async def _personal(session: AsyncSession, resident_id: int) -> Sequence[Personal]:
    return (await session.scalars(select(Personal).where(Personal.resident_id == resident_id))).all()
