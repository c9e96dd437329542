"""One verb on many tickets: each by itself, so that one that cannot takes no other with it; tried first, where wished."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.checking import check_body
from core.errors import HuiyinError, Invalid
from ticketing import tickets
from ticketing.lifecycle import VERBS
from ticketing.office import Office
from ticketing.staff import Actor

BULK_VERBS = ("accept", "assign", "reassign", "sign_for", "progress", "raise", "note", "link", "close", "exclude")
"""What may be done without reading each ticket anew. Refusals, replies and approvals are not among them."""
MOST = 50
"""As many as one page shows: the one writer of SQLite is not held for longer than a blink."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A ticket, and the version that was seen where it was chosen."""

    number: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became, or would become, of one ticket."""

    number: str
    state: str | None
    version: int | None
    error: HuiyinError | None = None


class _OnlyTried(Exception):
    """Undoes what was tried."""


async def perform_all(
    session: AsyncSession, office: Office, actor: Actor, wanted: Sequence[Wanted], verb: str, raw: Any,
    now: datetime, *, dry_run: bool,
) -> list[Outcome]:
    """Do the verb on each. `dry_run` does it too and takes it back, so its answer is what would really happen.

    Raises Invalid for a verb that is not for many, a ticket named twice, and a body that is wrong for all of them.
    """
    if verb not in BULK_VERBS:
        raise Invalid(f"verb: for many at once there are {', '.join(BULK_VERBS)}", "verb")
    if len({each.number for each in wanted}) < len(wanted):
        raise Invalid("tickets: each ticket once", "tickets")
    check_body(VERBS[verb].body, raw)
    return [await _perform_one(session, office, actor, each, verb, raw, now, dry_run) for each in wanted]


async def _perform_one(
    session: AsyncSession, office: Office, actor: Actor, wanted: Wanted, verb: str, raw: Any, now: datetime,
    dry_run: bool,
) -> Outcome:
    found: Outcome | None = None
    try:
        async with session.begin_nested():
            ticket = await tickets.perform(session, office, actor, wanted.number, verb, raw, wanted.version, now)
            found = Outcome(ticket.number, ticket.state, ticket.version)
            if dry_run:
                raise _OnlyTried
    except _OnlyTried:
        pass
    except HuiyinError as error:
        return Outcome(wanted.number, None, None, error)
    assert found
    return found
