"""The callback: check, store, then acknowledge; answer within the request where that can be done in time."""

import asyncio
import hashlib
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from channels.base import PassiveReplies, PassiveReply
from channels.http import TooLarge, problem, read_body, refuse
from channels.text import split_text, with_choices, within
from channels.wechat.ledger import Ledger
from channels.wechat.parse import Unreadable, expects_answer, parse
from channels.wechat.replay import Nonces, Tries, pair_of
from channels.wechat.seal import CannotOpen, Forged, Opened, Seal, render_reply
from channels.wechat.settings import WeChatAccount
from core import clock, log
from core.db import Database
from core.inbox_writer import InboxWriter, Stored
from core.message import InboundMessage
from core.queues import Inbox

MAX_BODY = 1024 * 1024
FITS = within(600, 2048)
"""The platform's limit is 2048 bytes; 600 characters are the longest text its own clients show at once."""

_log = log.logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a request may stay open: the platform hangs up after five seconds."""

    store_s: float = 3.8
    answer_s: float = 3.8
    hold_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request with its message: what every step of the answer needs."""

    request: web.Request
    opened: Opened
    message: InboundMessage
    now: datetime
    started: float


class Callback:
    """One account's callback."""

    def __init__(
        self,
        name: str,
        account: WeChatAccount,
        writer: InboxWriter,
        db: Database,
        passive: PassiveReplies,
        ledger: Ledger,
        pace: Pace,
    ) -> None:
        self._name = name
        self._account = account
        self._seal = Seal(account)
        self._ledger = ledger
        self._nonces = Nonces(name, db)
        self._tries = Tries()
        self._writer = writer
        self._db = db
        self._passive = passive
        self._pace = pace

    async def confirm_address(self, request: web.Request) -> web.StreamResponse:
        """GET: the platform's check that this address is ours."""
        try:
            self._seal.check(request.query, clock.now())
        except Forged as error:
            return self._refuse(403, error.reason)
        return web.Response(text=request.query.get("echostr", ""))

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """POST: one message or event. Never `success` before it is on disk."""
        now, started = clock.now(), asyncio.get_running_loop().time()
        try:
            body = await read_body(request, MAX_BODY)
            opened = self._seal.open(request.query, body, now)
            if not opened.is_covered:
                await self._refuse_replay(request.query, body, now)
        except TooLarge:
            return self._refuse(413, "too_large")
        except Forged as error:
            return self._refuse(403, error.reason)
        except CannotOpen as error:
            return await self._keep_aside(body, str(error), now)
        try:
            message = parse(opened.body, self._name, now)
        except Unreadable as error:
            return await self._keep_aside(opened.body, str(error), now)
        return await self._take(Arrival(request, opened, message, now, started))

    async def _take(self, arrival: Arrival) -> web.StreamResponse:
        waits = expects_answer(arrival.message)
        expected = waits and self._account.pushes and self._passive.expect(self._name)
        open_s = self._pace.answer_s if expected else None
        if waits and not self._account.pushes:
            open_s = self._pace.hold_s * 3
        stored = await self._store(self._writer.put(arrival.message, passive_s=open_s), arrival.started)
        if stored is None:
            return self._try_again()
        if stored.new and waits:
            kind = "message" if arrival.message.event is None else "event"
            self._ledger.note_window(arrival.message.sender, kind, arrival.now)
        if not waits:
            return _success()
        if not self._account.pushes:
            return await self._answer_or_hold(arrival, stored)
        if stored.new and expected:
            return await self._answer_in_time(arrival, stored)
        return _success()

    async def _refuse_replay(self, query: Mapping[str, str], body: bytes, now: datetime) -> None:
        """A plain message's signature says nothing about the body, so a pair counts for one body only."""
        new = await self._nonces.check(query, body, now)
        if new:
            self._ledger.note_nonce(*pair_of(query), new, now)

    async def _store(self, storing: Awaitable[Stored], started: float) -> Stored | None:
        """None when the message is not on disk in time: then the platform shall try again."""
        spare = started + self._pace.store_s - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(spare, 0.1)):
                return await storing
        except Exception as error:  # a full disk, a lost database, a time-out: all the same to the platform
            _log.error("not_stored", channel="wechat", account=self._name, error=type(error).__name__)
            return None

    async def _keep_aside(self, body: bytes, error: str, now: datetime) -> web.StreamResponse:
        digest = hashlib.sha256(body).hexdigest()[:32]
        message = InboundMessage(
            "wechat", self._name, f"unreadable:{digest}", "unknown", "", received_at=now, raw=body
        )
        started = asyncio.get_running_loop().time()
        stored = await self._store(self._writer.put_aside(message, error), started)
        return _success() if stored else self._try_again()

    async def _answer_in_time(self, arrival: Arrival, stored: Stored) -> web.StreamResponse:
        """A service account: the answer if it is ready soon, else `success` and a message of its own later."""
        reply = await self._passive.wait(stored.id, arrival.started + self._pace.answer_s)
        if reply is None:
            return _success()
        if not FITS(with_choices(reply.text, reply.choices)):
            await reply.give_back()
            return _success()
        return await self._give(arrival, reply)

    async def _answer_or_hold(self, arrival: Arrival, stored: Stored) -> web.StreamResponse:
        """No customer-service interface: each of three tries is a chance, the last is acknowledged."""
        first_seen = None if stored.new else await self._first_seen(stored.id)
        attempt = self._tries.count(arrival.message.external_id, first_seen, arrival.now)
        reply = None if stored.new else await self._passive.stored_reply(stored.id)
        if reply is None:
            open_s = self._pace.answer_s if attempt == 3 else self._pace.hold_s
            reply = await self._passive.wait(stored.id, arrival.started + open_s)
        if reply is None and attempt == 3:
            reply = await self._passive.stored_reply(stored.id)
        if reply is not None:
            return await self._give(arrival, reply)
        return _success() if attempt == 3 else await self._hang_up(arrival)

    async def _give(self, arrival: Arrival, reply: PassiveReply) -> web.StreamResponse:
        """Write the reply as the response; its proof is that it was written."""
        request = arrival.request
        text, unsaid = _first_part(with_choices(reply.text, reply.choices))
        xml = render_reply(
            text, arrival.message.sender, arrival.message.facts["to"], arrival.now, arrival.opened,
            request.query.get("nonce", ""),
        )
        response = web.Response(text=xml, content_type="application/xml")
        try:
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError
            await response.prepare(request)
            await response.write_eof()
        except (ConnectionError, asyncio.CancelledError):
            await asyncio.shield(reply.give_back())
            raise
        await asyncio.shield(reply.confirm(unsaid))
        return response

    async def _hang_up(self, arrival: Arrival) -> web.StreamResponse:
        """Unanswered, until the platform gives up by itself; then closed without a word."""
        spare = arrival.started + self._pace.hold_s - asyncio.get_running_loop().time()
        await asyncio.sleep(max(spare, 0))
        if arrival.request.transport is not None:
            arrival.request.transport.abort()
        return web.Response(status=503)

    async def _first_seen(self, inbox_id: int) -> datetime:
        async with self._db.reading() as session:
            return (await session.get_one(Inbox, inbox_id)).created_at

    def _refuse(self, status: int, reason: str) -> web.Response:
        return refuse("wechat", self._name, status, reason, DETAILS[status])

    def _try_again(self) -> web.Response:
        return problem(500, "not stored", "The message could not be stored: send it again.")


DETAILS: Mapping[int, str] = {
    403: "Sign with the account's token, within ten minutes, and encrypt as its mode demands.",
    413: "A message of the platform has less than 1 MB.",
}


def _first_part(text: str) -> tuple[str, str]:
    first, *rest = split_text(text, FITS)
    return first, "\n".join(rest)


def _success() -> web.Response:
    return web.Response(text="success")
