"""A visit's page for its resident: when and which number, the price and his yes, the photographs, his word."""

import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.attachments import StoredFile, files_of
from core.checking import check_body
from core.errors import Conflict, HuiyinError
from core.message import storable
from service.api.attachments import serve_file
from service.api.endpoint import RUNTIME
from service.pages import render
from service.runtime import Runtime
from service.texts import say
from ticketing import visit_desk, visits
from ticketing.model import Ticket
from ticketing.reader import reader_of
from ticketing.staff import Actor
from ticketing.visit_bodies import PriceAnswer, Solved, Why
from ticketing.visit_desk import Deed
from ticketing.visits import Visit

LONGEST_TOKEN = 200
LONGEST_ID = 18
LONGEST_WISH = 500
ON_THE_PAGE = "在页面上答复"


def routes() -> list[web.RouteDef]:
    return [
        web.get("/visits/{token}", show),
        web.post("/visits/{token}/{deed:price|solved|wish}", answer),
        web.get(r"/visits/{token}/files/{id:\d+}", read_photograph),
    ]


async def show(request: web.Request) -> web.Response:
    return await _show(request)


async def _show(request: web.Request, error: str | None = None, status: int = 200) -> web.Response:
    runtime = request.app[RUNTIME]
    async with runtime.db.reading() as session:
        found = await _find(runtime, session, request.match_info["token"])
        if found is None:
            return render(request, "missing.html", 404)
        visit, ticket = found
        reader = await reader_of(session, ticket, hidden=False)
        described = visits.describe(visit, ticket, for_staff=False, read=reader.resolve)
        photographs = await files_of(session, described["photographs"])
    return render(
        request, "visit.html", status, v=described, number=ticket.number, error=error, photographs=photographs.values(),
        can_wish=visit.status in visits.SOURCES["wish"],
        can_answer=visit.status in visits.SOURCES["answer_price"], token=request.match_info["token"],
    )


async def _find(runtime: Runtime, session: AsyncSession, token: str) -> tuple[Visit, Ticket] | None:
    number = token.partition("-")[0]
    if len(token) > LONGEST_TOKEN or not number.isascii() or not number.isdecimal() or len(number) > LONGEST_ID:
        return None
    right = visits.token(runtime.db.keys, int(number))
    if not hmac.compare_digest(right.encode(), token.encode("utf-8", "replace")):
        return None
    visit = await session.get(Visit, int(number))
    return (visit, await session.get_one(Ticket, visit.ticket_id)) if visit else None


async def answer(request: web.Request) -> web.Response:
    """What the resident says; the page he sees afterwards, or why it could not be."""
    runtime, now = request.app[RUNTIME], clock.now()
    form = {k: storable(v.strip()) for k, v in (await request.post()).items() if isinstance(v, str)}
    try:
        async with runtime.db.writing() as session:
            found = await _find(runtime, session, request.match_info["token"])
            if found is None:
                return render(request, "missing.html", 404)
            await _answer(runtime, session, *found, request.match_info["deed"], form, now)
    except Conflict:
        return await _show(request, say("visit_changed"), 409)
    except HuiyinError:
        return await _show(request, say("visit_incomplete"), 422)
    runtime.news.notify("outbox")
    raise web.HTTPSeeOther(f"/visits/{request.match_info['token']}")


async def _answer(
    runtime: Runtime, session: AsyncSession, visit: Visit, ticket: Ticket, deed: str, form: dict[str, str],
    now: datetime,
) -> None:
    """What he answers is what he saw: a price that was changed meanwhile is none he said yes to."""
    actor = Actor("resident", frozenset({"resident"}), None, ticket.resident_id)
    seen = form.get("version", "")
    if deed != "wish" and not (seen.isascii() and seen.isdecimal() and int(seen[:9]) == visit.version):
        raise Conflict("the visit is another than the page showed")
    said, text = {"yes": True, "no": False}.get(form.get("answer", "")), form.get("text", "")
    do, body = SAYS[deed](said, text)
    await do(Deed(session, runtime.office, actor, visit, ticket, body, now))


SAYS: dict[str, Callable[[bool | None, str], tuple[Callable[[Deed], Awaitable[None]], Any]]] = {
    "wish": lambda _, text: (visit_desk.wish, check_body(Why, {"reason": text[:LONGEST_WISH]})),
    "price": lambda said, _: (visit_desk.answer_price, check_body(PriceAnswer, {"agreed": said, "how": ON_THE_PAGE})),
    "solved": lambda said, text: (visit_desk.say_solved, check_body(Solved, {"solved": said, "comment": text or None})),
}
"""What the resident says on the page, as what is done with the visit; no answer at all is Invalid."""


async def read_photograph(request: web.Request) -> web.StreamResponse:
    """A photograph of the finished work, for who has the visit's link."""
    runtime, wanted = request.app[RUNTIME], int(request.match_info["id"][:LONGEST_ID])
    async with runtime.db.reading() as session:
        found = await _find(runtime, session, request.match_info["token"])
        known = found is not None and {"id": wanted} in found[0].photographs
        row = await session.get(StoredFile, wanted) if known else None
        session.expunge_all()
    return serve_file(runtime, row) if row and row.path else render(request, "missing.html", 404)
