"""The console for staff: the queue, conversations, call-backs, what waits for a person.

Pages call the same functions as the API and send what a form holds as that verb's body; the verbs a ticket
shows are its `allowed`, their fields come from the bodies that the API checks.
"""

from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy import select

from core import audit, queues
from core import conversation as conversations
from core.attachments import files_of
from core.clock import write_time
from core.conversation import Conversation, Holder, Message, Resident
from core.errors import HuiyinError, Invalid, NotFound
from core.message import storable
from core.queues import Inbox, Outbox, Row, Status
from service import line, presence
from service.api import attachments, queue_rows
from service.api import conversations as api_conversations
from service.api.endpoint import reading_on_record
from service.staff_page import Page, signed_in
from service.words import KINDS, OUTCOMES, STATES
from ticketing import bulk, callbacks, saved_views, search, views
from ticketing.lifecycle import VERBS
from ticketing.reader import readers_of
from ticketing.staff import Actor
from ticketing.visibility import hides_person

REFRESH_S = 5
PAGE = 50


@signed_in
async def queue(page: Page) -> web.StreamResponse:
    view = page.request.query.get("view", "")
    chosen = {name: value for name, value in page.request.query.items() if name in search.FILTERS and value}
    async with reading_on_record(page.runtime.db) as session:
        query = (await saved_views.filters_of(session, page.me, view) if view else {}) | chosen
        found = await search.list_tickets(
            session, page.me, query, PAGE, page.request.query.get("after"), page.now
        )
        items = await views.describe_all(session, page.runtime.office, page.me, found.tickets, page.now)
        views_ = await saved_views.offer(session, page.me)
    return await page.render(
        "queue.html", items=items, query=query, next=found.next, refresh=REFRESH_S, view=view, views=views_,
        next_query=urlencode(query | {"after": found.next or ""}), states=STATES.items(), kinds=KINDS.items(),
        departments={item.code: item.name for item in page.runtime.office.preset.departments},
        may_share=bool(page.me.roles & saved_views.SHARERS),
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
async def list_conversations(page: Page) -> web.StreamResponse:
    async with page.runtime.db.reading() as session:
        query = (
            select(Conversation)
            .where(Conversation.holder == Holder.STAFF, _talks(page.me))
            .order_by(Conversation.taken_by.is_not(None), line.in_danger().desc(), Conversation.waiting_since)
        )
        items = [api_conversations.describe(row) for row in await session.scalars(query.limit(PAGE))]
    return await page.render("conversations.html", items=items, refresh=REFRESH_S)


async def _conversation(page: Page, session: Any) -> Conversation:
    text = page.request.match_info["id"]
    row = await session.scalar(
        select(Conversation).where(Conversation.id == int(text[:18]), _talks(page.me))
    )
    if row is None:
        raise web.HTTPNotFound(text="没有这个会话，或者您不能查看。")
    return row  # type: ignore[no-any-return]


@signed_in
async def show_conversation(page: Page) -> web.StreamResponse:
    async with reading_on_record(page.runtime.db) as session:
        row = await _conversation(page, session)
        masked = row.id in await api_conversations.confidential_among(session, [row.id])
        if masked:
            masked = not api_conversations.may_see_person(session, page.me, row.id, page.now)
        messages = await list_messages(session, row.id, masked)
        described = api_conversations.describe(row, masked)
        if not masked:
            described["summary"] = await conversations.reveal(session, row.resident_id, row.summary or "")
    return await page.render("conversation.html", c=described, messages=messages, refresh=REFRESH_S)


@signed_in
async def act_on_conversation(page: Page) -> web.StreamResponse:
    deed = page.request.match_info["deed"]
    form = await page.request.post()
    async with page.runtime.db.writing() as session:
        row = await _conversation(page, session)
        if not page.me.roles & api_conversations.SPEAKERS:
            raise Invalid("接待居民需要坐席角色，请联系管理员。")
        if deed == "take":
            await api_conversations.take_over(session, row, page.me, page.now)
        elif deed == "give_back":
            await api_conversations.hand_back(session, row, page.me, page.now)
        elif deed == "typing":
            await presence.show_typing(page.runtime, row)
            return web.Response(status=204)
        elif text := storable(str(form.get("text", "")).strip()):
            await api_conversations.speak_as_staff(session, row, page.me, text, page.now)
    page.runtime.news.notify("outbox")
    raise web.HTTPSeeOther(f"/staff/conversations/{row.id}")


@signed_in
async def read_file(page: Page) -> web.StreamResponse:
    """A file of a conversation this member of staff may see."""
    try:
        return await attachments.respond(page.runtime, page.me, page.request.match_info["id"])
    except HuiyinError as error:
        raise web.HTTPNotFound(text=error.detail) from None


# What waits for a person


@signed_in
async def list_callbacks(page: Page) -> web.StreamResponse:
    async with reading_on_record(page.runtime.db) as session:
        items = []
        waiting = await callbacks.list_open(session, page.me)
        readers = await readers_of(session, [(ticket, hides_person(page.me, ticket)) for _, ticket in waiting])
        tries = await callbacks.attempts_at(session, [row.id for row, _ in waiting])
        for row, ticket in waiting:
            resident = await session.get_one(Resident, ticket.resident_id)
            reader = readers[ticket.id]
            if ticket.confidential and not reader.hidden:
                audit.record(session, page.now, page.me.name, "resident:read", f"ticket:{ticket.number}")
            items.append(
                {"id": row.id, "ticket": ticket.number, "text": reader.text(row.text),
                 "way": ticket.reply_by or "call",
                 "calls": tries[row.id],
                 "resident_name": "为居民保密" if reader.hidden else resident.name,
                 "phone": "请由坐席拨打" if reader.hidden else resident.phone}
            )
        session.expunge_all()
    return await page.render("callbacks.html", items=items, outcomes=OUTCOMES.items())


@signed_in
async def finish_callback(page: Page) -> web.StreamResponse:
    form = await page.request.post()
    outcome = str(form.get("outcome", "")) or None
    body = {"reached": "reached" in form, "outcome": outcome, "note": storable(str(form.get("note", "")))}
    async with page.runtime.db.writing() as session:
        await callbacks.done(
            session, page.runtime.office, page.me, int(page.request.match_info["id"][:18]), body, page.now
        )
    raise web.HTTPSeeOther("/staff/callbacks")


@signed_in
async def list_aside(page: Page) -> web.StreamResponse:
    rows: list[dict[str, Any]] = []
    if page.me.roles & {"clerk", "administrator"}:
        rows = await _aside(page, Inbox, "inbox", "来信") + await _aside(page, Outbox, "outbox", "去信")
    return await page.render("aside.html", rows=rows)


async def _aside(page: Page, table: type[Row], name: str, way: str) -> list[dict[str, Any]]:
    async with page.runtime.db.reading() as session:
        seen = queue_rows.visible(page.me, table)
        query = select(table).where(table.status == Status.SET_ASIDE, seen).order_by(table.id.desc()).limit(PAGE)
        return [
            {"queue": name, "way": way, "id": row.id, "channel": row.channel, "account": row.account,
             "at": write_time(row.created_at), "error": row.last_error or "", "text": row.text or _raw(row)}
            for row in await session.scalars(query)
        ]


def _raw(row: Inbox | Outbox) -> str:
    return row.raw[:400].decode("utf-8", "replace") if isinstance(row, Inbox) else ""


@signed_in
async def try_again(page: Page) -> web.StreamResponse:
    if not page.me.roles & {"clerk", "administrator"}:
        raise Invalid("再试一次需要坐席或管理员角色。")
    name, row_id = page.request.match_info["queue"], int(page.request.match_info["id"][:18])
    table: queues.Queue = {"inbox": Inbox, "outbox": Outbox}[name]  # type: ignore[assignment]
    async with page.runtime.db.writing() as session:
        known: Any = select(table.id).where(table.id == row_id, queue_rows.visible(page.me, table))
        if await session.scalar(known) is None:
            raise NotFound("没有这条消息，或者您不能查看。")
        await queues.replay(session, table, row_id, page.now)
        audit.record(session, page.now, page.me.name, f"{name}:replay", f"{name}:{row_id}")
    page.runtime.news.notify(name)
    raise web.HTTPSeeOther("/staff/aside")


def routes() -> list[web.RouteDef]:
    return [
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


