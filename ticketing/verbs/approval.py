"""The reply on its way: submit, send back, approve, and the system's own reply."""

from sqlalchemy import update

from core.errors import Conflict, Forbidden, Invalid
from core.queues import Outbox, Result, Status
from ticketing.delivery import is_delivered, newest_reply
from ticketing.model import Measure, Reply
from ticketing.verbs.act import Act, Do
from ticketing.verbs.intake import add_reply, open_tasks, send_reply

NEEDS_FINDINGS = frozenset({"complaint", "report"})


async def check_submit(act: Act) -> None:
    if act.ticket.kind in NEEDS_FINDINGS and act.body.findings is None:
        raise Invalid("findings: a complaint or a report needs upheld, partly_upheld or not_upheld", "findings")


async def submit(act: Act) -> None:
    """What was done and what is to be told; straight on where the category needs no approval."""
    if await open_tasks(act, "joint"):
        raise Conflict("a joint task is still open: wait for the other department's answer")
    reply = await add_reply(act, act.body.reply, act.body.action_taken, act.body.findings)
    for item in act.body.measures:
        act.session.add(
            Measure(ticket_id=act.ticket.id, what=await act.hide(item.what), owner=item.owner, due_on=item.due_on)
        )
    if act.office.preset.needs_approval(act.ticket.category):
        await act.move("in_approval")
        return
    await act.move("approved")
    await send_reply(act, reply)


async def current_reply(act: Act) -> Reply:
    """The newest reply of this round that was not withdrawn."""
    reply = await newest_reply(act.session, act.ticket)
    if reply is None:
        raise Conflict("there is no reply to decide on: it must be submitted first")
    return reply


async def send_back(act: Act) -> None:
    """Not like this. What was not delivered yet is stopped; what was announced says that it was withdrawn."""
    if act.ticket.state == "approved" and await is_delivered(act.session, act.ticket):
        raise Conflict("the reply has reached the resident: redo is the way back now")
    reply = await current_reply(act)
    reply.withdrawn_at = act.now
    await act.session.execute(
        update(Outbox)
        .where(Outbox.reply_id == reply.id, Outbox.status.in_((Status.TODO, Status.SET_ASIDE)))
        .values(status=Status.DONE, result=Result.FAILED, last_error="the reply was sent back")
        .execution_options(synchronize_session=False)
    )
    await act.move("in_progress", reason=act.body.reason)


async def may_approve(act: Act) -> None:
    reply = await newest_reply(act.session, act.ticket)
    if reply is not None and reply.submitted_by == act.actor.name and not act.office.self_approval:
        raise Forbidden("nobody approves his own submission: another supervisor decides")


async def approve(act: Act) -> None:
    reply = await current_reply(act)
    await act.move("approved")
    await send_reply(act, reply)


DO: dict[str, Do] = {"submit": submit, "send_back": send_back, "approve": approve}
MAY: dict[str, Do] = {"approve": may_approve}
CHECKS: dict[str, Do] = {"submit": check_submit}
