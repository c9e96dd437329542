"""Letters and papers: numbered without a gap by kind and year, fixed when the verb that owes them is done.

The row holds what the letter says; the sheet of paper is made from it whenever somebody wants to see it. Whom it is
addressed to is read then too: who was erased, or asked to stay confidential, stands on no paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.conversation import Resident, hide, reveal
from ticketing import clock_words, staff_numbers
from ticketing.letter_texts import LetterKind
from ticketing.model import Letter, LetterNumber, Reply, Ticket
from ticketing.office import Office
from ticketing.staff import Actor

FINDINGS = {
    "upheld": "经核查，您反映的情况属实。",
    "partly_upheld": "经核查，您反映的情况部分属实。",
    "not_upheld": "经核查，您反映的情况不属实。",
}


OWED: dict[str, LetterKind] = {
    "accept": "acceptance", "decline": "decline", "ask_supplement": "supplement", "extend": "extension",
    "submit": "reply", "approve": "reply", "answer_directly": "reply", "link": "reply",
}
"""The letters that a verb may come to write, for its own ticket or for others that wait for its answer."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A letter as it is read. `paragraphs` are plain text: nothing in them is markup."""

    office: str
    title: str
    number: str
    addressee: str
    paragraphs: tuple[str, ...]
    signature: tuple[str, ...]
    made_at: datetime
    is_void: bool

    @property
    def file_name(self) -> str:
        return f"{self.title}_{self.number}"


async def make(
    session: AsyncSession,
    office: Office,
    actor: Actor,
    ticket: Ticket,
    kind: LetterKind,
    now: datetime,
    values: dict[str, str],
    reply: Reply | None = None,
) -> Letter:
    """A new letter with its number; `values` are the places that its kind has besides the common ones.

    It is written in the caller's transaction: when that is rolled back, the number is free again.
    """
    year = clock.local(now).year
    ordinal = await _count_up(session, kind, year, 1)
    own = office.preset.letters.text_of(kind)
    facts = {
        "number": ticket.number, "title": await reveal(session, ticket.resident_id, ticket.title),
        "registered": write_day(ticket.registered_at), "date": write_day(now), "office": office.name,
        "promise": await clock_words.promise(session, ticket),
    }
    text = office.preset.letters.compose(kind, **facts, **values)
    letter = Letter(
        ticket_id=ticket.id, reply_id=reply.id if reply else None, kind=kind, year=year, ordinal=ordinal,
        number=f"{office.preset.letters.mark}{own.word}字〔{year}〕{ordinal}号", title=own.title,
        text=await hide(session, ticket.resident_id, text, only_known=True), office=office.name,
        unit=_unit_of(office, ticket), staff_number=await staff_numbers.number_of(session, actor), made_at=now,
    )
    session.add(letter)
    await session.flush()
    return letter


async def make_for_reply(session: AsyncSession, office: Office, ticket: Ticket, reply: Reply, now: datetime) -> Letter:
    """The 答复书 of an approved reply: signed by the number of who wrote it."""
    writer = Actor(reply.submitted_by, frozenset(), None)
    text = await reveal(session, ticket.resident_id, reply.text)
    findings = FINDINGS.get(reply.findings or "", "")
    return await make(session, office, writer, ticket, "reply", now, {"text": text, "findings": findings}, reply)


async def hold_register(session: AsyncSession, verb: str, now: datetime) -> None:
    """Take the register before the verb takes its tickets: two who need both take them in one order, and wait."""
    if kind := OWED.get(verb):
        await _count_up(session, kind, clock.local(now).year, 0)


async def _count_up(session: AsyncSession, kind: str, year: int, by: int) -> int:
    """One statement raises the counter and locks it until the transaction ends: no number twice, none left out."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(LetterNumber).values(kind=kind, year=year, last=by)
    statement = statement.on_conflict_do_update(
        index_elements=["kind", "year"], set_={"last": LetterNumber.last + by}
    )
    return int((await session.execute(statement.returning(LetterNumber.last))).scalar_one())


def write_day(moment: datetime) -> str:
    """2026年11月26日."""
    day = clock.local(moment)
    return f"{day.year}年{day.month}月{day.day}日"


def _unit_of(office: Office, ticket: Ticket) -> str | None:
    return next((item.name for item in office.preset.departments if item.code == ticket.department), None)


async def of_reply(session: AsyncSession, reply_id: int) -> Letter | None:
    return await session.scalar(
        select(Letter).where(Letter.reply_id == reply_id).order_by(Letter.id.desc()).limit(1)
    )


async def withdraw(session: AsyncSession, replies: Sequence[int], now: datetime) -> None:
    """The replies were sent back: their letters are void."""
    await session.execute(
        update(Letter)
        .where(Letter.reply_id.in_(replies), Letter.void_at.is_(None))
        .values(void_at=now)
        .execution_options(synchronize_session=False)
    )


async def mark_collected(
    session: AsyncSession, actor: Actor, ticket: Ticket, note: str, now: datetime, *which: ColumnElement[bool]
) -> int:
    """These letters of the ticket are in the resident's hand; how many were not before, and are not void."""
    done = await session.execute(
        update(Letter)
        .where(Letter.ticket_id == ticket.id, Letter.collected_at.is_(None), Letter.void_at.is_(None), *which)
        .values(collected_at=now, collected_by=actor.name, collected_note=await hide(session, ticket.resident_id, note))
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


async def lay_out(session: AsyncSession, office: Office, letter: Letter, hidden: bool = False) -> Sheet:
    """The letter for a reader; `hidden`: one who may not know the resident's numbers."""
    ticket = await session.get_one(Ticket, letter.ticket_id)
    text = letter.text if hidden else await reveal(session, ticket.resident_id, letter.text)
    signed = [letter.office] if letter.unit is None else [letter.office, letter.unit]
    signed += [f"经办人工号 {letter.staff_number}"] if letter.staff_number else []
    return Sheet(
        office=letter.office, title=letter.title, number=letter.number,
        addressee=await _addressee(session, office, ticket), paragraphs=tuple(text.splitlines()),
        signature=(*signed, write_day(letter.made_at)), made_at=letter.made_at, is_void=letter.void_at is not None,
    )


async def _addressee(session: AsyncSession, office: Office, ticket: Ticket) -> str:
    """By name where the office may; a confidential resident's name stands on no paper that lies about."""
    resident = await session.get_one(Resident, ticket.resident_id)
    known = None if ticket.confidential else resident.name
    return f"{known or '尊敬的' + office.preset.words['resident']}："


def describe(letter: Letter) -> dict[str, Any]:
    """An item of a ticket's `letters`; `url` is the sheet, for staff."""
    return {
        "id": letter.id, "kind": letter.kind, "title": letter.title, "number": letter.number,
        "made_at": letter.made_at, "void_at": letter.void_at, "collected_at": letter.collected_at,
        "reply": letter.reply_id, "url": f"/api/v1/letters/{letter.id}/pdf",
    }
