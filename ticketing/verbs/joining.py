"""Tickets that belong together: merge, unmerge, link."""

from sqlalchemy import select

from core.errors import Conflict, Invalid
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket
from ticketing.verbs import linking
from ticketing.verbs.act import Act, Do
from ticketing.verbs.kin import merged_into
from ticketing.visibility import visible


async def _find_other(act: Act, number: str, field: str) -> Ticket:
    other = await act.session.scalar(select(Ticket).where(Ticket.number == number, visible(act.actor)))
    if other is None:
        raise Invalid(f"{field}: there is no ticket {number[:40]}", field)
    if other.id == act.ticket.id:
        raise Invalid(f"{field}: that is this ticket itself", field)
    return other


async def check_merge(act: Act) -> None:
    await _find_other(act, act.body.into, "into")


async def check_link(act: Act) -> None:
    await _find_other(act, act.body.to, "to")


async def merge(act: Act) -> None:
    """Into an open ticket; those that were merged into this one follow it, so there are no chains."""
    into = await _find_other(act, act.body.into, "into")
    # Two that are merged into each other at one moment would both be gone: who comes second sees what the first did.
    both = select(Ticket.id).where(Ticket.id.in_((act.ticket.id, into.id))).order_by(Ticket.id).with_for_update()
    await act.session.execute(both)
    await act.session.refresh(into)
    if into.state not in OPEN:
        raise Conflict(f"{into.number} is {into.state}: a ticket is merged into an open one")
    act.ticket.state_before, act.ticket.merged_into_id = act.ticket.state, into.id
    await act.move("merged", changes={"merged_into": [None, into.number]})
    for follower in await merged_into(act.session, act.ticket):
        follower.merged_into_id = into.id
    follows_another = into.lead_id not in (None, act.ticket.id)
    await linking.hand_on(act, await act.session.get(Ticket, into.lead_id) if follows_another else into)
    if into.resident_id != act.ticket.resident_id:
        await act.tell("merged", "progress")


async def unmerge(act: Act) -> None:
    back = act.ticket.state_before or "registered"
    act.ticket.merged_into_id = act.ticket.state_before = None
    await act.move(back)


async def link(act: Act) -> None:
    await linking.link(act, await _find_other(act, act.body.to, "to"))


DO: dict[str, Do] = {"merge": merge, "unmerge": unmerge, "link": link, **linking.DO}
CHECKS: dict[str, Do] = {"merge": check_merge, "link": check_link}
