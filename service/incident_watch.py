"""New tickets looked at once more, with their meaning: bursts become drafts, what is known is told, what is over ends."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, log
from service.runtime import Runtime
from ticketing import incident_desk, incidents, repeats
from ticketing.incident_desk import Confirmed
from ticketing.incidents import Incident
from ticketing.model import Ticket
from ticketing.office import Office

logger = log.logger(__name__)

AT_ONCE = 20
"""Tickets of one round; each is a transaction of its own."""
SYSTEM = "system"


async def watch(runtime: Runtime) -> None:
    """One round. The sentence is made into a vector while no transaction is open."""
    now = clock.now()
    async with runtime.db.reading() as session:
        waiting = [(each.id, repeats.text_of(each)) for each in await repeats.waiting(session, now, AT_ONCE)]
    if waiting:
        embedder = await runtime.knowledge.embedder()
        for ticket_id, text in waiting:
            made = await embedder.query([text])
            async with runtime.db.writing() as session:
                await look(runtime.office, session, ticket_id, None if made is None else made[0].tolist(), now)
        runtime.news.notify("outbox")
    await settle(runtime, now)


async def look(
    office: Office, session: AsyncSession, ticket_id: int, vector: list[float] | None, now: datetime
) -> Incident | None:
    """The second look at one ticket; the event it reports, if it is one of many."""
    ticket = await session.get_one(Ticket, ticket_id)
    found = await repeats.look_again(session, ticket, now, vector)
    if found is None:
        return None
    known = await incidents.join_later(session, office, ticket, found, now)
    return known or await incidents.gather(session, office, ticket, found, now)


async def settle(runtime: Runtime, now: datetime) -> None:
    """Events that are over are told to nobody any more."""
    async with runtime.db.reading() as session:
        if not await incidents.any_confirmed(session):
            return
    async with runtime.db.writing() as session:
        for incident in await incident_desk.settle(session, now):
            await take_down(session, incident, SYSTEM, now)


async def put_up(runtime: Runtime, session: AsyncSession, confirmed: Confirmed, by: str, now: datetime) -> None:
    """Who asks is told like a notice in force what whoever complains is told."""
    from knowledge_base import notices  # Brings numpy with it: not at the start.

    incident, body = confirmed.incident, confirmed.body
    assert incident.text is not None and incident.valid_to is not None
    where = body.places or ([incident.place] if incident.place else [])
    notice = await notices.put_up(
        session, runtime.settings.office.preset, incident.title, incident.text, where, now, incident.valid_to, by, now
    )
    incident.notice_id = notice.id


async def take_down(session: AsyncSession, incident: Incident, by: str, now: datetime) -> None:
    from knowledge_base import notices

    if incident.notice_id is not None:
        await notices.withdraw(session, incident.notice_id, by, now)
