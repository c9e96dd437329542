"""Which verbs are offered: what the lifecycle allows this actor, less what would be refused."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ticketing.delivery import has_reached, newest_replies
from ticketing.lifecycle import VERBS, State, Verb
from ticketing.model import Reply, Ticket
from ticketing.office import Office
from ticketing.staff import Actor
from ticketing.verbs import DO
from ticketing.visibility import may_answer, may_ask_again, may_decline, roles_on


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides about the offered verbs beside the ticket's own row."""

    delivered: bool = True
    submitted_by: str | None = None


NO_FACTS = Facts()


async def find_facts(session: AsyncSession, tickets: Sequence[Ticket]) -> dict[int, Facts]:
    """By the ticket's id; asked for in the states alone where they matter."""
    answered = [ticket.id for ticket in tickets if ticket.state in (State.REPLIED, State.CLOSED)]
    waiting = [ticket.id for ticket in tickets if ticket.state == State.IN_APPROVAL]
    delivered, replies = await _delivered(session, answered), await newest_replies(session, waiting)
    found = {ticket.id: NO_FACTS for ticket in tickets}
    found |= {ticket_id: Facts(delivered=ticket_id in delivered) for ticket_id in answered}
    return found | {ticket_id: Facts(submitted_by=reply.submitted_by) for ticket_id, reply in replies.items()}


async def _delivered(session: AsyncSession, ticket_ids: Sequence[int]) -> set[int]:
    """Those of which a reply of this round reached the resident."""
    if not ticket_ids:
        return set()
    reached = has_reached(Reply.ticket_id == Ticket.id, Reply.round == Ticket.round)
    return set(await session.scalars(select(Ticket.id).where(Ticket.id.in_(ticket_ids), reached)))


def allowed_verbs(office: Office, actor: Actor, ticket: Ticket, facts: Facts = NO_FACTS) -> list[str]:
    """The verbs this actor can use on the ticket as it stands."""
    roles = roles_on(actor, ticket)
    return [
        row.name for row in VERBS.values()
        if row.name in DO and ticket.state in row.sources and roles & row.who
        and _makes_sense(office, actor, row, ticket, facts)
    ]


def _makes_sense(office: Office, actor: Actor, row: Verb, ticket: Ticket, facts: Facts) -> bool:
    """Verbs that wait for something are offered only when it is there, and not to whom they would be refused."""
    needs = {
        "grant_return": ticket.return_open,
        "refuse_return": ticket.return_open,
        "request_return": not ticket.return_open,
        "refuse_extension": ticket.extension_asked is not None,
        "ask_supplement": not ticket.supplement_open and may_ask_again(actor, ticket),
        "decline": may_decline(actor, ticket, office.self_approval),
        "send_back": ticket.state != State.REGISTERED or ticket.decline_asked is not None,
        "answer_directly": may_answer(actor, ticket),
        "approve": office.self_approval or facts.submitted_by != actor.name,
        "close": facts.delivered,
        "follow_up": facts.delivered,
        "unlink": ticket.lead_id is not None,
        "sign_for": office.preset.sign_for,
    }
    return needs.get(row.name, True)
