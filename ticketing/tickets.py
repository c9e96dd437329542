"""The page of use cases: register, find, perform a verb, and what the calendar brings about."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, log
from core import conversation as conversations
from core.checking import check_body
from core.conversation import Resident
from core.errors import Conflict, Forbidden, NotFound, Stale
from core.targets import Unit, parse_target
from ticketing import archive, escalation, incidents, kinds, letters, repeats, residents, roster, search, sla
from ticketing.accused import KINDS, find_accused
from ticketing.bodies import Register, ResidentBody
from ticketing.canned_replies import require_filled_in
from ticketing.delivery import has_reached
from ticketing.lifecycle import VERBS, State, Verb
from ticketing.model import Reply, Ticket, TicketNumber
from ticketing.offered import allowed_verbs, find_facts
from ticketing.office import Office
from ticketing.record import add_transition, find_changes
from ticketing.routing import first_asked, suggest_category
from ticketing.staff import SYSTEM, Actor
from ticketing.titles import find_title
from ticketing.verbs import CHECKS, DO, MAY, Act
from ticketing.visibility import (
    about_with_code,
    roles_on,
    visible,
    was_registered_by,
)

logger = log.logger(__name__)

CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_LENGTH = 6
AT_ONCE = 200
"""How many tickets one round of the calendar's work takes."""


async def register(
    session: AsyncSession,
    office: Office,
    actor: Actor,
    raw: dict[str, Any],
    now: datetime,
    *,
    resident_id: int | None = None,
    conversation_id: int | None = None,
    channel: str | None = None,
    call_id: str | None = None,
    started_at: datetime | None = None,
    suggested: str | None = None,
    judged: str | None = None,
) -> Ticket:
    """A new ticket with its first transition, clocks and audit row, in the caller's transaction.

    `resident_id`: who it is, when a conversation knows; else `resident` in the body says. `started_at`: the
    moment the clocks start from, where that is earlier than now (a call's clocks start with the call). `suggested`
    and `judged` are category and urgency by the words, for where the body names none.
    """
    body = check_body(Register, raw)
    if body.category is not None:
        office.preset.category(body.category)
    resident, conversation_id = await residents.find(session, body.resident, now, resident_id, conversation_id)
    here = await roster.load(session, office, now)
    ticket = Ticket(
        **_as_new(actor, now),
        number=await _next_number(session, now),
        happened_at=body.happened_at,
        confidential=body.confidential,
        reply_by=body.reply_by,
        **_sort(office, actor, body, suggested, judged),
        **await _hide_words(session, resident, body),
        about=about_with_code(office.preset, _find_about(office, actor, body, here)),
        resident_id=resident.id,
        on_behalf_of=body.resident.on_behalf_of.model_dump(exclude_none=True) if body.resident.on_behalf_of else None,
        conversation_id=conversation_id,
        channel=channel or (body.resident.address or "").partition(":")[0] or None,
        call_id=call_id,
        asked_first=await first_asked(session, here, actor, conversation_id),
    )
    await _set_going(session, office, actor, ticket, started_at or now, now)
    known = await incidents.join_at_intake(session, ticket, await repeats.look(session, ticket, now), now)
    if _is_told(actor, conversation_id, body.resident):
        await _send_receipt(Act(session, office, actor, ticket, "register", body, now), known)
    return ticket


def _as_new(actor: Actor, now: datetime) -> dict[str, Any]:
    """How every ticket begins: nothing has happened to it yet."""
    return {
        "state": State.REGISTERED, "round": 1, "level": 0, "version": 1,
        "registered_by": actor.name, "registered_at": now, "moved_at": now,
        "code": "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)),
        "elements": [], "missing": [],
        "supplement_open": False, "supplements_asked": 0, "return_open": False, "returns_refused": 0, "excluded": False,
    }


def _sort(office: Office, actor: Actor, body: Register, suggested: str | None, judged: str | None) -> dict[str, Any]:
    """Kind, category and urgency: as the body says them, else by the words. A clerk's kind is final; what was heard is not."""
    text = f"{body.title or ''} {body.description} {body.place or ''}"
    category = body.category or suggested or suggest_category(office.preset, body.kind, text)
    heard = actor.resident_id is not None or bool(actor.roles & {"system", "assistant"})
    return {
        "kind": kinds.settle(office.preset, body.kind, category, text) if heard else body.kind,
        "category": category,
        "urgency": body.urgency if "urgency" in body.model_fields_set else judged or body.urgency,
    }


