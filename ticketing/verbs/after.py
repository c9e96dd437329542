"""After the reply: close, fulfil, follow up, redo, withdraw."""

from core.conversation import hide
from core.errors import Conflict, Invalid
from ticketing import joint, visits
from ticketing.delivery import is_delivered, open_callback
from ticketing.model import Measure
from ticketing.verbs.act import Act, Do
from ticketing.verbs.linking import close_with_lead, hand_on


async def close(act: Act) -> None:
    """Refused without a delivered reply; the database refuses too."""
    if not await is_delivered(act.session, act.ticket):
        raise Conflict("no reply has reached the resident: see the deliveries, or call him back")
    await act.move("closed")
    await close_with_lead(act)


async def fulfil(act: Act) -> None:
    """A promise is kept: with proof, and the resident is asked whether it is so."""
    measure = await _find_measure(act)
    if measure.fulfilled_at is not None:
        raise Conflict("this measure is fulfilled already")
    measure.fulfilled_at, measure.proof = act.now, await act.hide(act.body.note)
    await act.move(reason=act.body.note)
    await act.tell("fulfilled", "progress", what=await act.reveal(measure.what), note=act.body.note)


async def _find_measure(act: Act) -> Measure:
    measure = await act.session.get(Measure, act.body.measure)
    if measure is None or measure.ticket_id != act.ticket.id:
        raise Invalid("measure: this ticket has no such measure", "measure")
    return measure


async def check_fulfil(act: Act) -> None:
    await _find_measure(act)


async def check_follow_up(act: Act) -> None:
    if not act.body.reached and (act.body.solved is not None or act.body.satisfied is not None):
        raise Invalid("reached: who was not reached has said nothing", "reached")


async def follow_up(act: Act) -> None:
    """Reached? then solved and satisfied, asked apart. A bad rating opens a call-back; nothing loops by itself."""
    body = act.body
    if not await is_delivered(act.session, act.ticket):
        raise Conflict("no reply has reached the resident yet: there is nothing to ask about")
    comment = await hide(act.session, act.ticket.resident_id, body.comment) if body.comment else None
    if not body.reached:
        await act.move(reason=comment)
        return
    act.ticket.solved, act.ticket.satisfied = body.solved, body.satisfied
    changes = {"solved": [None, body.solved], "satisfied": [None, body.satisfied]}
    await act.move("followed_up", reason=comment, changes=changes)
    bad = body.satisfied is not None and body.satisfied < act.office.satisfied_from
    if bad or body.solved is False:
        await open_callback(
            act.session, act.office, act.ticket, None, comment or "", act.now, reason="bad_rating"
        )


async def redo(act: Act) -> None:
    """Again: a new round, whose reply must be delivered anew."""
    act.ticket.round += 1
    act.ticket.solved = act.ticket.satisfied = None
    await act.move("in_progress", reason=act.body.reason)
    await act.tell("redone", "progress", promise=await act.promise())


async def withdraw(act: Act) -> None:
    ended = await joint.end_tasks(act.session, act.office, act.ticket, act.actor.name, act.now)
    await act.move("withdrawn", reason=act.body.reason, changes=ended or None)
    await visits.cancel_open(act.session, act.office, act.ticket, "您已撤回", act.now, told=False)
    await hand_on(act)
    if act.actor.resident_id is None:
        await act.tell("withdrawn", "receipt")


DO: dict[str, Do] = {
    "close": close, "fulfil": fulfil, "follow_up": follow_up, "redo": redo, "withdraw": withdraw,
}
CHECKS: dict[str, Do] = {"fulfil": check_fulfil, "follow_up": check_follow_up}
