"""绿色通道: who is entitled is a published list; who granted it to a ticket, and on what proof, is on record."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.checking import Body
from core.clock import write_time
from core.errors import Conflict, Forbidden, Stale
from ticketing import record
from ticketing.bodies import Short
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket
from ticketing.office import Office
from ticketing.staff import Actor
from ticketing.visibility import roles_on

GRANTERS = frozenset({"clerk", "supervisor"})


class Grant(Body):
    code: str
    proof: Short | None = None
    """What was shown; left out where the list asks for none."""


def describe(office: Office) -> list[dict[str, Any]]:
    """The published list, each with the limit it gives."""
    limits = {
        code: rule.target
        for rule in office.preset.sla
        for code in rule.applies_to.green_channel
        if rule.name == "finish"
    }
    return [entry.model_dump() | {"limit": limits.get(entry.code)} for entry in office.preset.green_channel]


def check_role(actor: Actor, ticket: Ticket) -> None:
    if not roles_on(actor, ticket) & GRANTERS:
        raise Forbidden("the green channel is granted by a clerk or a supervisor")


async def grant(
    session: AsyncSession, office: Office, actor: Actor, ticket: Ticket, body: Grant, now: datetime,
    if_match: int | None = None,
) -> None:
    """Give a ticket the green channel; its clocks count by the shorter limit from their start on."""
    entry = office.preset.green(body.code)
    if if_match is not None and if_match != ticket.version:
        raise Stale(f"the ticket is at version {ticket.version} now: read it again, then decide")
    if ticket.state not in OPEN:
        raise Conflict(f"the ticket is {ticket.state}: the green channel is for open ones")
    before = (ticket.green_channel or {}).get("code")
    if before == entry.code:
        raise Conflict("this ticket has the green channel already")
    ticket.green_channel = {
        "code": entry.code, "proof": body.proof or entry.proof, "granted_by": actor.name, "at": write_time(now),
    }
    await record.move(
        session, office, actor, ticket, "amend", now, reason=f"绿色通道：{entry.name}",
        changes={"green_channel": [before, entry.code]}, if_match=if_match,
    )
