"""The console for staff: sign in by a one-time link or password, the queue, one ticket, conversations, call-backs.

Pages call the same functions as the API and send what a form holds as that verb's body; the verbs a ticket
shows are its `allowed`, their fields come from the bodies that the API checks.
"""

import functools
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp_jinja2
from aiohttp import web
from sqlalchemy import func, select

from core import audit, clock, queues
from core import conversation as conversations
from core.attachments import files_of
from core.conversation import Conversation, Holder, Message, Resident
from core.errors import HuiyinError, Invalid, NotFound, TooMany
from core.message import storable
from core.queues import Inbox, Outbox, Row, Status
from service import clients, presence, sign_in
from service.api import attachments, queue_rows
from service.api import conversations as api_conversations
from service.api.endpoint import RUNTIME, reading_on_record
from service.api.weights import READERS as KEEPERS
from service.runtime import Runtime
from service.words import KINDS, OUTCOMES, STATES, describe_error
from ticketing import bulk, callbacks, saved_views, search, staff_notices, views
from ticketing import staff as staff_table
from ticketing.lifecycle import VERBS
from ticketing.staff import Actor
from ticketing.views import Reader, write_time
from ticketing.visibility import hides_person

REFRESH_S = 5
PAGE = 50
EDITING = frozenset({"editor", "supervisor", "auditor"})
"""Who reads the questions that stayed open."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in member of staff looking at a page."""

    runtime: Runtime
    request: web.Request
    me: Actor
    form_token: str
    now: datetime

    async def render(self, template: str, *, status: int = 200, refresh: int = 0, **values: Any) -> web.Response:
        async with self.runtime.db.reading() as session:
            waiting = await session.scalar(
                select(func.count()).where(Conversation.holder == Holder.STAFF, Conversation.taken_by.is_(None))
            )
            unread = await staff_notices.count_unread(session, self.me.name)
        values |= {
            "me": self.me, "form_token": self.form_token, "office": self.runtime.office.name,
            "waiting": waiting, "unread": unread, "refresh": refresh, "editing": EDITING,
            "keeping": KEEPERS,
        }
        values.setdefault("error", self.request.query.get("error"))
        return secure(aiohttp_jinja2.render_template(f"staff/{template}", self.request, values, status=status))


def secure(response: web.Response) -> web.Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; "
        "base-uri 'none'; form-action 'self'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


View = Callable[[Visit], Awaitable[web.StreamResponse]]


def signed_in(view: View) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Only for those who signed in; a form must carry the session's own token; an error is shown where it arose."""

    @functools.wraps(view)
    async def handle(request: web.Request) -> web.StreamResponse:
        runtime, now = request.app[RUNTIME], clock.now()
        async with runtime.db.reading() as session:
            found = await sign_in.find_session(session, request.cookies.get(sign_in.COOKIE, ""), now)
        if found is None:
            raise web.HTTPSeeOther("/staff/sign-in")
        visit = Visit(runtime, request, staff_table.actor_of(found[1]), found[0].form_token, now)
        if request.method != "POST":
            return await view(visit)
        form = await request.post()
        if not hmac.compare_digest(str(form.get("form_token", "")).encode(), visit.form_token.encode()):
            raise web.HTTPForbidden(text="this form is not from your own session: reload the page")
        try:
            return await view(visit)
        except HuiyinError as error:
            back = request.headers.get("X-Back") or request.path.rsplit("/", 1)[0]
            raise web.HTTPSeeOther(f"{back}?{urlencode({'error': describe_error(error)})}") from None

    return handle


# Signing in


async def show_enter(request: web.Request) -> web.Response:
    """The link is shown as a button first: link previews of chat programs must not use it up."""
    runtime = request.app[RUNTIME]
    values = {"token": request.query.get("token", ""), "office": runtime.office.name}
    return secure(aiohttp_jinja2.render_template("staff/enter.html", request, values))


