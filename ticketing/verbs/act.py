"""One use of a verb: who does it to which ticket with what, and the few things every verb does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.conversation import hide, reveal
from ticketing import clock_words, letters, record
from ticketing.letter_texts import LetterKind
from ticketing.model import Letter, Reply, Ticket
from ticketing.office import Office
from ticketing.staff import Actor
from ticketing.texts import say


@dataclass(slots=True)
class Act:
    """`body` was checked against the verb's model; role and state were checked too."""

    session: AsyncSession
    office: Office
    actor: Actor
    ticket: Ticket
    verb: str
    body: Any
    now: datetime
    if_match: int | None = None
    """The version the caller had read, where he named it."""

    async def move(
        self, to: str | None = None, reason: str | None = None, changes: dict[str, Any] | None = None
    ) -> None:
        await record.move(
            self.session, self.office, self.actor, self.ticket, self.verb, self.now,
            to=to, reason=reason, changes=changes, if_match=self.if_match,
        )

    async def hold(self) -> None:
        """Nothing of this ticket changes until the verb is done."""
        await record.hold(self.session, self.actor, self.ticket, self.if_match)

    async def tell(
        self, sentence: str, origin: str, reply: Reply | None = None, letter: Letter | None = None, **values: object
    ) -> None:
        """A sentence of texts.yml to the resident, number and title filled in, with the letter it is about."""
        text = say(sentence, number=self.ticket.number, title=self.ticket.title, **values)
        await self.office.tell(self.session, self.ticket, text, origin, reply, self.now, letter)

    async def write_letter(self, kind: LetterKind, **values: str) -> Letter:
        """The letter that this verb owes, numbered and fixed."""
        return await letters.make(self.session, self.office, self.actor, self.ticket, kind, self.now, values)

    async def hide(self, text: str) -> str:
        """The text as it is stored: the resident's personal data as tokens."""
        return await hide(self.session, self.ticket.resident_id, text)

    async def reveal(self, text: str) -> str:
        return await reveal(self.session, self.ticket.resident_id, text)

    async def promise(self) -> str:
        return await clock_words.promise(self.session, self.ticket)


Do = Callable[[Act], Awaitable[None]]