async def _hide_words(session: AsyncSession, resident: Resident, body: Register) -> dict[str, Any]:
    """What was said, as it is stored: the resident's personal data as tokens."""
    return {
        "title": await conversations.hide(session, resident.id, body.title or find_title(body.description)),
        "description": await conversations.hide(session, resident.id, body.description),
        "place": await conversations.hide(session, resident.id, body.place) if body.place else None,
    }


async def _set_going(
    session: AsyncSession, office: Office, actor: Actor, ticket: Ticket, since: datetime, now: datetime
) -> None:
    """The ticket is there: its first transition, its clocks from `since` on, who hears of it, and where it is found."""
    session.add(ticket)
    await session.flush()
    await add_transition(session, actor, ticket, "register", None, now)
    await sla.on_verb(session, office, ticket, "register", since)
    await escalation.after_verb(session, office, actor, ticket, "register", now)
    await search.index(session, ticket)


def _is_told(actor: Actor, conversation_id: int | None, resident: ResidentBody) -> bool:
    """What staff or the assistant registered is told to the resident, where a way to him is known."""
    if actor.resident_id is not None or "system" in actor.roles:
        return False
    return conversation_id is not None or bool(resident.address or resident.phone or resident.email)


async def _send_receipt(act: Act, known: incidents.Incident | None) -> None:
    """Number and code, and until when he hears from us; and what is known already of the event he reports."""
    promise = await act.promise()
    said = (await incidents.known_texts(act.session, [act.ticket])).get(act.ticket.id) if known else None
    await act.tell("registered", "receipt", code=act.ticket.code, promise=f"{promise}\n{said}" if said else promise)


def _find_about(office: Office, actor: Actor, body: Register, here: roster.Roster) -> dict[str, str] | None:
    """Whom it is about: staff say so; of what comes without staff the words are read."""
    if body.about is not None:
        return body.about.model_dump(exclude_none=True)
    if body.kind not in KINDS or not actor.roles & {"assistant", "system"}:
        return None
    return find_accused(office.preset, [person.name for person in here.people], body.description)


async def _next_number(session: AsyncSession, now: datetime) -> str:
    """HY20261123-00017. The day's counter is one row, raised by one statement: no number is given twice."""
    day = clock.local(now).strftime("%Y%m%d")
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(TicketNumber).values(day=day, last=1)
    statement = statement.on_conflict_do_update(index_elements=["day"], set_={"last": TicketNumber.last + 1})
    last = (await session.execute(statement.returning(TicketNumber.last))).scalar_one()
    return f"HY{day}-{last:05d}"


async def find_visible(session: AsyncSession, actor: Actor, number: str) -> Ticket:
    """The ticket, when this actor may know of it. NotFound otherwise: the two cases look the same."""
    ticket = await session.scalar(select(Ticket).where(Ticket.number == number, visible(actor)))
    if ticket is None:
        raise NotFound("there is no such ticket: GET /tickets lists those you may see")
    return ticket


async def find_readable(session: AsyncSession, actor: Actor, number: str) -> Ticket:
    """As find_visible, and the report that this member of staff registered: describe tells its state alone."""
    may_read = or_(visible(actor), was_registered_by(actor))
    ticket = await session.scalar(select(Ticket).where(Ticket.number == number, may_read))
    if ticket is None:
        raise NotFound("there is no such ticket: GET /tickets lists those you may see")
    return ticket


