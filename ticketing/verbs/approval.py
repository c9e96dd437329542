"""The reply on its way: submit, send back, approve, and the system's own reply."""

from collections.abc import Sequence

from sqlalchemy import and_, delete, exists, or_, select, update

from core.attachments import take_for_reply
from core.errors import Conflict, Forbidden, Invalid
from core.queues import Outbox, Result, Status
from ticketing import drafts, letters
from ticketing.delivery import is_delivered, newest_reply
from ticketing.model import COPY_ROUND, Callback, Measure, Reply, Ticket, Transition
from ticketing.verbs.act import Act, Do
from ticketing.verbs.intake import open_tasks
from ticketing.verbs.linking import shared_copies, take_back
from ticketing.verbs.replies import add_reply, send_reply

NEEDS_FINDINGS = frozenset({"complaint", "report"})


async def check_submit(act: Act) -> None:
    if act.ticket.kind in NEEDS_FINDINGS and act.body.findings is None:
        raise Invalid("findings: a complaint or a report needs upheld, partly_upheld or not_upheld", "findings")


async def submit(act: Act) -> None:
    """What was done and what is to be told; straight on where the category needs no approval."""
    await act.hold()  # A joint task that is being given at this moment is seen, or waits and is refused.
    if await open_tasks(act, "joint"):
        raise Conflict("a joint task is still open: wait for the other department's answer")
    reply = await add_reply(act, act.body.reply, act.body.action_taken, act.body.findings)
    try:
        reply.attachments = await take_for_reply(act.session, act.body.attachments, act.actor.name, act.ticket.id)
    except ValueError as error:
        raise Invalid(f"attachments: {error} is no file you uploaded: POST /attachments first", "attachments") from None
    await drafts.save(act.session, act.actor, act.ticket, act.body, None, act.now)
    changes = await _add_measures(act)
    if act.office.preset.needs_approval(act.ticket.category):
        await act.move("in_approval", changes=changes)
        return
    await act.move("approved", changes=changes)
    await send_reply(act, reply)


async def _add_measures(act: Act) -> dict[str, list[object]] | None:
    """The measures of this draft. The record keeps which they are, so that sending it back removes no others."""
    measures = [
        Measure(ticket_id=act.ticket.id, what=await act.hide(item.what), owner=item.owner, due_on=item.due_on)
        for item in act.body.measures
    ]
    act.session.add_all(measures)
    await act.session.flush()
    return {"measures": [[], [item.id for item in measures]]} if measures else None


async def current_reply(act: Act) -> Reply:
    """The newest reply of this round that was not withdrawn."""
    reply = await newest_reply(act.session, act.ticket)
    if reply is None:
        raise Conflict("there is no reply to decide on: it must be submitted first")
    return reply


async def send_back(act: Act) -> None:
    """Not like this. What was not delivered yet is stopped; what was announced says that it was withdrawn.

    Of a registered ticket it is the refusal that is not countersigned: the clerk takes it up, or proposes it anew.
    """
    if act.ticket.state == "registered":
        await _refuse_refusal(act)
        return
    if act.ticket.state == "approved" and await is_delivered(act.session, act.ticket):
        raise Conflict("the reply has reached the resident: redo is the way back now")
    reply = await current_reply(act)
    shared = await shared_copies(act.session, reply)
    replies = [reply, *await _copies(act, [act.ticket.id, *(ticket.id for _, ticket in shared)])]
    replies += [own for own, _ in shared]
    await _stop(act, [reply.id for reply in replies])
    for reply in replies:
        reply.withdrawn_at = act.now
    await letters.withdraw(act.session, [reply.id for reply in replies], act.now)
    for own, ticket in shared:
        await take_back(act, own, ticket)
    await act.move("in_progress", reason=act.body.reason, changes=await _remove_measures(act))


async def _refuse_refusal(act: Act) -> None:
    if act.ticket.decline_asked is None:
        raise Conflict("nothing waits for a countersignature here: the clerk accepts or declines")
    changes: dict[str, list[object]] = {"decline_asked": [act.ticket.decline_asked["code"], None]}
    act.ticket.decline_asked = None
    await act.move(reason=act.body.reason, changes=changes)


async def _copies(act: Act, into: Sequence[int]) -> Sequence[Reply]:
    """What the residents of tickets merged into these were to get and have not got yet."""
    query = select(Reply).join(Ticket, Ticket.id == Reply.ticket_id)
    mine = (Ticket.merged_into_id.in_(into), Reply.round == COPY_ROUND)
    return (await act.session.scalars(query.where(*mine, Reply.delivered_at.is_(None)))).all()


async def _stop(act: Act, replies: list[int]) -> None:
    """Nothing of these replies goes out any more; Conflict while a worker has one in hand."""
    unopened = and_(Outbox.result == Result.ANNOUNCED, Outbox.opened_at.is_(None))
    await act.session.execute(
        update(Outbox)
        .where(Outbox.reply_id.in_(replies), or_(Outbox.status.in_((Status.TODO, Status.SET_ASIDE)), unopened))
        .values(status=Status.DONE, result=Result.FAILED, last_error="the reply was sent back")
        .execution_options(synchronize_session=False)
    )
    # Looked at after the update: what a worker claimed meanwhile is in his hand now, or stopped.
    in_hand = exists().where(Outbox.reply_id.in_(replies), Outbox.status == Status.DOING)
    if await act.session.scalar(select(in_hand)):
        raise Conflict("the reply is being sent at this moment: look again in a minute whether it was delivered")
    await act.session.execute(
        update(Callback)
        .where(Callback.reply_id.in_(replies), Callback.done_at.is_(None))
        .values(done_at=act.now, done_by=act.actor.name, note="答复已驳回修改，不用再打")
        .execution_options(synchronize_session=False)
    )


async def _remove_measures(act: Act) -> dict[str, list[object]] | None:
    """The draft is gone, and what it promised with it: submitting again says it anew."""
    submitted = await act.session.scalar(
        select(Transition.changes)
        .where(Transition.ticket_id == act.ticket.id, Transition.verb == "submit")
        .order_by(Transition.seq.desc())
        .limit(1)
    )
    ids = (submitted or {}).get("measures", [[], []])[1]
    if not ids:
        return None
    await act.session.execute(delete(Measure).where(Measure.ticket_id == act.ticket.id, Measure.id.in_(ids)))
    return {"measures": [ids, []]}


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
