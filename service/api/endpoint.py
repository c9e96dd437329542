"""How an API endpoint is written down, and how a call to it runs: routing, checks and OpenAPI read this."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock, log
from core.checking import check_body
from core.conversation import Conversation, Matter, reveal
from core.db import Database
from core.errors import Forbidden, HuiyinError, Invalid, NotFound, Stale
from core.message import storable
from service import idempotency
from service.auth import Caller, identify
from service.runtime import Runtime
from ticketing.staff import Actor

logger = log.logger(__name__)

RUNTIME = web.AppKey("runtime", Runtime)
PROBLEM = "application/problem+json"
LONGEST_LIST = 200
NOT_JSON = "the body is not JSON"
"""Stands for a body that could not be read: its check says so, after what may answer 404 or 403."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Result:
    """What an endpoint answers."""

    data: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """One call, its body not yet checked: what an endpoint function is given."""

    runtime: Runtime
    session: AsyncSession
    actor: Actor
    params: Mapping[str, str]
    query: Mapping[str, str]
    raw_body: Any
    if_match: int | None
    now: datetime
    model: type[BaseModel] | None = None
    matter: Matter | None = None
    conversation: Conversation | None = None
    message_id: int | None = None
    prepared: Any = None
    after_commit: list[str] = field(default_factory=list)
    """Topics to ring once the transaction is on disk."""

    def require(self, *roles: str) -> None:
        """Raises Forbidden unless the caller has one of these roles."""
        if not self.actor.roles & set(roles):
            raise Forbidden(f"this needs the role {' or '.join(roles)}")

    def body(self) -> Any:
        """The checked body. Raises Invalid naming the field. Call it after what may answer 404 or 403."""
        assert self.model
        if self.raw_body is NOT_JSON:
            raise Invalid(f"{NOT_JSON}: send an object with the fields this takes", "body")
        return check_body(self.model, self.raw_body)

    def number(self, name: str) -> int:
        """A numeric identity in the address; NotFound when it is none."""
        text = self.params[name]
        if not text.isascii() or not text.isdecimal() or len(text) > 18:
            raise NotFound(f"there is no {name} {text[:40]}: list them to see what there is")
        return int(text)

    def limit(self) -> int:
        text = self.query.get("limit", "50")
        if not text.isascii() or not text.isdecimal() or len(text) > 3 or not 1 <= int(text) <= LONGEST_LIST:
            raise Invalid(f"limit is a number from 1 to {LONGEST_LIST}", "limit")
        return int(text)

    def after(self) -> int | None:
        """The cursor: opaque to callers, the last row's id to us."""
        text = self.query.get("after")
        if not text:
            return None
        if not text.isascii() or not text.isdecimal() or len(text) > 18:
            raise Invalid("after is the `next` of the page before", "after")
        return int(text)


