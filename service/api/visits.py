"""Visits over the API: planned beside a ticket, and whatever is done with one."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select

from core import clock
from core.checking import Body, Day, check_body
from service.api.endpoint import Call, Endpoint, Result, cut, page
from ticketing import tickets, visit_desk
from ticketing.model import Ticket
from ticketing.reader import keeps_tokens, readers_of
from ticketing.views import describe_visit
from ticketing.visibility import visible
from ticketing.visit_bodies import Finish, Move, Price, PriceAnswer, Solved, Why, Window
from ticketing.visit_desk import Deed
from ticketing.visits import Visit

Do = Callable[[Deed], Awaitable[None]]


class Nothing(Body):
    pass


class On(Body):
    on: Day


DEEDS: dict[str, tuple[Do, type[BaseModel], str]] = {
    "move": (visit_desk.move, Move, "Another window or another worker"),
    "cancel": (visit_desk.cancel, Why, "Nobody comes; the resident reads the reason"),
    "set_out": (visit_desk.set_out, Nothing, "The worker is on the way"),
    "arrive": (visit_desk.arrive, Nothing, "The worker is at the door"),
    "miss": (visit_desk.miss, Why, "Nobody was at home"),
    "offer_price": (visit_desk.offer_price, Price, "What it costs, before work begins"),
    "answer_price": (visit_desk.answer_price, PriceAnswer, "The resident's yes or no, as it was heard"),
    "finish": (visit_desk.finish, Finish, "The work is done; with `reply` submitted at once"),
    "say_solved": (visit_desk.say_solved, Solved, "The resident's word, as it was heard"),
}


async def list_visits(call: Call) -> Result:
    """Newest first; `on` is the date on which they begin."""
    limit, after = call.limit(), call.after()
    query = select(Visit, Ticket).join(Ticket, Ticket.id == Visit.ticket_id).where(visible(call.actor))
    if worker := call.query.get("worker"):
        query = query.where(Visit.worker == worker)
    if number := call.query.get("ticket"):
        query = query.where(Ticket.number == number)
    if day := call.query.get("on"):
        begin = start_of(day)
        query = query.where(Visit.starts_at >= begin, Visit.starts_at < begin + timedelta(days=1))
    if after is not None:
        query = query.where(Visit.id < after)
    rows, more = cut((await call.session.execute(query.order_by(Visit.id.desc()).limit(limit + 1))).all(), limit)
    return page(await _describe_all(call, rows), rows[-1][0].id if rows else None, more)


def start_of(day: str) -> datetime:
    """Midnight of a date on the office's clock. Invalid when it is none."""
    on = check_body(On, {"on": day}).on
    return datetime(on.year, on.month, on.day, tzinfo=clock.ZONE)


async def _describe_all(call: Call, rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Pairs of a visit and its ticket."""
    pairs = list(rows)
    readers = await readers_of(call.session, [(ticket, keeps_tokens(call.actor, ticket)) for _, ticket in pairs])
    return [describe_visit(visit, ticket, call.actor, readers[ticket.id]) for visit, ticket in pairs]


async def describe(call: Call, visit: Visit, ticket: Ticket) -> dict[str, Any]:
    return (await _describe_all(call, [(visit, ticket)]))[0]


async def plan(call: Call) -> Result:
    ticket = await tickets.find_visible(call.session, call.actor, call.params["number"])
    visit_desk.check_role(call.actor, ticket)
    visit = await visit_desk.plan(call.session, call.runtime.office, call.actor, ticket, call.body(), call.now)
    call.after_commit += ["outbox", "tickets"]
    return Result(await describe(call, visit, ticket), 201, {"ETag": f'"{visit.version}"'})


async def read(call: Call) -> Result:
    visit, ticket = await visit_desk.find(call.session, call.actor, call.number("id"))
    return Result(await describe(call, visit, ticket), headers={"ETag": f'"{visit.version}"'})


def _make_handler(do: Do) -> Callable[[Call], Awaitable[Result]]:
    async def handle(call: Call) -> Result:
        visit, ticket = await visit_desk.find(call.session, call.actor, call.number("id"))
        visit_desk.check_role(call.actor, ticket)
        await do(
            Deed(call.session, call.runtime.office, call.actor, visit, ticket, call.body(), call.now, call.if_match)
        )
        call.after_commit += ["outbox", "tickets"]
        return Result(await describe(call, visit, ticket), headers={"ETag": f'"{visit.version}"'})

    return handle


async def list_of_ticket(call: Call) -> Result:
    ticket = await tickets.find_visible(call.session, call.actor, call.params["number"])
    rows = await call.session.scalars(select(Visit).where(Visit.ticket_id == ticket.id).order_by(Visit.id.desc()))
    return Result({"items": await _describe_all(call, [(row, ticket) for row in rows]), "next": None})


ENDPOINTS = (
    Endpoint("GET", "/visits", list_visits, "Visits", query=("ticket", "worker", "on", "limit", "after"), tag="visits"),
    Endpoint("GET", "/visits/{id}", read, "One visit", tag="visits"),
    Endpoint("GET", "/tickets/{number}/visits", list_of_ticket, "A ticket's visits", tag="visits"),
    Endpoint("POST", "/tickets/{number}/visits", plan, "Plan a visit in an agreed window", Window, session="write",
             status=201, tag="visits"),
    *(
        Endpoint("POST", f"/visits/{{id}}/{name}", _make_handler(do), summary, body, session="write", tag="visits")
        for name, (do, body, summary) in DEEDS.items()
    ),
)
