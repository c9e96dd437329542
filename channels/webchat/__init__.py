"""Web chat: sessions, messages, a stream of what is new, and files, for the widget in a resident's browser."""

import asyncio
import functools
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import Attempt, Capabilities, News, Sent, TemporaryFailure, rings
from channels.files import FileStore, NotAllowed
from channels.http import Limiter, bearer, problem, refuse
from channels.webchat import record
from channels.webchat.requests import Refused, Said, read_position, read_said, read_upload
from channels.webchat.tables import WebChatFile, WebChatKey, WebChatMessage, WebChatSession
from core import clock, log
from core.db import Database
from core.inbox_writer import InboxWriter
from core.message import Attachment, InboundMessage, OutboundMessage

__all__ = ["WebChat", "WebChatFile", "WebChatKey", "WebChatLimits", "WebChatMessage", "WebChatSession"]

ACCOUNT = "web"
PAGE = 200
MAX_STREAMS = 8
"""Open streams of one session: as many tabs as anybody has."""
BREATH_S = 15.0
"""A stream says something at least this often, so that proxies keep it open."""

TYPING_S = 6.0
"""For so long after his last key a person counts as writing."""

FROM_STAFF = frozenset({"staff", "reply", "progress", "supplement", "decline", "extension"})
"""Origins of texts that a person of the office wrote."""

_log = log.logger(__name__)

Presence = Callable[[str], Awaitable[dict[str, Any]]]
"""Who answers in a session now: `{"holder": assistant·staff, "name": …}`."""

