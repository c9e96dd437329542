"""Residents' pages: the chat, one's progress, one reply. They work without JavaScript, but for the chat."""

import hmac
import re
from typing import Any
from urllib.parse import urlencode

import aiohttp_jinja2
from aiohttp import web
from sqlalchemy import select

from core import clock
from core import conversation as conversations
from core.attachments import StoredFile, files_of
from core.conversation import Resident
from core.errors import TooMany
from core.targets import parse_target
from service import clients, delivery, delivery_plan, letter_paper, notice_board
from service import letters as letter_ways
from service.api.attachments import serve_file
from service.api.endpoint import RUNTIME
from service.api.letters import serve as serve_sheet
from service.runtime import Runtime
from service.texts import say
from ticketing import clock_words, green_channel, letters, views, visits
from ticketing.model import Letter, Reply, Ticket
from ticketing.staff import Actor
from ticketing.visits import VisitStatus

NUMBER = re.compile(r"HY\d{8}-\d{5,}")
LONGEST_TOKEN = 200
WRONG_PAIR = "没有查到。请核对工单号和查询码（或登记电话的后四位）。"


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", home),
        web.get("/green-channel", show_green_channel),
        web.get("/progress", progress),
        web.post("/progress", progress),
        web.get("/r/{token}", read_reply),
        web.get("/r/{token}/letter.{form:pdf|txt}", read_letter_sheet),
        web.get(r"/r/{token}/files/{id:\d+}", read_reply_file),
    ]