async def enter(request: web.Request) -> web.Response:
    runtime, now = request.app[RUNTIME], clock.now()
    form = await request.post()
    try:
        clients.count_try(runtime, request, "sign_in")
    except TooMany as error:
        return _sign_in_page(request, error.detail, 429)
    async with runtime.db.writing() as session:
        token = await sign_in.enter(session, str(form.get("token", "")), now)
    if token is None:
        return _sign_in_page(request, "这个链接已经用过或过期。请管理员运行 huiyin staff reset 姓名。", 403)
    return _with_cookie(request, token)


async def show_sign_in(request: web.Request) -> web.Response:
    return _sign_in_page(request, None, 200)


async def sign_in_by_password(request: web.Request) -> web.Response:
    runtime, now = request.app[RUNTIME], clock.now()
    form = await request.post()
    try:
        clients.count_try(runtime, request, "sign_in")
    except TooMany as error:
        return _sign_in_page(request, error.detail, 429)
    name = str(form.get("name", ""))
    async with runtime.db.reading() as session:
        known = await staff_table.check_password(session, name, str(form.get("password", "")))
    if not known:
        return _sign_in_page(request, "姓名或密码不对。", 403)
    async with runtime.db.writing() as session:
        token = await sign_in.open_session(session, name, now)
    return _with_cookie(request, token)


def _sign_in_page(request: web.Request, error: str | None, status: int) -> web.Response:
    values = {"error": error, "office": request.app[RUNTIME].office.name}
    return secure(aiohttp_jinja2.render_template("staff/sign_in.html", request, values, status=status))


def _with_cookie(request: web.Request, token: str) -> web.Response:
    response = web.HTTPSeeOther("/staff/")
    is_https = request.app[RUNTIME].settings.web.public_url.startswith("https://")
    response.set_cookie(
        sign_in.COOKIE, token, httponly=True, samesite="Strict", secure=is_https, path="/",
        max_age=int(sign_in.SESSION_LASTS.total_seconds()),
    )
    raise response


@signed_in
async def leave(visit: Visit) -> web.StreamResponse:
    async with visit.runtime.db.writing() as session:
        await sign_in.close_session(session, visit.request.cookies.get(sign_in.COOKIE, ""), visit.now)
    raise web.HTTPSeeOther("/staff/sign-in")


# Tickets


@signed_in
async def queue(visit: Visit) -> web.StreamResponse:
    view = visit.request.query.get("view", "")
    chosen = {name: value for name, value in visit.request.query.items() if name in search.FILTERS and value}
    async with reading_on_record(visit.runtime.db) as session:
        query = (await saved_views.filters_of(session, visit.me, view) if view else {}) | chosen
        found = await search.list_tickets(
            session, visit.me, query, PAGE, visit.request.query.get("after"), visit.now
        )
        items = [
            await views.describe(session, visit.runtime.office, visit.me, ticket, visit.now)
            for ticket in found.tickets
        ]
        views_ = await saved_views.offer(session, visit.me)
    return await visit.render(
        "queue.html", items=items, query=query, next=found.next, refresh=REFRESH_S, view=view, views=views_,
        next_query=urlencode(query | {"after": found.next or ""}), states=STATES.items(), kinds=KINDS.items(),
        departments={item.code: item.name for item in visit.runtime.office.preset.departments},
        may_share=bool(visit.me.roles & saved_views.SHARERS),
        many=[(verb, VERBS[verb].chinese) for verb in bulk.BULK_VERBS],
    )


async def list_messages(session: Any, conversation_id: int | None, masked: bool) -> list[dict[str, Any]]:
    """A ticket's conversation; a masked resident's words stay with their tokens."""
    if conversation_id is None:
        return []
    conversation = await session.get_one(Conversation, conversation_id)
    query = select(Message).where(Message.conversation_id == conversation_id).order_by(Message.seq.desc())
    rows = list((await session.scalars(query.limit(200))).all())[::-1]
    found = await files_of(session, [item["id"] for row in rows for item in row.attachments])
    files = {file_id: api_conversations.describe_file(file) for file_id, file in found.items()}
    return [
        {
            "from": row.author,
            "at": write_time(row.at),
            "text": row.text if masked else await conversations.reveal(session, conversation.resident_id, row.text),
            "files": [files[item["id"]] for item in row.attachments if item["id"] in files],
            "mail": row.inbox_id if conversation.address.startswith("email:") and not masked else None,
        }
        for row in rows
    ]


