"""/demo: one page with the resident's telephone, mailbox and recorder beside the console. For this machine alone."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp_jinja2
from aiohttp import web
from sqlalchemy import select

from core import clock
from service import sign_in
from service.api.endpoint import RUNTIME
from service.demo.office import PEOPLE
from service.demo.town import LOOPBACK, PHONE, RESIDENT_MAIL, SCENE, Town
from ticketing.model import Ticket

Deed = Callable[[Town, dict[str, Any]], Awaitable[None]]
CALL = """话务员：您好，云溪花园物业服务中心，请问有什么可以帮您？
来电人：你好，地下车库B区在漏水，车都淋湿了。
话务员：好的，我帮您登记，请问您的位置？
来电人：B区二十三号车位旁边，从昨天晚上开始的。
话务员：已经登记，会安排工程维修部尽快查看。"""


def routes(town: Town) -> list[web.RouteDef]:
    deeds: dict[str, Deed] = {
        "wechat": _wechat, "wechat-event": _wechat_event, "wechat-picture": _wechat_picture, "mail": _mail,
        "call": _call,
    }
    return [
        web.get("/demo", guarded(_show)),
        web.get("/demo/state", guarded(functools.partial(_state, town))),
        web.post("/demo/enter", guarded(_enter)),
        *(web.post(f"/demo/{name}", guarded(functools.partial(_do, town, deed))) for name, deed in deeds.items()),
    ]


def guarded(view: Any) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Only from this machine, under its own name, and from our own page: no proxy, no page of somebody else."""

    async def handle(request: web.Request) -> web.StreamResponse:
        host = urlsplit(f"//{request.headers.get('Host', '')}").hostname
        near = (request.remote or "").startswith("127.") or request.remote == "::1"
        relayed = {"X-Forwarded-For", "Forwarded", "X-Real-IP"} & request.headers.keys()
        if not near or host not in LOOPBACK or relayed:
            raise web.HTTPNotFound(text="the demo is for the machine it runs on")
        origin = request.headers.get("Origin")
        if request.method == "POST" and origin and urlsplit(origin).netloc != request.headers.get("Host"):
            raise web.HTTPForbidden(text="the demo is played on its own page")
        response = await view(request)
        response.headers["Cache-Control"] = "no-store"
        return response  # type: ignore[no-any-return]

    return handle


async def _show(request: web.Request) -> web.StreamResponse:
    values = {"office": request.app[RUNTIME].office.name, "people": PEOPLE, "phone": PHONE, "mail": RESIDENT_MAIL,
              "call": CALL}
    response = aiohttp_jinja2.render_template("demo.html", request, values)
    response.headers["Content-Security-Policy"] = (
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
    )
    return response


async def _state(town: Town, request: web.Request) -> web.StreamResponse:
    """What the resident sees, and how his tickets stand."""
    runtime = request.app[RUNTIME]
    async with runtime.db.reading() as session:
        rows = await session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(8))
        found = [{"number": row.number, "title": row.title, "state": row.state, "channel": row.channel} for row in rows]
    return web.json_response(
        {"talk": town.talk(), "letters": town.letters(), "sms": town.sms, "calls": town.calls, "tickets": found,
         "assistant": await runtime.assistant.is_ready()}
    )


async def _enter(request: web.Request) -> web.StreamResponse:
    """At the console as one of the office's people, without a password: there are none in the demo."""
    name = str((await request.post()).get("name", ""))
    if name not in PEOPLE:
        raise web.HTTPNotFound(text="nobody of this name works here")
    runtime = request.app[RUNTIME]
    async with runtime.db.writing() as session:
        token = await sign_in.open_session(session, name, clock.now())
    response = web.Response(status=303, headers={"Location": "/staff/"})
    response.set_cookie(sign_in.COOKIE, token, httponly=True, samesite="Strict", path="/")
    return response


async def _do(town: Town, deed: Deed, request: web.Request) -> web.StreamResponse:
    form = await request.post()
    await deed(town, dict(form))
    return web.json_response({"done": True})


def _words(form: dict[str, Any], name: str, longest: int = 5000) -> str:
    text = str(form.get(name, "")).strip()[:longest]
    if not text:
        raise web.HTTPUnprocessableEntity(text=f"{name}: say something")
    return text


async def _wechat(town: Town, form: dict[str, Any]) -> None:
    await town.say_on_wechat(_words(form, "text"))


EVENTS = {
    "subscribe": ("subscribe", "", "（关注了公众号）"),
    "scan": ("SCAN", SCENE, "（扫了3号电梯里的二维码）"),
    "menu": ("CLICK", "say:我要报修", "（点了菜单“我要报修”）"),
}


async def _wechat_event(town: Town, form: dict[str, Any]) -> None:
    event = EVENTS.get(_words(form, "event"))
    if event is None:
        raise web.HTTPUnprocessableEntity(text="event: subscribe, scan or menu")
    await town.act_on_wechat(*event)


async def _wechat_picture(town: Town, form: dict[str, Any]) -> None:
    upload = form.get("file")
    if not isinstance(upload, web.FileField):
        raise web.HTTPUnprocessableEntity(text="file: choose a picture")
    await town.show_on_wechat(upload.file.read(), upload.content_type or "image/jpeg")


async def _mail(town: Town, form: dict[str, Any]) -> None:
    await town.write_mail(_words(form, "subject", 200).replace("\n", " ").replace("\r", " "), _words(form, "text"))


async def _call(town: Town, form: dict[str, Any]) -> None:
    await town.call(str(form.get("caller", ""))[:20], _words(form, "text"))