Handler = Callable[[Call], Awaitable[Result]]
Before = Callable[[Runtime, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One line of the API. `roles`: who may call it at all (empty: everybody with a token)."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    handler: Handler
    summary: str
    body: type[BaseModel] | None = None
    roles: frozenset[str] = frozenset()
    session: Literal["read", "write"] = "read"
    query: tuple[str, ...] = ()
    status: int = 200
    tag: str = "tickets"
    before: Before | None = None
    """What takes its time is done here, before the transaction; its answer is `call.prepared`."""


def make_view(endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of an endpoint."""

    async def view(request: web.Request) -> web.StreamResponse:
        try:
            return await _run(endpoint, request)
        except HuiyinError as error:
            return problem(error)

    return view


async def _run(endpoint: Endpoint, request: web.Request) -> web.Response:
    runtime = request.app[RUNTIME]
    caller = identify(runtime, request)
    raw = await _read_json(request) if endpoint.method in ("POST", "PUT") else None
    try:
        return await _run_once(endpoint, request, runtime, caller, raw)
    except IntegrityError:
        # Two calls with one Idempotency-Key, or two firsts of something unique: the second looks again.
        return await _run_once(endpoint, request, runtime, caller, raw)


async def _run_once(
    endpoint: Endpoint, request: web.Request, runtime: Runtime, caller: Caller, raw: Any
) -> web.Response:
    now = clock.now()
    key = request.headers.get("Idempotency-Key") if endpoint.session == "write" else None
    # The assistant's token is made anew at each start; a turn that is taken again after it must find its answer.
    owner = "assistant" if caller.is_assistant else caller.token_digest
    scope = idempotency.scope_of(owner, endpoint.method, request.path, key) if key else ""
    prepared = await endpoint.before(runtime, raw) if endpoint.before else None
    opened = runtime.db.writing() if endpoint.session == "write" else reading_on_record(runtime.db)
    async with opened as session:
        if key and (kept := await idempotency.find_answer(session, scope, raw, now)):
            return _respond(Result(**kept), replayed=True)
        if endpoint.roles and not caller.actor.roles & endpoint.roles:
            raise Forbidden(f"this needs the role {' or '.join(sorted(endpoint.roles))}")
        call = Call(
            runtime=runtime, session=session, actor=caller.actor, params=request.match_info,
            query=request.query, raw_body=raw, if_match=_read_if_match(request), now=now, model=endpoint.body,
            prepared=prepared,
        )
        if caller.is_assistant:
            await _act_as_resident(call, request)
        result = await endpoint.handler(call)
        if key:
            answer = {"data": result.data, "status": result.status, "headers": dict(result.headers)}
            idempotency.keep_answer(session, scope, raw, answer, now)
    for topic in call.after_commit:
        runtime.news.notify(topic)
    return _respond(result)


@asynccontextmanager
async def reading_on_record(db: Database) -> AsyncIterator[AsyncSession]:
    """A read whose audit rows are kept all the same: they are written once the reading is over."""
    read: list[audit.Audit] = []
    async with db.reading() as session:
        with session.no_autoflush:  # Nothing is written inside: it would wait for, and stop, the writer.
            yield session
        read = [row for row in session.new if isinstance(row, audit.Audit)]
    if read:
        async with db.writing() as session:
            await audit.keep(session, read)


async def _act_as_resident(call: Call, request: web.Request) -> None:
    """The assistant acts for the resident of the matter it names, and sees no more than he."""
    matter = request.headers.get("X-Huiyin-Matter", "")
    message = request.headers.get("X-Huiyin-Message", "")
    if not matter.isascii() or not matter.isdecimal() or len(matter) > 18:
        return
    call.matter = await call.session.get(Matter, int(matter))
    if call.matter is None:
        raise NotFound("X-Huiyin-Matter names no matter")
    call.conversation = await call.session.get_one(Conversation, call.matter.conversation_id)
    call.message_id = int(message) if message.isascii() and message.isdecimal() and len(message) < 19 else None
    call.actor = Actor("assistant", frozenset({"assistant"}), None, call.conversation.resident_id)
    call.raw_body = await _resolve(call.session, call.conversation.resident_id, call.raw_body)


async def _resolve(session: AsyncSession, resident_id: int, value: Any) -> Any:
    """What the assistant sends holds tokens; what they stand for is put back before anything is made of it."""
    if isinstance(value, str):
        return await reveal(session, resident_id, value)
    if isinstance(value, dict):
        return {key: await _resolve(session, resident_id, item) for key, item in value.items()}
    if isinstance(value, list):
        return [await _resolve(session, resident_id, item) for item in value]
    return value


async def _read_json(request: web.Request) -> Any:
    body = await request.read()
    if not body.strip():
        return {}
    try:
        read = json.loads(body)
        json.dumps(read, ensure_ascii=False).encode()  # Half a surrogate pair is refused, a NUL replaced.
        return storable(read)
    except (ValueError, RecursionError):
        return NOT_JSON


def _read_if_match(request: web.Request) -> int | None:
    text = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    if not text or text == "*":
        return None
    if not text.isascii() or not text.isdecimal():
        return -1  # A version that no thing has: stale.
    return int(text[:18])


def _respond(result: Result, *, replayed: bool = False) -> web.Response:
    headers = {**result.headers, "Cache-Control": "no-store"}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    if result.status == 204:
        return web.Response(status=204, headers=headers)
    text = json.dumps(result.data, ensure_ascii=False, default=_encode)
    return web.Response(text=text, status=result.status, headers=headers, content_type="application/json")


def _encode(value: Any) -> Any:
    if isinstance(value, datetime):
        return clock.write_time(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def problem(error: HuiyinError) -> web.Response:
    """An error as RFC 9457 problem details; `detail` says what to do next."""
    body: dict[str, Any] = {
        "type": "about:blank", "title": error.title, "status": error.status, "detail": error.detail,
    }
    headers = {}
    if isinstance(error, Invalid) and error.field:
        body["field"] = error.field
    if isinstance(error, Stale):
        body["changed"] = list(error.changed)
    if reason := getattr(error, "reason", None):
        body["reason"] = reason
    if retry_after := getattr(error, "retry_after", None):
        headers["Retry-After"] = str(retry_after)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        text=json.dumps(body, ensure_ascii=False), status=error.status, headers=headers, content_type=PROBLEM
    )


def cut(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], bool]:
    """The rows of a page, and whether more follow: one more than the limit was asked for."""
    return rows[:limit], len(rows) > limit


def page(items: list[dict[str, Any]], last_id: int | None, more: bool) -> Result:
    """A page of a list and the cursor of the next one."""
    return Result({"items": items, "next": str(last_id) if more else None})
