"""A chat claimed by telephone number: a code by SMS proves the number, and opens the chat on another device too."""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import ForeignKey, Select, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from channels.phone_call import normal_number
from channels.webchat import WebChat, record
from channels.webchat.requests import Refused
from core import audit, clock, persons, queues
from core import conversation as conversations
from core.conversation import Conversation, Resident
from core.db import UTC, Base, EncryptedText
from core.errors import Conflict, HuiyinError, Invalid, TooMany, Unauthenticated
from core.message import Address, OutboundMessage
from service import clients
from service.api.endpoint import RUNTIME, problem
from service.runtime import Runtime
from service.texts import say

LASTS = timedelta(minutes=10)
NOT_SOONER = timedelta(seconds=60)
MAX_TRIES, MAX_SENT = 5, 5
HOUR = timedelta(hours=1)


class WebChatClaim(Base):
    """A session whose owner says, or has proven, that a telephone is his."""

    __tablename__ = "webchat_claim"

    session_id: Mapped[str] = mapped_column(ForeignKey("webchat_session.id"), primary_key=True)
    phone_digest: Mapped[str] = mapped_column(index=True)
    phone: Mapped[str] = mapped_column(EncryptedText)
    code_digest: Mapped[str]
    tries: Mapped[int]
    sent: Mapped[int]
    sent_at: Mapped[datetime] = mapped_column(UTC)
    proven_at: Mapped[datetime | None] = mapped_column(UTC)


def routes() -> list[web.RouteDef]:
    base = "/channels/webchat/sessions/{session}/claim"
    return [web.post(base, _answering(_send_code)), web.post(base + "/confirm", _answering(_confirm))]


def _answering(work: Any) -> Any:
    """Only for the session's own token; errors as problem details."""

    async def view(request: web.Request) -> web.StreamResponse:
        runtime = request.app[RUNTIME]
        channel = runtime.channels["webchat", "web"]
        assert isinstance(channel, WebChat)
        try:
            try:
                name = await channel.authorised(request)
            except Refused as error:
                raise Unauthenticated(error.detail) from None
            answer, status = await work(runtime, request, name, await _read(request))
            return web.json_response(answer, status=status)
        except HuiyinError as error:
            return problem(error)

    return view