def render(request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
    """A residents' page: in the type size that was chosen, with nothing loaded from elsewhere."""
    runtime = request.app[RUNTIME]
    large = request.query.get("large", request.cookies.get("large", "0")) == "1"
    other_size = urlencode({**request.query, "large": "0" if large else "1"})
    values |= {"office": runtime.office.name, "large": large, "other_size": other_size}
    response = aiohttp_jinja2.render_template(template, request, values, status=status)
    if "large" in request.query:
        response.set_cookie("large", "1" if large else "0", max_age=365 * 86400, samesite="Lax")
    response.headers["Content-Security-Policy"] = (
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


async def home(request: web.Request) -> web.Response:
    runtime = request.app[RUNTIME]
    notices = await notice_board.read(runtime, clock.now())
    return render(
        request, "home.html", notices=notices, can_claim=runtime.settings.sms.kind != "off",
        welcome=say("welcome", office=runtime.office.name),
        privacy=say("privacy_notice", office=runtime.office.name),
    )


async def show_green_channel(request: web.Request) -> web.Response:
    """绿色通道: who is entitled, by what proof, to what."""
    entries = green_channel.describe(request.app[RUNTIME].office)
    for entry in entries:
        entry["limit"] = parse_target(entry["limit"]).chinese if entry["limit"] else None
    return render(request, "green_channel.html", entries=entries)


async def progress(request: web.Request) -> web.Response:
    """Number and code (or the last digits of the phone); a wrong pair looks like an unknown number."""
    number, code = request.query.get("number", "").strip().upper()[:40], ""
    if request.method == "POST":
        form = await request.post()
        number, code = str(form.get("number", "")).strip().upper(), str(form.get("code", "")).strip().upper()
    if request.method != "POST" or not number:
        return render(request, "progress.html", number=number, ticket=None, error=None)
    runtime = request.app[RUNTIME]
    try:
        clients.count_try(runtime, request, "progress")
    except TooMany as error:
        response = render(request, "progress.html", 429, number=number, ticket=None, error=error.detail)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    found = await _find_progress(runtime, number, code)
    if found is None:
        return render(request, "progress.html", 404, number=number, ticket=None, error=WRONG_PAIR)
    return render(request, "progress.html", number=number, error=None, **found)


async def _find_progress(runtime: Runtime, number: str, code: str) -> dict[str, Any] | None:
    if not NUMBER.fullmatch(number):
        return None
    async with runtime.db.reading() as session:
        ticket = await session.scalar(select(Ticket).where(Ticket.number == number))
        if ticket is None:
            return None
        resident = await session.get_one(Resident, ticket.resident_id)
        keys = [ticket.code or "", re.sub(r"\D", "", resident.phone or "")[-4:]]
        if not any(len(key) >= 4 and hmac.compare_digest(key.encode(), code.encode()) for key in keys):
            return None
        actor = Actor("resident", frozenset({"resident"}), None, ticket.resident_id)
        described = await views.describe(session, runtime.office, actor, ticket, clock.now())
        papers = [
            {"title": item["title"], "number": item["number"], "token": letter_ways.token(runtime, item["id"])}
            for item in described["letters"] if item["void_at"] is None
        ]
        promise = await clock_words.promise(session, ticket)
        trips = [
            item | {"token": visits.token(runtime.db.keys, item["id"])}
            for item in described["visits"] if item["status"] != VisitStatus.CANCELLED
        ]
        return {"ticket": described, "promise": promise, "papers": papers, "trips": trips}


async def read_reply_file(request: web.Request) -> web.StreamResponse:
    """A file of a reply, for who has the reply's link."""
    runtime, token = request.app[RUNTIME], request.match_info["token"]
    reply_id = delivery_plan.read_reply_token(runtime, token) if len(token) <= LONGEST_TOKEN else None
    wanted = int(request.match_info["id"][:18])
    async with runtime.db.reading() as session:
        reply = await session.get(Reply, reply_id) if reply_id else None
        known = reply is not None and reply.withdrawn_at is None and {"id": wanted} in reply.attachments
        row = await session.get(StoredFile, wanted) if known else None
        session.expunge_all()
    return serve_file(runtime, row) if row and row.path else render(request, "missing.html", 404)


async def read_reply(request: web.Request) -> web.Response:
    """One reply in full. Opening it is what delivers a reply that was only announced."""
    runtime, now = request.app[RUNTIME], clock.now()
    token = request.match_info["token"]
    if len(token) > LONGEST_TOKEN:
        return render(request, "missing.html", 404)
    if letter_id := letter_ways.read_token(runtime, token):
        return await _show_letter(request, letter_id)
    reply_id = delivery_plan.read_reply_token(runtime, token)
    if reply_id is None:
        return render(request, "missing.html", 404)
    async with runtime.db.writing() as session:
        reply = await session.get(Reply, reply_id)
        if reply is None:
            return render(request, "missing.html", 404)
        ticket = await session.get_one(Ticket, reply.ticket_id)
        withdrawn = reply.withdrawn_at is not None
        text = "" if withdrawn else await conversations.reveal(session, ticket.resident_id, reply.text)
        if not withdrawn and request.method == "GET":
            await delivery.open_reply(runtime, session, reply_id, now)
        files = {} if withdrawn else await files_of(session, [item["id"] for item in reply.attachments])
        listed = [{"name": row.name, "id": row.id, "kb": max(1, row.size // 1024)} for row in files.values()]
        letter = None if withdrawn else await letters.of_reply(session, reply_id)
        at = clock.local(reply.approved_at or now).strftime("%Y年%m月%d日")
    return render(
        request, "reply.html", withdrawn=withdrawn, number=ticket.number, text=text, at=at, files=listed, token=token,
        letter=letter,
    )


async def _show_letter(request: web.Request, letter_id: int) -> web.Response:
    """A letter's page, for who has its link. Opening it is what delivers a letter that was only announced."""
    runtime, now = request.app[RUNTIME], clock.now()
    async with runtime.db.writing() as session:
        letter = await session.get(Letter, letter_id)
        if letter is None:
            return render(request, "missing.html", 404)
        sheet = await letters.lay_out(session, runtime.office, letter)
        if request.method == "GET":
            await letter_ways.open_page(session, letter_id, now)
    return render(request, "letter.html", sheet=sheet, token=request.match_info["token"], void=letter_paper.VOID)


async def read_letter_sheet(request: web.Request) -> web.StreamResponse:
    """The sheet of a letter, for who has its link or that of its reply."""
    runtime, token = request.app[RUNTIME], request.match_info["token"][:LONGEST_TOKEN]
    letter_id, reply_id = letter_ways.read_token(runtime, token), delivery_plan.read_reply_token(runtime, token)
    async with runtime.db.reading() as session:
        letter = await session.get(Letter, letter_id) if letter_id else None
        letter = await letters.of_reply(session, reply_id) if reply_id else letter
        sheet = await letters.lay_out(session, runtime.office, letter) if letter else None
    return await serve_sheet(sheet, request.match_info["form"]) if sheet else render(request, "missing.html", 404)


