"""Visits in the console: a ticket's visits and what can be done with them, and a day's visits to be printed."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy import select

from core import clock
from core.attachments import StoredFile
from core.checking import check_body
from core.errors import HuiyinError, Invalid
from core.message import storable
from service.api.visits import DEEDS, start_of
from service.desk_pages import keep_upload
from service.staff_page import Page, signed_in
from ticketing import tickets, visit_desk
from ticketing.model import Ticket
from ticketing.reader import keeps_tokens, readers_of
from ticketing.views import describe_visit
from ticketing.visibility import visible
from ticketing.visit_bodies import Window
from ticketing.visit_desk import Deed
from ticketing.visits import Visit

MOST = 500


def routes() -> list[web.RouteDef]:
    return [
        web.get("/staff/visits", list_day),
        web.post("/staff/tickets/{number}/visits", plan),
        web.post(r"/staff/tickets/{number}/visits/{id:\d+}/{deed:" + "|".join(DEEDS) + "}", act),
    ]


@signed_in
async def list_day(page: Page) -> web.StreamResponse:
    """Who goes where on a day; today, where none is named."""
    today = clock.local(page.now).date().isoformat()
    try:
        begin = start_of(page.request.query.get("on") or today)
    except Invalid:
        begin = start_of(today)
    query = select(Visit, Ticket).join(Ticket, Ticket.id == Visit.ticket_id).where(
        visible(page.me), Visit.starts_at >= begin, Visit.starts_at < begin + timedelta(days=1)
    )
    async with page.runtime.db.reading() as session:
        rows = (await session.execute(query.order_by(Visit.worker, Visit.starts_at).limit(MOST))).all()
        readers = await readers_of(session, [(ticket, keeps_tokens(page.me, ticket)) for _, ticket in rows])
        items = [
            describe_visit(visit, ticket, page.me, readers[ticket.id])
            | {"title": ticket.title, "place": ticket.place}
            for visit, ticket in rows
        ]
    return await page.render("visit_day.html", items=items, on=begin.date().isoformat())


@signed_in
async def plan(page: Page) -> web.StreamResponse:
    form = await page.request.post()
    number = page.request.match_info["number"]
    try:
        body = check_body(Window, _window(form))
        async with page.runtime.db.writing() as session:
            ticket = await tickets.find_visible(session, page.me, number)
            visit_desk.check_role(page.me, ticket)
            await visit_desk.plan(session, page.runtime.office, page.me, ticket, body, page.now)
    except HuiyinError as error:
        raise _back(number, error) from None
    page.runtime.news.notify("outbox")
    raise _back(number)


def _window(form: Any) -> dict[str, str]:
    """Date and hours as a browser's fields give them, on the office's clock."""
    day, begin, end = (str(form.get(name, "")).strip() for name in ("day", "from", "to"))
    body = {"starts_at": f"{day}T{begin}:00+08:00", "ends_at": f"{day}T{end}:00+08:00"}
    return body | {
        name: storable(str(form[name]).strip()) for name in ("worker", "reason") if str(form.get(name, "")).strip()
    }


@signed_in
async def act(page: Page) -> web.StreamResponse:
    params = page.request.match_info
    form = await page.request.post()
    do, model, _ = DEEDS[params["deed"]]
    version = str(form.get("version", ""))
    try:
        files = [await keep_upload(page.runtime, item) for item in form.getall("file", []) if getattr(item, "filename", "")]
        async with page.runtime.db.writing() as session:
            visit, ticket = await visit_desk.find(session, page.me, int(params["id"][:18]))
            visit_desk.check_role(page.me, ticket)
            body: dict[str, Any] = _read(params["deed"], form)
            if params["deed"] == "finish":
                rows = [StoredFile(uploaded_by=page.me.name, name=item.name, type=item.type, size=item.size,
                                   path=item.path, at=page.now) for item in files]
                session.add_all(rows)
                await session.flush()
                body["attachments"] = [row.id for row in rows]
            seen = int(version[:9]) if version.isascii() and version.isdecimal() else None
            checked = check_body(model, body)
            await do(Deed(session, page.runtime.office, page.me, visit, ticket, checked, page.now, seen))
    except HuiyinError as error:
        raise _back(params["number"], error) from None
    page.runtime.news.notify("outbox")
    raise _back(params["number"])


def _read(deed: str, form: Any) -> dict[str, Any]:
    """What the browser sent as the deed's body; what is empty is left out."""
    if deed == "move":
        return dict(_window(form))
    body: dict[str, Any] = {}
    for name, value in form.items():
        if name in DEEDS[deed][1].model_fields and isinstance(value, str) and value.strip():
            said = storable(value.strip())
            body[name] = said == "true" if name in ("agreed", "solved") else said
    return body


def _back(number: str, error: HuiyinError | None = None) -> web.HTTPSeeOther:
    return web.HTTPSeeOther(f"/staff/tickets/{number}" + (f"?{urlencode({'error': error.detail})}" if error else ""))
