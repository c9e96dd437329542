"""Signing in to the console by a one-time link or a password, and leaving it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from core import clock
from core.errors import TooMany
from service import clients, sign_in
from service.api.endpoint import RUNTIME
from service.runtime import Runtime
from service.staff_page import Page, secure, signed_in
from ticketing import staff as staff_table


def routes() -> list[web.RouteDef]:
    return [
        web.get("/staff/enter", show_enter),
        web.post("/staff/enter", enter),
        web.get("/staff/sign-in", show_sign_in),
        web.post("/staff/sign-in", sign_in_by_password),
        web.post("/staff/leave", leave),
    ]


async def show_enter(request: web.Request) -> web.Response:
    """The link is shown as a button first: link previews of chat programs must not use it up."""
    runtime = request.app[RUNTIME]
    values = {"token": request.query.get("token", ""), "office": runtime.office.name}
    return secure(aiohttp_jinja2.render_template("staff/enter.html", request, values))


async def enter(request: web.Request) -> web.Response:
    return await _try(request, _by_link, "这个链接已经用过或过期。请管理员运行 huiyin staff reset 姓名。")


async def show_sign_in(request: web.Request) -> web.Response:
    return _sign_in_page(request, None, 200)


async def sign_in_by_password(request: web.Request) -> web.Response:
    return await _try(request, _by_password, "姓名或密码不对。")


async def _try(
    request: web.Request, find_token: Callable[[Runtime, Mapping[str, Any]], Awaitable[str | None]], refusal: str
) -> web.Response:
    """One try to sign in, counted before anything is looked up; whoever is known goes on with a session of his own."""
    runtime, form = request.app[RUNTIME], await request.post()
    try:
        clients.count_try(runtime, request, "sign_in")
    except TooMany as error:
        return _sign_in_page(request, error.detail, 429)
    token = await find_token(runtime, form)
    return _sign_in_page(request, refusal, 403) if token is None else _with_cookie(request, token)


async def _by_link(runtime: Runtime, form: Mapping[str, Any]) -> str | None:
    async with runtime.db.writing() as session:
        return await sign_in.enter(session, str(form.get("token", "")), clock.now())


async def _by_password(runtime: Runtime, form: Mapping[str, Any]) -> str | None:
    name, now = str(form.get("name", "")), clock.now()
    async with runtime.db.reading() as session:
        known = await staff_table.check_password(session, name, str(form.get("password", "")))
    if not known:
        return None
    async with runtime.db.writing() as session:
        return await sign_in.open_session(session, name, now)


def _sign_in_page(request: web.Request, error: str | None, status: int) -> web.Response:
    values = {"error": error, "office": request.app[RUNTIME].office.name}
    return secure(aiohttp_jinja2.render_template("staff/sign_in.html", request, values, status=status))


def _with_cookie(request: web.Request, token: str) -> web.Response:
    response = web.HTTPSeeOther("/staff/")
    is_https = request.app[RUNTIME].settings.web.public_url.startswith("https://")
    response.set_cookie(
        sign_in.COOKIE, token, httponly=True, samesite="Strict", secure=is_https, path="/",
        max_age=int(sign_in.SESSION_LASTS.total_seconds()),
    )
    raise response


@signed_in
async def leave(page: Page) -> web.StreamResponse:
    async with page.runtime.db.writing() as session:
        await sign_in.close_session(session, page.request.cookies.get(sign_in.COOKIE, ""), page.now)
    raise web.HTTPSeeOther("/staff/sign-in")
