"""A reply, from its draft to everybody whom it answers: the resident himself, those merged with his matter or linked to it."""

import re

from sqlalchemy import update

from core.conversation import Resident
from core.privacy import mask, mask_name
from ticketing import letters
from ticketing.lifecycle import OPEN, State
from ticketing.model import COPY_ROUND, Letter, Reply, Ticket
from ticketing.staff import SYSTEM
from ticketing.verbs.act import Act
from ticketing.verbs.kin import linked_to, merged_into

ON_PAPER = frozenset({"letter", "collection"})
"""Who wants the answer on paper gets a letter for a word said at the counter too."""
TOKEN = re.compile(r"<(PHONE|ID|CARD|EMAIL)_\d+>")
SHARES = OPEN - {State.APPROVED}
"""Where a linked ticket is given the lead's answer: one that has its own on the way keeps it."""


async def add_reply(
    act: Act, text: str, action_taken: str | None = None, findings: str | None = None
) -> Reply:
    reply = Reply(
        ticket_id=act.ticket.id,
        round=act.ticket.round,
        text=await act.hide(text),
        action_taken=await act.hide(action_taken) if action_taken else None,
        findings=findings,
        submitted_by=act.actor.name,
        submitted_at=act.now,
    )
    act.session.add(reply)
    await act.session.flush()
    return reply


async def send_reply(act: Act, reply: Reply, on_paper: bool = True) -> None:
    """On its way along the delivery plan, to residents of merged and linked tickets too; `on_paper`: with a 答复书."""
    reply.approved_at, reply.approved_by = act.now, act.actor.name
    await act.session.flush()
    text = await act.reveal(reply.text)
    await act.tell("reply", "reply", reply, await _write_reply(act, reply, on_paper), text=text)
    for ticket in await merged_into(act.session, act.ticket):
        await _send_to_merged(act, reply, ticket, on_paper)
    await share_with_all(act, reply, on_paper)


async def _write_reply(act: Act, reply: Reply, on_paper: bool) -> Letter | None:
    """The 答复书, where one is owed or the resident asked for paper."""
    if not on_paper and act.ticket.reply_by not in ON_PAPER:
        return None
    return await letters.make_for_reply(act.session, act.office, act.ticket, reply, act.now)


async def words_for(act: Act, reply: Reply, ticket: Ticket) -> str:
    """The reply's words for another ticket: nothing personal of the first resident where it is somebody else's."""
    text = await act.reveal(reply.text)
    return text if ticket.resident_id == act.ticket.resident_id else await without_person(act, text)


async def _send_to_merged(act: Act, reply: Reply, ticket: Ticket, on_paper: bool) -> None:
    """A merged ticket's resident gets the words in a reply of his own, so that its page and its call are his too.

    Nothing personal of the first resident is in it, and its delivery says nothing of the first one's.
    """
    other = Act(act.session, act.office, act.actor, ticket, act.verb, act.body, act.now)
    text = await words_for(act, reply, ticket)
    own = await add_reply(other, text)
    if ticket.resident_id == act.ticket.resident_id:
        own.attachments = reply.attachments
    own.round, own.submitted_by, own.submitted_at = COPY_ROUND, reply.submitted_by, reply.submitted_at
    own.approved_at, own.approved_by = reply.approved_at, reply.approved_by
    await act.session.flush()
    await other.tell("reply", "reply", own, await _write_reply(other, own, on_paper), text=text)


async def without_person(act: Act, text: str) -> str:
    """The text with what is personal of the ticket's resident masked."""
    resident = await act.session.get_one(Resident, act.ticket.resident_id)
    for name in (resident.name, *((spoken_for or {}).get("name") for spoken_for in (act.ticket.on_behalf_of, resident.on_behalf_of))):
        if name and len(name) > 1:
            text = text.replace(name, mask_name(name))
    # A token whose value was erased would become the other resident's value.
    return TOKEN.sub("（已隐去）", mask(text))


async def share_with_all(act: Act, reply: Reply, on_paper: bool) -> None:
    """The lead's answer goes out: to everybody whose ticket waits for it."""
    for ticket in await linked_to(act.session, act.ticket, Ticket.state.in_(SHARES), lock=True):
        await share(act, reply, ticket, on_paper)


async def share(act: Act, reply: Reply, ticket: Ticket, on_paper: bool = True) -> None:
    """The same words as this ticket's own reply: its page, its call-back and its proof are its resident's alone."""
    own_act = Act(act.session, act.office, SYSTEM, ticket, "share_reply", None, act.now)
    await act.session.execute(
        update(Reply).where(Reply.ticket_id == ticket.id, Reply.round == ticket.round, Reply.approved_at.is_(None))
        .values(withdrawn_at=act.now).execution_options(synchronize_session="fetch")
    )
    own = await add_reply(own_act, await words_for(act, reply, ticket), None, reply.findings)
    own.same_as_id, own.submitted_by, own.submitted_at = reply.id, reply.submitted_by, reply.submitted_at
    if ticket.resident_id == act.ticket.resident_id:
        own.attachments = reply.attachments
    ticket.supplement_open = False
    await own_act.move(State.APPROVED, changes={"reply_of": [None, act.ticket.number]})
    await send_reply(own_act, own, on_paper)
    own.approved_by = reply.approved_by
