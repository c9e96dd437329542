"""The chat as pages: in a frame of somebody else's page, and without JavaScript."""

import asyncio
import secrets
from pathlib import Path
from typing import Any

from aiohttp import web

from channels.files import NotAllowed
from channels.webchat import WebChat, record
from channels.webchat.requests import MAX_CHARS, Refused, Said
from core.message import Attachment, storable
from service import embedding
from service.api.endpoint import RUNTIME
from service.pages import render
from service.runtime import Runtime
from service.texts import say

COOKIE = "huiyin_chat"
WIDGET = Path(__file__).parent / "static" / "widget.js"
LINES = 100
MONTH_S = 30 * 86400


def routes() -> list[web.RouteDef]:
    return [
        web.get("/widget.js", _widget),
        web.get("/chat/frame", _frame),
        web.get("/chat/plain", _plain),
        web.post("/chat/plain", _say_plainly),
        web.get("/chat/plain/files/{file}", _plain_file),
    ]


async def _widget(request: web.Request) -> web.StreamResponse:
    """The one line another page needs: it draws a button and a frame, and asks nobody else for anything."""
    here = request.app[RUNTIME].settings.web.public_url.rstrip("/")
    text = await asyncio.to_thread(WIDGET.read_text, "utf-8")
    text = text.replace("__HERE__", here)
    return web.Response(text=text, content_type="text/javascript", headers={"Cache-Control": "public, max-age=300"})


async def _frame(request: web.Request) -> web.StreamResponse:
    runtime = request.app[RUNTIME]
    response = render(request, "chat_frame.html", **_texts(runtime))
    policy = response.headers["Content-Security-Policy"]
    response.headers["Content-Security-Policy"] = policy.replace(
        "frame-ancestors 'self'", f"frame-ancestors {embedding.frame_ancestors(request)}"
    )
    return response


def _texts(runtime: Runtime) -> dict[str, Any]:
    return {
        "welcome": say("welcome", office=runtime.office.name),
        "privacy": say("privacy_notice", office=runtime.office.name),
        "can_claim": runtime.settings.sms.kind != "off",
    }


# Without JavaScript: the session is in a cookie, what was said is a page, what is to be said a form.


async def _owned(runtime: Runtime, request: web.Request) -> str | None:
    """The session of this browser's cookie, if it opens one."""
    name, _, token = request.cookies.get(COOKIE, "").partition(":")
    async with runtime.db.reading() as session:
        return name if name and token and await record.is_owner(session, name, token) else None


async def _plain(request: web.Request) -> web.StreamResponse:
    runtime = request.app[RUNTIME]
    name, items = await _owned(runtime, request), []
    if name:
        async with runtime.db.reading() as session:
            items = (await record.read_after(session, name, 0, 10_000))[-LINES:]
    waits = bool(items) and items[-1]["from"] == "resident"
    return render(
        request, "chat_plain.html", items=items, waits=waits, error=request.query.get("error", "")[:200],
        **_texts(runtime),
    )


async def _say_plainly(request: web.Request) -> web.StreamResponse:
    runtime = request.app[RUNTIME]
    channel = runtime.channels["webchat", "web"]
    assert isinstance(channel, WebChat)
    form = await request.post()
    text = storable(str(form.get("text", "")).strip())[:MAX_CHARS]
    upload = form.get("file")
    files: tuple[Attachment, ...] = ()
    if isinstance(upload, web.FileField) and upload.filename:
        try:
            files = (await runtime.files.keep(upload.file.read(), storable(upload.filename)),)
        except NotAllowed:
            raise web.HTTPSeeOther("/chat/plain?error=file") from None
    response = web.Response(status=303, headers={"Location": "/chat/plain#end"})
    if not text and not files:
        return response
    name = await _owned(runtime, request)
    try:
        if name is None:
            name, token = await channel.open_session(request)
            _set_cookie(runtime, response, f"{name}:{token}")
        channel.limit(name)
    except Refused:
        raise web.HTTPSeeOther("/chat/plain?error=pace") from None
    identity = str(form.get("id") or secrets.token_hex(8))[:64]
    await channel.store(name, Said(f"plain-{identity}", text, text.encode()), *files)
    return response


def _set_cookie(runtime: Runtime, response: web.Response, value: str) -> None:
    is_https = runtime.settings.web.public_url.startswith("https://")
    response.set_cookie(COOKIE, value, max_age=MONTH_S, httponly=True, samesite="Strict", secure=is_https)


async def _plain_file(request: web.Request) -> web.StreamResponse:
    runtime = request.app[RUNTIME]
    name = await _owned(runtime, request)
    async with runtime.db.reading() as session:
        found = await record.find_file(session, name, request.match_info["file"]) if name else None
    path = runtime.files.locate(found.path) if found else None
    if found is None or path is None or not path.is_file():
        return render(request, "missing.html", 404)
    channel = runtime.channels["webchat", "web"]
    assert isinstance(channel, WebChat)
    return channel.serve(found, path)
