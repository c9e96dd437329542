"""@姓名 in an internal note: who is named hears of it on the console."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Invalid
from ticketing import roster, staff_notices
from ticketing.model import Ticket
from ticketing.staff import Actor, Person
from ticketing.texts import say
from ticketing.verbs.act import Act
from ticketing.visibility import visible

SIGNS = "@＠"


def find_mentioned(text: str, people: Sequence[Person]) -> list[Person]:
    """Whom the text names, each once, in the order of the text. Of two names that fit the longer counts (@王小明)."""
    longest_first = sorted(people, key=lambda person: -len(person.name))
    found: dict[str, Person] = {}
    for place, character in enumerate(text):
        if character in SIGNS:
            named = next((each for each in longest_first if text.startswith(each.name, place + 1)), None)
            if named is not None:
                found.setdefault(named.name, named)
    return list(found.values())


async def tell(act: Act) -> None:
    """Note for each who is mentioned that he is. Nothing of the note is repeated: it may hold the resident's own words.

    Raises Invalid for somebody who may not see this ticket, so that nobody waits for an answer that cannot come.
    """
    if not any(sign in act.body.text for sign in SIGNS):
        return
    here = await roster.load(act.session, act.office, act.now)
    mentioned = [person for person in find_mentioned(act.body.text, here.people) if person.name != act.actor.name]
    for person in mentioned:
        if not await _may_see(act.session, person, act.ticket):
            raise Invalid(f"text: {person.name} may not see this ticket: leave him out", "text")
    words = say("mentioned", who=act.actor.name, number=act.ticket.number)
    await staff_notices.note(act.session, [
        {
            "whom": person.name, "by": staff_notices.CONSOLE, "ticket_id": act.ticket.id, "text": words,
            "pressing": False, "noted_at": act.now, "not_before": act.now,
        }
        for person in mentioned
    ])


async def _may_see(session: AsyncSession, person: Person, ticket: Ticket) -> bool:
    actor = Actor(person.name, person.roles, person.department)
    return await session.scalar(select(Ticket.id).where(Ticket.id == ticket.id, visible(actor))) is not None
