"""Phone: calls come in as turns or as a vendor's transcript; going out, a person makes the call."""

import asyncio
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from channels.base import Attempt, Capabilities, PermanentFailure, Sent
from channels.http import TooLarge, bearer, problem, read_body, refuse
from channels.phone_call import Call, read_call
from channels.recordings import WatchedFolder
from channels.transcripts import Turn, Unreadable
from core import clock, log
from core.db import UTC, Base, Database
from core.inbox_writer import InboxWriter
from core.message import InboundMessage, OutboundMessage

MAX_BODY = 20 * 1024 * 1024
"""iFlytek spends 30 KB on a minute of speech."""

_log = log.logger(__name__)


class PhoneCall(Base):
    """A version of a call that was stored: by its id and content, and by what makes it the same call."""

    __tablename__ = "phone_call"

    call_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    """Keyed digest of caller, start and every word."""
    fingerprint: Mapped[str] = mapped_column(unique=True)
    at: Mapped[datetime] = mapped_column(UTC)


def turns_of(text: str, facts: dict[str, Any]) -> list[Turn]:
    """The turns of a stored call: its words are the lines of the (encrypted) text, the rest is in the facts."""
    lines = text.split("\n")
    return [
        Turn(item["speaker"], item["start_s"], item["end_s"], line)
        for item, line in zip(facts["turns"], lines, strict=True)
    ]


class Phone:
    """The one phone line; `account` is always `main`."""

    name = "phone"
    account = "main"
    capabilities = Capabilities(
        max_chars=None, media=(), window=None, carries=(), announces=(), pushes=False, idempotent_send=False,
        proof="the agent's turn, or a call logged as reached",
    )

    def __init__(
        self, token: SecretStr, writer: InboxWriter, db: Database, watch_dir: Path | None = None
    ) -> None:
        """An empty `token` keeps the address closed. `watch_dir` is where a recorder leaves its files."""
        self._token = token
        self._writer = writer
        self._db = db
        self._folder = WatchedFolder(watch_dir, self.take, self.put_aside) if watch_dir else None
        self._watching: asyncio.Task[None] | None = None

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.post("/channels/phone/calls", self._receive)]

    def secrets(self) -> list[str]:
        secret = self._token.get_secret_value()
        return [secret] if secret else []

    async def start(self) -> None:
        if self._folder:
            self._watching = asyncio.create_task(self._folder.watch())

    async def close(self) -> None:
        if self._watching:
            self._watching.cancel()

    async def send(self, message: OutboundMessage, attempt: Attempt) -> Sent:
        raise PermanentFailure("nobody is called by a machine: the call-back task is the next step")

    async def forget(self, session: AsyncSession, value: str) -> None:
        """Only keyed digests are kept here."""

    async def take(self, call: Call) -> str:
        """Store a call: `stored`, `seen_before`, or `new_version` of a call whose content has changed."""
        fingerprint = self._digest(call.caller, call.started_at, *_words(call))
        digest = self._digest(call.caller, call.started_at, *map(repr, call.turns))
        async with self._db.reading() as session:
            known = await session.scalar(
                select(func.count()).where(PhoneCall.fingerprint == fingerprint).select_from(PhoneCall)
            )
            versions = await session.scalar(
                select(func.count()).where(PhoneCall.call_id == call.call_id).select_from(PhoneCall)
            )
        if known or (versions and call.named_by_bytes):
            return "seen_before"
        version = (versions or 0) + 1
        row = {"call_id": call.call_id, "digest": digest, "fingerprint": fingerprint, "at": clock.now()}

        async def remember(session: AsyncSession, _inbox_id: int) -> None:
            session.add(PhoneCall(**row))
            await session.flush()

        try:
            stored = await self._writer.put(_message(call, digest, version), also=remember)
        except IntegrityError:  # the same call came a second time in the same moment
            return "seen_before"
        if not stored.new:
            return "seen_before"
        return "stored" if version == 1 else "new_version"

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        right, given = self._token.get_secret_value(), bearer(request)
        if not right or not hmac.compare_digest(right.encode(), given.encode("utf-8", "replace")):
            return refuse(self.name, self.account, 401, "token", "Send phone.token as a Bearer token.")
        try:
            raw = await read_body(request, MAX_BODY)
        except TooLarge:
            return refuse(self.name, self.account, 413, "too_large", "A call has at most 20 MB.")
        try:
            return await self._store(raw)
        except Exception as error:  # whatever keeps it from the disk: the sender must try again
            _log.error("not_stored", channel=self.name, error=type(error).__name__)
            return problem(500, "not stored", "The call could not be stored: send it again.")

    async def _store(self, raw: bytes) -> web.Response:
        try:
            call = read_call(raw)
        except Unreadable as error:
            await self.put_aside(raw, str(error))
            return refuse(self.name, self.account, 422, "unreadable", f"{error}. The body was kept for a person.")
        status = await self.take(call)
        return web.json_response(
            {"call_id": call.call_id, "status": status}, status=200 if status == "seen_before" else 202
        )

    async def put_aside(self, raw: bytes, error: str) -> None:
        """Keep what cannot be read for a person."""
        await self._writer.put_aside(_unreadable(raw), error)

    def _digest(self, *parts: object) -> str:
        return self._db.keys.digest("\x1f".join(map(str, parts)))


def _words(call: Call) -> Iterable[str]:
    return (turn.text for turn in call.turns)


def _message(call: Call, digest: str, version: int) -> InboundMessage:
    turns = [{"speaker": turn.speaker, "start_s": turn.start_s, "end_s": turn.end_s} for turn in call.turns]
    return InboundMessage(
        channel="phone",
        account="main",
        external_id=f"{call.call_id}:{digest}",
        sender=call.caller or f"unknown-{call.call_id}",
        text="\n".join(_words(call)),
        received_at=clock.now(),
        in_reply_to=call.call_id if version > 1 else None,
        raw=call.raw,
        facts={
            "call_id": call.call_id,
            "caller_known": bool(call.caller),
            "started_at": call.started_at.isoformat(),
            "version": version,
            "turns": turns,
            "recording": call.recording,
        },
    )


def _unreadable(raw: bytes) -> InboundMessage:
    digest = hashlib.sha256(raw).hexdigest()[:32]
    return InboundMessage("phone", "main", f"unreadable:{digest}", "unknown", "", clock.now(), raw=raw)
