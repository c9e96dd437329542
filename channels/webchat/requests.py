"""Reading what a browser sends: a message, an upload, a position. Each refusal is an answer of its own."""

import json
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import unquote

from aiohttp import BodyPartReader, web

from channels.http import TooLarge, read_body
from core.message import storable

MAX_CHARS = 10_000
MAX_BODY = 256 * 1024


class Refused(Exception):
    """The request cannot be taken; what to answer."""

    def __init__(self, status: int, reason: str, detail: str, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.headers = None if retry_after is None else {"Retry-After": str(retry_after)}


@dataclass(frozen=True, slots=True)
class Said:
    """A resident's message as the browser sent it."""

    id: str
    text: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as the browser sent it; `id` makes a repeat no duplicate."""

    name: str
    content: bytes
    id: str | None
    text: str


async def read_said(request: web.Request) -> Said:
    raw = await _bounded(request, MAX_BODY)
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(400, "not_json", 'Send JSON: {"id": "…", "text": "…"}.') from None
    if not isinstance(body, dict):
        raise Refused(422, "wrong_field", 'Send an object: {"id": "…", "text": "…"}.')
    text = body.get("text")
    if not isinstance(text, str) or not text.strip():
        raise Refused(422, "wrong_field", "text: write what you want to say.")
    if len(text) > MAX_CHARS:
        raise Refused(413, "too_large", f"Write at most {MAX_CHARS} characters in one message.")
    return Said(_identity(body.get("id")), storable(text), raw)


def _identity(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= 100 or not value.isprintable():
        raise Refused(422, "wrong_field", "id: 1 to 100 printable characters, another one for each message.")
    return value


async def read_upload(request: web.Request, limit: int) -> Upload:
    """Multipart form data with a field `file` (and perhaps `id` and `text`), or the bare bytes with `?name=`."""
    if request.content_type == "multipart/form-data":
        upload = await _read_form(request, limit)
    else:
        content = await _bounded(request, limit)
        name = request.query.get("name") or _disposed_name(request) or "file"
        upload = Upload(name, content, request.query.get("id"), "")
    if not upload.content:
        raise Refused(422, "wrong_field", "file: send the bytes of one file.")
    if upload.id is not None:
        _identity(upload.id)
    return upload


async def _read_form(request: web.Request, limit: int) -> Upload:
    name, content, fields = "file", b"", {}
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise Refused(422, "wrong_field", "Send one plain file, not a form inside a form.")
            if part.name == "file":
                name, content = unquote(part.filename or "file"), await _read_part(part, limit)
            elif part.name in ("id", "text"):
                fields[part.name] = (await _read_part(part, 64 * 1024)).decode("utf-8", "replace")
    except (ValueError, AssertionError):
        raise Refused(400, "not_a_form", "The form data is broken: send it again.") from None
    text = storable(fields.get("text", ""))
    if len(text) > MAX_CHARS:
        raise Refused(413, "too_large", f"Write at most {MAX_CHARS} characters in one message.")
    return Upload(name, content, fields.get("id"), text)


async def _read_part(part: BodyPartReader, limit: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk():
        content += chunk
        if len(content) > limit:
            raise Refused(413, "too_large", f"A file has at most {limit // 1024 // 1024} MB.")
    return part.decode(bytes(content)) if part.headers.get("Content-Transfer-Encoding") else bytes(content)


def _disposed_name(request: web.Request) -> str | None:
    header = Message()
    header["Content-Disposition"] = request.headers.get("Content-Disposition", "attachment")
    return header.get_filename()


def read_position(text: str) -> int:
    """A `seq` in an address or header; empty means: from the beginning."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refused(422, "wrong_field", "after: a number, the seq of the last message you have.")
    return int(text)


async def _bounded(request: web.Request, limit: int) -> bytes:
    try:
        return await read_body(request, limit)
    except TooLarge:
        raise Refused(413, "too_large", f"Send at most {limit // 1024} KB.") from None
