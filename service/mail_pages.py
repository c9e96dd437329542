"""The whole mail behind a message: all its text, quotations included, and the mail as it came."""

import asyncio
from typing import Any

from aiohttp import web
from sqlalchemy import select

from channels.email.parse import Mail, Unparsable, parse_mail
from core.conversation import Conversation
from core.queues import Inbox
from service.api import conversations as api_conversations
from service.api import queue_rows
from service.api.endpoint import reading_on_record
from service.staff_page import Page, signed_in


def routes() -> list[web.RouteDef]:
    return [
        web.get(r"/staff/mails/{id:\d+}", show_mail),
        web.get(r"/staff/mails/{id:\d+}/raw", download_mail),
    ]


@signed_in
async def show_mail(page: Page) -> web.StreamResponse:
    """Everything a reader would see in a mail program, as text."""
    row = await _find(page)
    try:
        mail: Mail | None = await asyncio.to_thread(parse_mail, row.raw, "")
    except Unparsable:
        mail = None
    files = [{"name": file.name, "size": len(file.content)} for file in mail.files] if mail else []
    text = mail.whole if mail else row.raw[:20_000].decode("utf-8", "replace")
    return await page.render("mail.html", row=row, mail=mail, text=text, files=files, at=row.received_at.isoformat())


@signed_in
async def download_mail(page: Page) -> web.StreamResponse:
    """The mail as it came, for a mail program; never shown by the browser."""
    row = await _find(page)
    headers = {"Content-Disposition": f'attachment; filename="mail-{row.id}.eml"', "X-Content-Type-Options": "nosniff"}
    return web.Response(body=row.raw, content_type="application/octet-stream", headers=headers)


async def _find(page: Page) -> Inbox:
    """A mail of a conversation that this member of staff may read in clear, or one that was set aside."""
    row_id = int(page.request.match_info["id"][:18])
    async with reading_on_record(page.runtime.db) as session:
        row: Inbox | None = await session.get(Inbox, row_id)
        if row is None or row.channel != "email" or not row.raw or not await _may_read(page, session, row):
            raise web.HTTPNotFound(text="没有这封邮件，或者您不能查看。")
        session.expunge(row)
        return row


async def _may_read(page: Page, session: Any, row: Inbox) -> bool:
    if row.conversation_id is None:
        seen = select(Inbox.id).where(Inbox.id == row.id, queue_rows.visible(page.me, Inbox))
        return bool(page.me.roles & {"clerk", "administrator"}) and await session.scalar(seen) is not None
    seen = select(Conversation.id).where(
        Conversation.id == row.conversation_id, api_conversations.visible(page.me)
    )
    if await session.scalar(seen) is None:
        return False
    confidential = await api_conversations.confidential_among(session, [row.conversation_id])
    return not confidential or api_conversations.may_see_person(session, page.me, row.conversation_id, page.now)