async def _read(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Invalid("send an object", "body")
    return body


async def _send_code(
    runtime: Runtime, request: web.Request, name: str, body: dict[str, Any]
) -> tuple[dict[str, Any], int]:
    """`{phone}` → 202; the code goes out by SMS, never back to the browser."""
    if runtime.settings.sms.kind == "off":
        raise Conflict("这里暂时不能发短信，请直接留言。")
    phone = normal_number(str(body.get("phone") or ""))
    if not phone.startswith("+"):
        raise Invalid("请填写能收短信的手机号。", "phone")
    clients.count_try(runtime, request, "progress")
    now, code = clock.now(), f"{secrets.randbelow(1_000_000):06}"
    async with runtime.db.writing() as session:
        await _limit(runtime, session, name, phone, now)
        await _remember(runtime, session, name, phone, code, now)
        text = say("claim_code", code=code, office=runtime.office.name)
        message = OutboundMessage("sms", "main", phone, text, "notice")
        queues.enqueue(session, message, now, deadline_at=now + LASTS)
    runtime.news.notify("outbox")
    return {"sent": True, "valid_s": int(LASTS.total_seconds())}, 202


async def _limit(runtime: Runtime, session: AsyncSession, name: str, phone: str, now: datetime) -> None:
    """One code a minute, five for a session, five an hour for a telephone, whoever asks."""
    known = await session.get(WebChatClaim, name)
    if known and now - known.sent_at < NOT_SOONER:
        raise TooMany("验证码刚刚发过，请一分钟后再试。", int(NOT_SOONER.total_seconds()))
    sent = select(func.coalesce(func.sum(WebChatClaim.sent), 0)).where(
        WebChatClaim.phone_digest == runtime.db.keys.digest(phone), WebChatClaim.sent_at > now - HOUR
    )
    if (known and known.sent >= MAX_SENT) or (await session.scalar(sent) or 0) >= MAX_SENT:
        raise TooMany("这个号码收到的验证码太多了，请过一小时再试。", int(HOUR.total_seconds()))


async def _remember(
    runtime: Runtime, session: AsyncSession, name: str, phone: str, code: str, now: datetime
) -> None:
    row = await session.get(WebChatClaim, name)
    if row is None:
        row = WebChatClaim(session_id=name, sent=0)
        session.add(row)
    digest = runtime.db.keys.digest(phone)
    if row.phone_digest != digest:
        row.proven_at = None
    row.phone, row.phone_digest = phone, digest
    row.code_digest, row.tries, row.sent, row.sent_at = _digest(runtime, name, phone, code), 0, row.sent + 1, now


def _digest(runtime: Runtime, name: str, phone: str, code: str) -> str:
    return runtime.db.keys.digest(f"claim/{name}/{phone}/{code}")


async def _confirm(
    runtime: Runtime, request: web.Request, name: str, body: dict[str, Any]
) -> tuple[dict[str, Any], int]:
    """`{code}` → the number is his. `earlier` opens the chat he had under it before, if there was one."""
    code, now = str(body.get("code") or "").strip(), clock.now()
    clients.count_try(runtime, request, "progress")
    async with runtime.db.writing() as session:
        row = await session.get(WebChatClaim, name)
        if row is None or row.sent_at < now - LASTS or not await _count_try(session, row):
            raise Conflict("验证码已失效，请重新获取。")
        right = hmac.compare_digest(row.code_digest, _digest(runtime, name, row.phone, code))
        if right:
            row.proven_at, row.code_digest = now, ""
            await _learn(session, name, row, now)
            earlier = await _open_earlier(session, row, now)
    if not right:  # After the transaction: a wrong try must be counted.
        raise Invalid("验证码不对，请核对短信。", "code")
    return {"proven": True, "earlier": earlier}, 200


async def _count_try(session: AsyncSession, row: WebChatClaim) -> bool:
    changed = await session.execute(
        update(WebChatClaim)
        .where(WebChatClaim.session_id == row.session_id, WebChatClaim.tries < MAX_TRIES,
               WebChatClaim.code_digest != "")
        .values(tries=WebChatClaim.tries + 1)
        .execution_options(synchronize_session=False)
    )
    await session.refresh(row)
    return bool(changed.rowcount)  # type: ignore[attr-defined]


async def _learn(session: AsyncSession, name: str, row: WebChatClaim, now: datetime) -> None:
    """The resident of this chat has this telephone: replies can go there too."""
    conversation = await conversations.find_or_open(session, Address("webchat", name), "web", now)
    resident = await session.get_one(Resident, conversation.resident_id)
    resident.phone, resident.phone_digest = row.phone, row.phone_digest
    audit.record(session, now, "resident", "resident:phone_proven", f"resident:{resident.id}")
    await session.flush()
    await persons.join_by_phone(session, resident, "a code by SMS, and calls from that number", now)
    for other in await session.scalars(_proven_by_others(name, row)):
        await persons.join(session, resident, other, "a code by SMS to the same number", "system", now)


def _proven_by_others(name: str, row: WebChatClaim) -> Select[Resident]:
    """Residents of other chats whose owners proved the same number."""
    address = literal("webchat:") + WebChatClaim.session_id
    return (
        select(Resident)
        .join(Conversation, Conversation.resident_id == Resident.id)
        .join(WebChatClaim, Conversation.address == address)
        .where(
            WebChatClaim.phone_digest == row.phone_digest, WebChatClaim.proven_at.is_not(None),
            WebChatClaim.session_id != name,
        )
    )


async def _open_earlier(session: AsyncSession, row: WebChatClaim, now: datetime) -> dict[str, str] | None:
    """A token for the newest other chat whose owner proved the same number."""
    query = (
        select(WebChatClaim.session_id)
        .where(
            WebChatClaim.phone_digest == row.phone_digest, WebChatClaim.session_id != row.session_id,
            WebChatClaim.proven_at.is_not(None),
        )
        .order_by(WebChatClaim.proven_at.desc())
        .limit(1)
    )
    name = await session.scalar(query)
    return {"session": name, "token": await record.add_key(session, name, now)} if name else None