Handler = Callable[["WebChat", web.Request, str], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class WebChatLimits:
    """`web.limits.webchat_per_minute` (a session's messages) and `…_sessions_per_minute` (a client's)."""

    messages_per_minute: int = 30
    sessions_per_minute: int = 120


def _remote(request: web.Request) -> str:
    return request.remote or ""


async def _assistant_alone(_session: str) -> dict[str, Any]:
    return {"holder": "assistant", "name": None}


def guarded(handler: Handler) -> Callable[["WebChat", web.Request], Awaitable[web.StreamResponse]]:
    """Only for the session's own token; refusals become answers, and what cannot be stored a 500."""

    @functools.wraps(handler)
    async def handle(self: "WebChat", request: web.Request) -> web.StreamResponse:
        try:
            return await handler(self, request, await self.authorised(request))
        except Refused as error:
            return refuse(self.name, self.account, error.status, error.reason, error.detail, error.headers)
        except (SQLAlchemyError, OSError) as error:
            if isinstance(error, ConnectionError):
                raise
            _log.error("not_stored", channel=self.name, error=type(error).__name__)
            return problem(500, "not stored", "The message could not be stored: send it again.")

    return handle


class WebChat:
    """The office's own chat; `account` is always `web`."""

    name = "webchat"
    account = ACCOUNT
    capabilities = Capabilities(
        max_chars=None,
        media=("image", "audio", "video", "document"),
        window=None,
        carries=("webchat",),
        announces=(),
        pushes=True,
        idempotent_send=True,
        proof="it stands in the session",
    )

    def __init__(
        self,
        limits: WebChatLimits,
        writer: InboxWriter,
        db: Database,
        news: News,
        files: FileStore | Path,
        client_of: Callable[[web.Request], str] = _remote,
        presence: Presence | None = None,
    ) -> None:
        """`client_of` gives a request's real address, where proxies stand before us; `presence` says who is there."""
        self._writer = writer
        self._db = db
        self._news = news
        self._files = files if isinstance(files, FileStore) else FileStore(files)
        self._client_of = client_of
        self._presence = presence or _assistant_alone
        self._typing: dict[str, float] = {}
        self._messages = Limiter(limits.messages_per_minute)
        self._sessions = Limiter(limits.sessions_per_minute)
        self._open: Counter[str] = Counter()
        self._streams: set[asyncio.Task[Any]] = set()

    def routes(self) -> Iterable[web.RouteDef]:
        base = "/channels/webchat/sessions"
        return [
            web.post(base, self._open_session),
            web.post(base + "/{session}/messages", self._take_message),
            web.get(base + "/{session}/messages", self._list_messages),
            web.get(base + "/{session}/state", self._tell_state),
            web.get(base + "/{session}/events", self._stream, allow_head=False),
            web.post(base + "/{session}/attachments", self._take_file),
            web.get(base + "/{session}/attachments/{file}", self._give_file),
        ]

    def secrets(self) -> list[str]:
        """Tokens are kept as digests only, so there is nothing to give away."""
        return []

    async def start(self) -> None:
        """Nothing runs in the background."""

    async def close(self) -> None:
        """End the open streams; browsers come back by themselves and go on where they were."""
        for task in list(self._streams):
            task.cancel()

    async def send(self, message: OutboundMessage, attempt: Attempt) -> Sent:
        """Write the line into the session; sending the same row again changes nothing."""
        author = "staff" if message.origin in FROM_STAFF else "assistant"
        try:
            async with self._db.writing() as session:
                seq = await record.add_line(
                    session, message.recipient, f"out-{attempt.outbox_id}", author, message.text, clock.now(),
                    choices=message.choices, attachments=message.attachments, outbox_id=attempt.outbox_id,
                )
        except SQLAlchemyError as error:
            raise TemporaryFailure(f"the line could not be stored ({type(error).__name__})") from error
        self._typing.pop(message.recipient, None)
        self._news.notify(_topic(message.recipient))
        return Sent(str(seq))

    async def typing(self, session: str) -> None:
        """Show that a person is writing. It is a courtesy: it is kept nowhere and ends by itself."""
        self._typing[session] = _loop_time() + TYPING_S
        self._news.notify(_topic(session))

    async def _state(self, name: str) -> dict[str, Any]:
        """Who is there now, and whether he is writing."""
        if self._typing.get(name, 0) < _loop_time():
            self._typing.pop(name, None)
        return await self._presence(name) | {"typing": name in self._typing}

    async def forget(self, session: AsyncSession, value: str) -> None:
        await record.forget(session, value)

    async def authorised(self, request: web.Request) -> str:
        """The session whose token the request carries. Raises Refused."""
        name = request.match_info["session"]
        token = bearer(request) or request.query.get("token", "")
        async with self._db.reading() as session:
            if not await record.is_owner(session, name, token):
                raise Refused(401, "token", "Send the token of this session, or open a new one.")
        return name

    async def _open_session(self, request: web.Request) -> web.StreamResponse:
        try:
            name, token = await self.open_session(request)
        except Refused as error:
            return refuse(self.name, self.account, error.status, error.reason, error.detail, error.headers)
        return web.json_response({"session": name, "token": token}, status=201)

    async def open_session(self, request: web.Request) -> tuple[str, str]:
        """A new session and its token. Raises Refused for a client that opens too many."""
        wait_s = self._sessions.try_again_in(self._client_of(request), _loop_time())
        if wait_s:
            raise Refused(429, "too_many_sessions", "Wait a little, then open the chat again.", wait_s)
        async with self._db.writing() as session:
            return await record.open_session(session, clock.now())

    @guarded
    async def _take_message(self, request: web.Request, name: str) -> web.StreamResponse:
        said = await read_said(request)
        self.limit(name)
        new, seq = await self.store(name, said)
        return web.json_response({"id": said.id, "seq": seq}, status=202 if new else 200)

    @guarded
    async def _list_messages(self, request: web.Request, name: str) -> web.StreamResponse:
        after = read_position(request.query.get("after", ""))
        async with self._db.reading() as session:
            items = await record.read_after(session, name, after, PAGE + 1)
        items, more = items[:PAGE], items[PAGE:]
        return web.json_response({"items": items, "next": items[-1]["seq"] if more else None})

    @guarded
    async def _tell_state(self, request: web.Request, name: str) -> web.StreamResponse:
        return web.json_response(await self._state(name))

    @guarded
    async def _take_file(self, request: web.Request, name: str) -> web.StreamResponse:
        """A file is a message of its own, with a text if the browser sends one along."""
        self.limit(name)
        upload = await read_upload(request, self._files.max_bytes)
        try:
            kept = await self._files.keep(upload.content, upload.name)
        except NotAllowed:
            detail = "Send a picture, a recording, a video, a PDF or an Office file."
            raise Refused(415, "file_type", detail) from None
        except TemporaryFailure:
            raise Refused(503, "scanner", "Files cannot be checked now: send it again later.", 30) from None
        identity = upload.id or "file-" + hashlib.sha256(upload.content).hexdigest()[:32]
        new, seq = await self.store(name, Said(identity, upload.text, b""), kept)
        answer = {"id": identity, "seq": seq, "name": kept.name, "type": kept.type, "size": kept.size}
        return web.json_response(answer, status=202 if new else 200)

    @guarded
    async def _give_file(self, request: web.Request, name: str) -> web.StreamResponse:
        async with self._db.reading() as session:
            file = await record.find_file(session, name, request.match_info["file"])
        path = self._files.locate(file.path) if file else None
        if file is None or path is None or not path.is_file():
            raise Refused(404, "no_such_file", "The file does not exist in this session.")
        return self.serve(file, path)

    def serve(self, file: WebChatFile, path: Path) -> web.StreamResponse:
        """A file of a session, as a download."""
        headers = {
            "Content-Type": file.type,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private",
        }
        return web.FileResponse(path, headers=headers)

    @guarded
    async def _stream(self, request: web.Request, name: str) -> web.StreamResponse:
        """Server-sent events: everything after the last one the browser has, then whatever comes."""
        position = read_position(request.headers.get("Last-Event-ID") or request.query.get("after", ""))
        if self._open[name] >= MAX_STREAMS:
            raise Refused(429, "too_many_streams", "Close another window of this chat.", retry_after=10)
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        self._open[name] += 1
        try:
            return await self._tell(request, name, position)
        finally:
            self._streams.discard(task)
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]

    async def _tell(self, request: web.Request, name: str, position: int) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-cache",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        await response.write(b"retry: 2000\n\n")
        wants_state, told = request.query.get("state") == "1", dict[str, Any]()
        with self._news.listen(_topic(name)) as bell:
            while True:
                bell.clear()
                try:
                    position, more = await self._write_new(response, name, position)
                    if more:
                        continue
                    if wants_state and (state := await self._state(name)) != told:
                        told = state
                        await response.write(_event("state", told))
                    if not await rings(bell, TYPING_S if told.get("typing") else BREATH_S):
                        await response.write(b": still here\n\n")
                except ConnectionError:
                    return response

    async def _write_new(self, response: web.StreamResponse, name: str, position: int) -> tuple[int, bool]:
        """A page of what is new; where it ends, and whether there may be more."""
        async with self._db.reading() as session:
            items = await record.read_after(session, name, position, PAGE)
        for item in items:
            data = json.dumps(item, ensure_ascii=False)
            await response.write(f"id: {item['seq']}\nevent: message\ndata: {data}\n\n".encode())
        return (items[-1]["seq"] if items else position), len(items) == PAGE

    def limit(self, name: str) -> None:
        """Count one message of a session. Raises Refused past the limit of a minute."""
        wait_s = self._messages.try_again_in(name, _loop_time())
        if wait_s:
            raise Refused(429, "too_many_messages", "Wait a little, then send it again.", retry_after=wait_s)

    async def store(self, name: str, said: Said, *attachments: Attachment) -> tuple[bool, int]:
        """Inbox row and the resident's own line in one transaction; whether it is new, and its seq."""
        now = clock.now()
        message = InboundMessage(
            channel=self.name, account=self.account, external_id=f"{name}:{said.id}", sender=name,
            text=said.text, received_at=now, attachments=attachments, raw=said.raw,
        )

        written: list[int] = []

        async def add_own_line(session: AsyncSession, _inbox_id: int) -> None:
            seq = await record.add_line(session, name, said.id, "resident", said.text, now, attachments=attachments)
            written.append(seq)

        stored = await self._writer.put(message, also=add_own_line)
        if stored.new:
            self._news.notify(_topic(name))
            return True, written[-1]
        async with self._db.reading() as session:
            return False, await record.seq_of(session, name, said.id)


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def _topic(session: str) -> str:
    return f"webchat:{session}"


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