async def perform(
    session: AsyncSession,
    office: Office,
    actor: Actor,
    number: str,
    verb: str,
    raw: Any,
    if_match: int | None,
    now: datetime,
) -> Ticket:
    """Do a verb. Checked in this order: to be seen, role, body, version, state; then what the verb itself needs."""
    ticket = await find_visible(session, actor, number)
    row = VERBS.get(verb)
    if row is None or verb not in DO:
        raise NotFound(f"there is no verb {verb[:40]}")
    _check_role(row, actor, ticket)
    act = Act(session, office, actor, ticket, verb, None, now, if_match)
    if verb in MAY:
        await MAY[verb](act)
    act.body = check_body(row.body, raw)
    require_filled_in(verb, act.body)
    if verb in CHECKS:
        await CHECKS[verb](act)
    if if_match is not None and if_match != ticket.version:
        changed = await find_changes(session, actor, ticket.id, if_match)
        said = "; ".join(f"{item['verb']} by {item['actor']}" for item in changed[-3:])
        raise Stale(
            f"the ticket is at version {ticket.version} now, and {ticket.state}{said and f' ({said})'}: "
            "read it again, then decide", changed,
        )
    if ticket.state not in row.sources:
        facts = await find_facts(session, [ticket])
        allowed = ", ".join(allowed_verbs(office, actor, ticket, facts[ticket.id])) or "nothing"
        raise Conflict(f"{verb} is not possible while the ticket is {ticket.state}; possible is: {allowed}")
    await letters.hold_register(session, verb, now)
    await DO[verb](act)
    await escalation.after_verb(session, office, actor, ticket, verb, now)
    await session.flush()
    if verb in search.INDEXED_VERBS:
        await search.index(session, ticket)
        await repeats.look(session, ticket, now)
    return ticket


def _check_role(row: Verb, actor: Actor, ticket: Ticket) -> None:
    if not roles_on(actor, ticket) & row.who:
        raise Forbidden(f"{row.name} needs the role {' or '.join(sorted(row.who))}")


async def close_due(session: AsyncSession, office: Office, now: datetime) -> int:
    """Close what was delivered and stayed without a word for `tickets.close_after`; how many were closed."""
    of_ticket = (Reply.ticket_id == Ticket.id, Reply.round == Ticket.round)
    newest = select(func.max(Reply.delivered_at)).where(*of_ticket, Reply.withdrawn_at.is_(None)).scalar_subquery()
    query = select(Ticket.id, Ticket.number, Ticket.department, newest).where(
        Ticket.state == State.REPLIED, newest <= now - _least(office.close_after), has_reached(*of_ticket)
    )

    async def close(number: str) -> None:
        await perform(session, office, SYSTEM, number, "close", {}, None, now)

    return await _each_due(session, office, query, office.close_after, now, close)


async def archive_due(session: AsyncSession, office: Office, now: datetime) -> int:
    """Archive what has lain still for `tickets.archive_after`; how many were archived."""
    query = select(Ticket.id, Ticket.number, Ticket.department, Ticket.moved_at).where(
        Ticket.state.in_(VERBS["archive"].sources), Ticket.moved_at <= now - _least(office.archive_after)
    )

    async def put_away(number: str) -> None:
        ticket = await find_visible(session, SYSTEM, number)
        ticket.archive = await archive.file(session, ticket, now)
        await Act(session, office, SYSTEM, ticket, "archive", None, now).move(State.ARCHIVED)

    return await _each_due(session, office, query, office.archive_after, now, put_away)


def _least(target: str) -> timedelta:
    """What the target takes at the least, by whatever calendar: the database can compare with it."""
    parsed = parse_target(target)
    return timedelta(days=max(parsed.days - 1, 0)) if parsed.unit is Unit.WORKING_DAYS else parsed.duration


async def _each_due(
    session: AsyncSession,
    office: Office,
    query: Select[Any, Any, Any, Any],
    target: str,
    now: datetime,
    do: Callable[[str], Awaitable[None]],
) -> int:
    """Do it to those whose moment plus the target is over, `AT_ONCE` a round; how many it was done to.

    All that may be due are looked at, so that those which wait keep nobody back. One that fails is logged and
    left as it was.
    """
    done = last = 0
    while done < AT_ONCE:
        page = (await session.execute(query.where(Ticket.id > last).order_by(Ticket.id).limit(AT_ONCE))).all()
        for _, number, department, since in page:
            if office.after(since, target, department) > now:
                continue
            try:
                async with session.begin_nested():
                    await do(number)
                done += 1
            except Exception as error:
                logger.error("the calendar's work on a ticket failed", ticket=number, reason=str(error))
        if len(page) < AT_ONCE:
            break
        last = page[-1][0]
    return done
