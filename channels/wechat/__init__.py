"""WeChat official accounts: the callback in, customer-service messages and template notices out."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import (
    Attempt,
    Capabilities,
    PassiveReplies,
    PermanentFailure,
    SendError,
    Sent,
    WindowClosed,
)
from channels.files import MAX_BYTES, FileStore
from channels.text import split_text, with_choices
from channels.wechat import budget
from channels.wechat.api import Api
from channels.wechat.callback import FITS, Callback, Pace
from channels.wechat.ledger import SOON_S, Ledger
from channels.wechat.replay import drop_old_nonces
from channels.wechat.settings import MenuItem, WeChatAccount
from channels.wechat.tables import WeChatNonce, WeChatPart, WeChatToken, WeChatWindow
from core import clock
from core.db import Database
from core.inbox_writer import InboxWriter
from core.message import Attachment, OutboundMessage

__all__ = [
    "NOTICE", "MenuItem", "Pace", "WeChat", "WeChatAccount", "WeChatNonce", "WeChatPart", "WeChatToken", "WeChatWindow",
]

NOTICE = "wechat_notice"
"""The step that announces: a template message with the link."""

_KEEP_PARTS = timedelta(days=7)


class WeChat:
    """One official account."""

    name = "wechat"

    def __init__(
        self,
        account: str,
        settings: WeChatAccount,
        writer: InboxWriter,
        db: Database,
        http: aiohttp.ClientSession,
        passive: PassiveReplies,
        pace: Pace | None = None,
        files: FileStore | None = None,
    ) -> None:
        """`http` is shared and closed by its owner. A slower or faster `pace` is for tests.

        `files` is where the bytes of outgoing attachments lie.
        """
        self.account = account
        self.capabilities = Capabilities(
            max_chars=600,
            media=("image", "audio", "video"),
            window=timedelta(hours=48),
            carries=("wechat",),
            announces=(NOTICE,) if settings.pushes and settings.notice_template else (),
            pushes=settings.pushes,
            idempotent_send=False,
            proof="errcode 0, or the written passive reply; a notice: its link was opened",
        )
        self._settings = settings
        self._db = db
        self._files = files
        self._api = Api(account, settings, db, http)
        self._ledger = Ledger(account, db)
        self._callback = Callback(account, settings, writer, db, passive, self._ledger, pace or Pace())
        self._tidying: asyncio.Task[None] | None = None

    def routes(self) -> Iterable[web.RouteDef]:
        path = f"/channels/wechat/{quote(self.account)}"
        return [web.get(path, self._callback.confirm_address), web.post(path, self._callback.receive)]

    def secrets(self) -> list[str]:
        settings = self._settings
        kept = (settings.app_secret, settings.token, settings.aes_key, settings.old_token, settings.old_aes_key)
        return [secret.get_secret_value() for secret in kept if secret.get_secret_value()]

    async def start(self) -> None:
        self._tidying = asyncio.create_task(self._tidy_again_and_again())

    async def close(self) -> None:
        if self._tidying:
            self._tidying.cancel()
        await self._ledger.close()

    async def send(self, message: OutboundMessage, attempt: Attempt) -> Sent:
        """Step `wechat` carries the text in parts, step `wechat_notice` announces it by the template."""
        if not self._settings.pushes:
            raise WindowClosed("this account has no customer-service interface: the text waits for a message")
        if attempt.step == NOTICE:
            return await self._announce(message, attempt)
        return await self._carry(message, attempt)

    async def left(self, openid: str, now: datetime) -> int | None:
        """How many messages may still go to a follower now, for merging; None when only WeChat knows."""
        await self._ledger.flush()
        async with self._db.reading() as session:
            return await budget.left(session, self.account, openid, now)

    async def typing(self, openid: str) -> None:
        """Show that somebody is writing. It is a courtesy: a failure is nobody's concern."""
        try:
            await self._api.post("/cgi-bin/message/custom/typing", {"touser": openid, "command": "Typing"})
        except SendError:
            return

    async def fetch(self, attachment: Attachment, limit: int = MAX_BYTES) -> bytes:
        """The bytes of what a resident sent, from `api_base` alone. Raises one of the three errors."""
        if not attachment.media_id:
            raise PermanentFailure("the platform named no file")
        return await self._api.media(attachment.media_id, limit)

    async def forget(self, session: AsyncSession, value: str) -> None:
        self._ledger.forget(value)
        await budget.forget(session, self.account, value)

    async def _carry(self, message: OutboundMessage, attempt: Attempt) -> Sent:
        """The text in parts, then each file the platform can show; every part costs one message of the budget."""
        shown = [file for file in message.attachments if self._files and file.path and _kind_of(file)]
        text = with_choices(_name_others(message, shown), message.choices)
        parts: list[str | Attachment] = [*split_text(text, FITS), *shown]
        async with self._db.reading() as session:
            sent = await budget.sent_parts(session, attempt.outbox_id)
        if not await self._has_left(message.recipient, len(parts) - len(sent)):
            raise WindowClosed("the resident must write first: this needs more messages than WeChat still allows")
        for number, part in enumerate(parts):
            if number not in sent:
                body = _say(part) if isinstance(part, str) else await self._show(part)
                sent[number] = await self._send_part(message.recipient, body, attempt, number)
        return Sent(sent.get(0))

    async def _show(self, file: Attachment) -> dict[str, Any]:
        """The platform must have a file before it can be sent."""
        assert self._files and file.path
        kind, path = _kind_of(file), self._files.locate(file.path)
        content = await asyncio.to_thread(path.read_bytes)
        media_id = await self._api.upload(kind, file.name, file.type, content)
        return {"msgtype": kind, kind: {"media_id": media_id}}

    async def _has_left(self, openid: str, count: int) -> bool:
        """Looks twice: another process may be about to note that the resident has just written."""
        for pause_s in (3 * SOON_S, 0):
            left = await self.left(openid, clock.now())
            if left is None or left >= count:
                return True
            await asyncio.sleep(pause_s)
        return False

    async def _send_part(self, openid: str, body: dict[str, Any], attempt: Attempt, number: int) -> str:
        """The interface gives no id for a message, so the row and the part are its name."""
        answer = await self._api.post("/cgi-bin/message/custom/send", {"touser": openid, **body})
        platform_id = str(answer.get("msgid") or f"custom:{attempt.outbox_id}:{number}")
        async with self._db.writing() as session:
            await budget.spend(
                session, self.account, openid, attempt.outbox_id, number, platform_id, clock.now()
            )
        return platform_id

    async def _announce(self, message: OutboundMessage, attempt: Attempt) -> Sent:
        if not self._settings.notice_template:
            raise PermanentFailure("no notice_template is set for this account")
        body: dict[str, Any] = {
            "touser": message.recipient,
            "template_id": self._settings.notice_template,
            "client_msg_id": f"huiyin-{attempt.outbox_id}",
            "data": {
                key: {"value": _fitting(key, attempt.notice.get(value, ""))}
                for key, value in self._settings.notice_fields.items()
            },
        }
        if message.link:
            body["url"] = message.link
        answer = await self._api.post("/cgi-bin/message/template/send", body)
        return Sent(str(answer.get("msgid") or body["client_msg_id"]), announced=True)

    async def _tidy_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(600)
            now = clock.now()
            async with self._db.writing() as session:
                await drop_old_nonces(session, now)
                await session.execute(delete(WeChatPart).where(WeChatPart.at < now - _KEEP_PARTS))


def _say(text: str) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": text}}


UPLOADS = {"image/jpeg": ("image", 10), "image/png": ("image", 10), "image/gif": ("image", 10),
           "audio/amr": ("voice", 2), "audio/mpeg": ("voice", 2), "video/mp4": ("video", 10)}
"""What customer-service messages can show: the platform's word for it, and the largest size in MB.

https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/New_temporary_materials.html
"""


def _kind_of(file: Attachment) -> str:
    """The platform's word for such a file; "" where it cannot show it."""
    kind, largest = UPLOADS.get(file.type, ("", 0))
    return kind if file.size <= largest * 1024 * 1024 else ""


def _name_others(message: OutboundMessage, shown: list[Attachment]) -> str:
    """Files that cannot be shown here are named, with the page where they can be read."""
    others = [file.name for file in message.attachments if file not in shown]
    if not others:
        return message.text
    where = f"，请在这里查看：{message.link}" if message.link else "，请到窗口领取"
    return f"{message.text}\n附件：{'、'.join(others)}{where}"


def _fitting(key: str, value: str) -> str:
    """Values of the newer templates' `thing` fields are refused when longer than twenty characters."""
    return value if not key.startswith("thing") or len(value) <= 20 else value[:19] + "…"
