"""Phone: calls come in as turns or as a vendor's transcript; going out, a person makes the call."""

import hashlib
import hmac
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import phonenumbers
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from channels.base import Attempt, Capabilities, PermanentFailure, Sent
from channels.http import TooLarge, bearer, problem, read_body, refuse
from channels.transcripts import Turn, Unreadable, read_transcript
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


@dataclass(frozen=True, slots=True)
class Call:
    """One call, read. `caller` is E.164, as given where it is no number, or "" where it is unknown."""

    call_id: str
    caller: str
    started_at: datetime
    turns: tuple[Turn, ...]
    raw: bytes


def read_call(raw: bytes) -> Call:
    """The body of `POST /channels/phone/calls`. Raises Unreadable with what is wrong."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON") from None
    if not isinstance(body, dict):
        raise Unreadable("the body is not an object")
    call_id, caller = body.get("call_id"), body.get("caller") or ""
    if not isinstance(call_id, str) or not 0 < len(call_id) <= 200 or not call_id.isprintable():
        raise Unreadable("call_id: 1 to 200 printable characters")
    if not isinstance(caller, str):
        raise Unreadable("caller: a phone number as text, or an empty text")
    turns = _read_turns(body["turns"]) if "turns" in body else _read_vendor(body)
    return Call(call_id, normal_number(caller), _read_moment(body.get("started_at")), tuple(turns), raw)


def _read_vendor(body: dict[str, Any]) -> list[Turn]:
    if "transcript" not in body or not isinstance(body.get("format"), str):
        raise Unreadable("turns, or format and transcript")
    return read_transcript(body["format"], body["transcript"])


def _read_turns(items: Any) -> list[Turn]:
    if not isinstance(items, list) or not items:
        raise Unreadable("turns: a list of {speaker, start_s, end_s, text}")
    return [_read_turn(number, item) for number, item in enumerate(items)]


def _read_turn(number: int, item: Any) -> Turn:
    if not isinstance(item, dict) or item.get("speaker") not in ("caller", "agent"):
        raise Unreadable(f"turn {number}: speaker is caller or agent")
    if not isinstance(item.get("text"), str):
        raise Unreadable(f"turn {number}: text is missing")
    times = [item.get(name) for name in ("start_s", "end_s")]
    for value in times:
        number_ok = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if value is not None and not number_ok:
            raise Unreadable(f"turn {number}: start_s and end_s are seconds")
    return Turn(item["speaker"], times[0], times[1], " ".join(item["text"].split()))


def _read_moment(value: Any) -> datetime:
    """RFC 3339; a time without a zone is the office's own."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Unreadable("started_at: a moment such as 2026-11-26T09:00:00+08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=clock.ZONE)


def normal_number(text: str) -> str:
    """E.164 where it is a phone number here, else as it was given."""
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return text.strip()
    if not phonenumbers.is_possible_number(number):
        return text.strip()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


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
        max_chars=None, media=(), window=None, carries=(), announces=(), pushes=False, idempotent_send=False
    )

    def __init__(self, token: SecretStr, writer: InboxWriter, db: Database) -> None:
        """An empty `token` keeps the address closed."""
        self._token = token
        self._writer = writer
        self._db = db

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.post("/channels/phone/calls", self._receive)]

    def secrets(self) -> list[str]:
        secret = self._token.get_secret_value()
        return [secret] if secret else []

    async def start(self) -> None:
        """Nothing runs in the background."""

    async def close(self) -> None:
        """Nothing is open."""

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
        if known:
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
            await self._writer.put_aside(_unreadable(raw), str(error))
            return refuse(self.name, self.account, 422, "unreadable", f"{error}. The body was kept for a person.")
        status = await self.take(call)
        return web.json_response(
            {"call_id": call.call_id, "status": status}, status=200 if status == "seen_before" else 202
        )

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
        },
    )


def _unreadable(raw: bytes) -> InboundMessage:
    digest = hashlib.sha256(raw).hexdigest()[:32]
    return InboundMessage("phone", "main", f"unreadable:{digest}", "unknown", "", clock.now(), raw=raw)