# Conversations


def _talks(actor: Actor) -> Any:
    return api_conversations.visible(actor)


@signed_in
async def list_conversations(visit: Visit) -> web.StreamResponse:
    async with visit.runtime.db.reading() as session:
        query = (
            select(Conversation)
            .where(Conversation.holder == Holder.STAFF, _talks(visit.me))
            .order_by(Conversation.taken_by.is_not(None), Conversation.waiting_since)
        )
        items = [api_conversations.describe(row) for row in await session.scalars(query.limit(PAGE))]
    return await visit.render("conversations.html", items=items, refresh=REFRESH_S)


async def _conversation(visit: Visit, session: Any) -> Conversation:
    text = visit.request.match_info["id"]
    row = await session.scalar(
        select(Conversation).where(Conversation.id == int(text[:18]), _talks(visit.me))
    )
    if row is None:
        raise web.HTTPNotFound(text="没有这个会话，或者您不能查看。")
    return row  # type: ignore[no-any-return]


@signed_in
async def show_conversation(visit: Visit) -> web.StreamResponse:
    async with reading_on_record(visit.runtime.db) as session:
        row = await _conversation(visit, session)
        masked = row.id in await api_conversations.confidential_among(session, [row.id])
        if masked:
            masked = not api_conversations.may_see_person(session, visit.me, row.id, visit.now)
        messages = await list_messages(session, row.id, masked)
        described = api_conversations.describe(row, masked)
        if not masked:
            described["summary"] = await conversations.reveal(session, row.resident_id, row.summary or "")
    return await visit.render("conversation.html", c=described, messages=messages, refresh=REFRESH_S)


@signed_in
async def act_on_conversation(visit: Visit) -> web.StreamResponse:
    deed = visit.request.match_info["deed"]
    form = await visit.request.post()
    async with visit.runtime.db.writing() as session:
        row = await _conversation(visit, session)
        if not visit.me.roles & api_conversations.SPEAKERS:
            raise Invalid("接待居民需要坐席角色，请联系管理员。")
        if deed == "take":
            await api_conversations.take_over(session, row, visit.me, visit.now)
        elif deed == "give_back":
            await api_conversations.hand_back(session, row, visit.me, visit.now)
        elif deed == "typing":
            await presence.show_typing(visit.runtime, row)
            return web.Response(status=204)
        elif text := storable(str(form.get("text", "")).strip()):
            await api_conversations.speak_as_staff(session, row, visit.me, text, visit.now)
    visit.runtime.news.notify("outbox")
    raise web.HTTPSeeOther(f"/staff/conversations/{row.id}")


@signed_in
async def read_file(visit: Visit) -> web.StreamResponse:
    """A file of a conversation this member of staff may see."""
    try:
        return await attachments.respond(visit.runtime, visit.me, visit.request.match_info["id"])
    except HuiyinError as error:
        raise web.HTTPNotFound(text=error.detail) from None


# What waits for a person


@signed_in
async def list_callbacks(visit: Visit) -> web.StreamResponse:
    async with reading_on_record(visit.runtime.db) as session:
        items = []
        for row, ticket in await callbacks.list_open(session, visit.me):
            resident = await session.get_one(Resident, ticket.resident_id)
            reader = Reader(session, ticket, hides_person(visit.me, ticket))
            if ticket.confidential and not reader.hidden:
                audit.record(session, visit.now, visit.me.name, "resident:read", f"ticket:{ticket.number}")
            items.append(
                {"id": row.id, "ticket": ticket.number, "text": await reader.text(row.text),
                 "way": ticket.reply_by or "call",
                 "calls": await callbacks.attempts_at(session, row.id),
                 "resident_name": "为居民保密" if reader.hidden else resident.name,
                 "phone": "请由坐席拨打" if reader.hidden else resident.phone}
            )
        session.expunge_all()
    return await visit.render("callbacks.html", items=items, outcomes=OUTCOMES.items())


