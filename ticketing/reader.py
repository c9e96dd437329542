"""Who reads a ticket's texts: personal data is put back for him, or stays hidden."""

from collections.abc import Iterable, Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from core import privacy
from core.conversation import tokens_of
from ticketing.model import Ticket
from ticketing.staff import Actor
from ticketing.visibility import hides_person

ASSISTANT = "assistant"


class Reader:
    """Resolves a resident's tokens for one reader, or leaves them where the person is hidden."""

    def __init__(self, ticket: Ticket, hidden: bool, values: Mapping[str, str]) -> None:
        self.hidden, self._values = hidden, values
        said = (item.get("value") for item in ticket.elements if item.get("name") == "person")
        self._name = next((name for name in said if name and len(name) > 1), None)
        """Who called says his name in the words of the call too."""

    def text(self, text: str | None) -> str | None:
        """The words of the case."""
        if text and self.hidden and self._name:
            return text.replace(self._name, privacy.mask_name(self._name))
        return self.resolve(text)

    def resolve(self, text: str | None) -> str | None:
        """What the office wrote, which holds tokens alone."""
        return text if text is None or self.hidden else privacy.resolve(text, self._values)


async def readers_of(session: AsyncSession, tickets: Iterable[tuple[Ticket, bool]]) -> dict[int, Reader]:
    """By each ticket's id; with the ticket stands whether its person is hidden. One query, however many there are."""
    whose = list(tickets)
    known = await tokens_of(session, {ticket.resident_id for ticket, hidden in whose if not hidden})
    return {ticket.id: Reader(ticket, hidden, known.get(ticket.resident_id, {})) for ticket, hidden in whose}


async def reader_of(session: AsyncSession, ticket: Ticket, hidden: bool) -> Reader:
    return (await readers_of(session, [(ticket, hidden)]))[ticket.id]


def keeps_tokens(actor: Actor, ticket: Ticket) -> bool:
    """Whether texts stay as they are stored.

    What the assistant reads it says through Rasa, which keeps tokens alone: they are resolved on the way out.
    """
    return hides_person(actor, ticket) or ASSISTANT in actor.roles
