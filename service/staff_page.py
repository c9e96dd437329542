"""A page of the console: who looks at it, how it is drawn, and that only those who signed in see it."""

import functools
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp_jinja2
from aiohttp import web
from sqlalchemy import func, select

from core import clock
from core.conversation import Conversation, Holder
from core.errors import HuiyinError
from service import sign_in
from service.api.endpoint import RUNTIME
from service.api.weights import READERS as KEEPERS
from service.runtime import Runtime
from service.words import describe_error
from ticketing import staff as staff_table
from ticketing import staff_notices
from ticketing.staff import Actor

EDITING = frozenset({"editor", "supervisor", "auditor"})
"""Who reads the questions that stayed open."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a signed-in member of staff looks at: his request, and how the answer is drawn."""

    runtime: Runtime
    request: web.Request
    me: Actor
    form_token: str
    now: datetime

    async def render(self, template: str, *, status: int = 200, refresh: int = 0, **values: Any) -> web.Response:
        async with self.runtime.db.reading() as session:
            waiting = await session.scalar(
                select(func.count()).where(Conversation.holder == Holder.STAFF, Conversation.taken_by.is_(None))
            )
            unread = await staff_notices.count_unread(session, self.me.name)
        values |= {
            "me": self.me, "form_token": self.form_token, "office": self.runtime.office.name,
            "waiting": waiting, "unread": unread, "refresh": refresh, "editing": EDITING,
            "keeping": KEEPERS,
        }
        values.setdefault("error", self.request.query.get("error"))
        return secure(aiohttp_jinja2.render_template(f"staff/{template}", self.request, values, status=status))


def secure(response: web.Response) -> web.Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; "
        "base-uri 'none'; form-action 'self'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


View = Callable[[Page], Awaitable[web.StreamResponse]]


def signed_in(view: View) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Only for those who signed in; a form must carry the session's own token; an error is shown where it arose."""

    @functools.wraps(view)
    async def handle(request: web.Request) -> web.StreamResponse:
        runtime, now = request.app[RUNTIME], clock.now()
        async with runtime.db.reading() as session:
            found = await sign_in.find_session(session, request.cookies.get(sign_in.COOKIE, ""), now)
        if found is None:
            raise web.HTTPSeeOther("/staff/sign-in")
        page = Page(runtime, request, staff_table.actor_of(found[1]), found[0].form_token, now)
        if request.method != "POST":
            return await view(page)
        form = await request.post()
        if not hmac.compare_digest(str(form.get("form_token", "")).encode(), page.form_token.encode()):
            raise web.HTTPForbidden(text="this form is not from your own session: reload the page")
        try:
            return await view(page)
        except HuiyinError as error:
            back = request.headers.get("X-Back") or request.path.rsplit("/", 1)[0]
            raise web.HTTPSeeOther(f"{back}?{urlencode({'error': describe_error(error)})}") from None

    return handle