@signed_in
async def finish_callback(visit: Visit) -> web.StreamResponse:
    form = await visit.request.post()
    outcome = str(form.get("outcome", "")) or None
    body = {"reached": "reached" in form, "outcome": outcome, "note": storable(str(form.get("note", "")))}
    async with visit.runtime.db.writing() as session:
        await callbacks.done(
            session, visit.runtime.office, visit.me, int(visit.request.match_info["id"][:18]), body, visit.now
        )
    raise web.HTTPSeeOther("/staff/callbacks")


@signed_in
async def list_aside(visit: Visit) -> web.StreamResponse:
    rows: list[dict[str, Any]] = []
    if visit.me.roles & {"clerk", "administrator"}:
        rows = await _aside(visit, Inbox, "inbox", "来信") + await _aside(visit, Outbox, "outbox", "去信")
    return await visit.render("aside.html", rows=rows)


async def _aside(visit: Visit, table: type[Row], name: str, way: str) -> list[dict[str, Any]]:
    async with visit.runtime.db.reading() as session:
        seen = queue_rows.visible(visit.me, table)
        query = select(table).where(table.status == Status.SET_ASIDE, seen).order_by(table.id.desc()).limit(PAGE)
        return [
            {"queue": name, "way": way, "id": row.id, "channel": row.channel, "account": row.account,
             "at": write_time(row.created_at), "error": row.last_error or "", "text": row.text or _raw(row)}
            for row in await session.scalars(query)
        ]


def _raw(row: Inbox | Outbox) -> str:
    return row.raw[:400].decode("utf-8", "replace") if isinstance(row, Inbox) else ""


@signed_in
async def try_again(visit: Visit) -> web.StreamResponse:
    if not visit.me.roles & {"clerk", "administrator"}:
        raise Invalid("再试一次需要坐席或管理员角色。")
    name, row_id = visit.request.match_info["queue"], int(visit.request.match_info["id"][:18])
    table: queues.Queue = {"inbox": Inbox, "outbox": Outbox}[name]  # type: ignore[assignment]
    async with visit.runtime.db.writing() as session:
        known: Any = select(table.id).where(table.id == row_id, queue_rows.visible(visit.me, table))
        if await session.scalar(known) is None:
            raise NotFound("没有这条消息，或者您不能查看。")
        await queues.replay(session, table, row_id, visit.now)
        audit.record(session, visit.now, visit.me.name, f"{name}:replay", f"{name}:{row_id}")
    visit.runtime.news.notify(name)
    raise web.HTTPSeeOther("/staff/aside")


def routes() -> list[web.RouteDef]:
    return [
        web.get("/staff/enter", show_enter),
        web.post("/staff/enter", enter),
        web.get("/staff/sign-in", show_sign_in),
        web.post("/staff/sign-in", sign_in_by_password),
        web.post("/staff/leave", leave),
        web.get("/staff", _to_queue),
        web.get("/staff/", queue),
        web.get("/staff/conversations", list_conversations),
        web.get(r"/staff/conversations/{id:\d+}", show_conversation),
        web.post(r"/staff/conversations/{id:\d+}/{deed:take|give_back|messages|typing}", act_on_conversation),
        web.get(r"/staff/attachments/{id:\d+}", read_file),
        web.get("/staff/callbacks", list_callbacks),
        web.post(r"/staff/callbacks/{id:\d+}", finish_callback),
        web.get("/staff/aside", list_aside),
        web.post(r"/staff/aside/{queue:inbox|outbox}/{id:\d+}", try_again),
    ]


async def _to_queue(request: web.Request) -> web.Response:
    raise web.HTTPSeeOther(request.rel_url.with_path("/staff/", keep_query=True))


