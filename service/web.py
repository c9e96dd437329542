"""The web application: built here, with every part's start and end in one place."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import aiohttp_jinja2
import jinja2
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from channels.base import Channel, LocalNews
from channels.desk import Desk
from channels.email import Email, LmtpDoor
from channels.files import FileStore
from channels.phone import Phone
from channels.sms import Sms
from channels.webchat import WebChat, WebChatLimits
from channels.wechat import WeChat
from core import log
from core.db import Database
from core.errors import HuiyinError, Misconfigured, NotFound
from core.inbox_writer import InboxWriter
from core.loops import keep
from service import (
    api,
    appointment_desk,
    appointment_pages,
    chat_pages,
    claims,
    console,
    delivery,
    delivery_plan,
    desk_pages,
    editor_pages,
    embedding,
    guide_pages,
    health,
    incident_pages,
    letter_pages,
    mail_pages,
    notice_desk,
    pages,
    presence,
    quick_desk,
    resident_desk,
    sign_in_pages,
    ticket_pages,
    visit_pages,
    visit_work,
    weights_pages,
    workers,
)
from service.api.endpoint import RUNTIME, problem
from service.assistant import Assistant
from service.categories import Categories
from service.clients import client_of
from service.knowledge import Knowledge
from service.office import make_office
from service.pace import Pace
from service.passive import OutboxPassiveReplies
from service.runtime import Runtime
from service.settings import Settings
from service.staff_ways import Console, Webhook
from service.words import FILTERS
from ticketing import calendar_days

logger = log.logger(__name__)

HERE = Path(__file__).parent
LONGEST_BODY = 30 * 1024 * 1024
GUIDES_EVERY_S = 1.5
"""How often a process looks whether another one changed the guides."""


def build_app(settings: Settings, db: Database, assistant_token: str, with_workers: bool = True) -> web.Application:
    """The application, with nothing started yet. `rasa_url` is set on the runtime once Rasa's port is known."""
    app = web.Application(client_max_size=LONGEST_BODY, middlewares=[_answer_errors, embedding.answer_preflight])
    app.on_response_prepare.append(embedding.allow_origin)
    aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=jinja2.select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
        filters=FILTERS,
    )
    runtime = build_runtime(settings, db, assistant_token)
    app[RUNTIME] = runtime
    for channel in runtime.channels.values():
        app.add_routes(channel.routes())
    app.add_routes(claims.routes())
    app.add_routes([web.route("*", "/channels/{rest:.*}", _no_such_channel)])
    app.add_routes(api.routes())
    app.add_routes(health.routes())
    app.add_routes(visit_work.routes())  # Before the console, whose `{verb}` takes whatever no other line took.
    app.add_routes(sign_in_pages.routes())
    app.add_routes(console.routes())
    app.add_routes(ticket_pages.routes())
    app.add_routes(editor_pages.routes())
    app.add_routes(incident_pages.routes())
    app.add_routes(mail_pages.routes())
    app.add_routes(pages.routes())
    app.add_routes(chat_pages.routes())
    app.add_routes(guide_pages.routes())
    app.add_routes(appointment_pages.routes())
    app.add_routes(appointment_desk.routes())
    app.add_routes(notice_desk.routes())
    app.add_routes(desk_pages.routes())
    app.add_routes(letter_pages.routes())
    app.add_routes(weights_pages.routes())
    app.add_routes(visit_pages.routes())
    app.add_routes(quick_desk.routes())
    app.add_routes(resident_desk.routes())
    app.router.add_static("/static", HERE / "static")
    app.cleanup_ctx.append(_run_parts(runtime, with_workers))
    return app


def build_runtime(settings: Settings, db: Database, assistant_token: str) -> Runtime:
    """Every part of the service, joined."""
    http = aiohttp.ClientSession()
    news = LocalNews()
    runtime: Runtime
    office = make_office(settings, lambda *told: delivery_plan.tell(runtime, *told))
    knowledge = Knowledge(settings, office)
    runtime = Runtime(
        settings=settings,
        db=db,
        http=http,
        news=news,
        writer=InboxWriter(db, on_stored=lambda: _wake(runtime)),
        assistant=Assistant(
            http, settings.assistant.url, settings.assistant.token.get_secret_value(), settings.assistant.timeout_s
        ),
        office=office,
        knowledge=knowledge,
        categories=Categories(settings, office.preset, knowledge),
        pace=Pace(workers.INBOX_WORKERS),
        files=FileStore(settings.data_dir / "attachments", settings.attachments),
        assistant_token=assistant_token,
    )
    runtime.channels = {(item.name, item.account): item for item in _build_channels(runtime)}
    secrets = [secret for channel in runtime.channels.values() for secret in channel.secrets()]
    log.hide_secrets([*settings.secrets(), *secrets, assistant_token])
    return runtime


def _wake(runtime: Runtime) -> None:
    runtime.pace.arrived()
    runtime.news.notify("inbox")


def _build_channels(runtime: Runtime) -> list[Channel]:
    """One object for each account that is configured. Web chat and the desk need no account."""
    settings, writer, db, http = runtime.settings, runtime.writer, runtime.db, runtime.http
    files = runtime.files
    passive = OutboxPassiveReplies(runtime)
    mail_tokens = [
        token.token.get_secret_value() for token in settings.api.tokens.values() if "mail" in token.role
    ]
    channels: list[Channel] = [
        WeChat(name, account, writer, db, http, passive, files=files) for name, account in settings.wechat.accounts.items()
    ]
    channels += [
        Email(name, mailbox, writer, files, db, mail_tokens=mail_tokens, max_bytes=settings.email.max_bytes)
        for name, mailbox in settings.email.mailboxes.items()
    ]
    limits = WebChatLimits(settings.web.limits.webchat_per_minute, settings.web.limits.webchat_sessions_per_minute)
    proxies = settings.web.trusted_proxies
    channels.append(
        WebChat(
            limits, writer, db, runtime.news, files, lambda request: client_of(request, proxies),
            lambda session: presence.of_session(runtime, session),
        )
    )
    if settings.phone.token.get_secret_value() or settings.phone.watch_dir:
        channels.append(Phone(settings.phone.token, writer, db, settings.phone.watch_dir))
    channels.append(Sms(settings.sms, http, lambda *report: delivery.take_report(runtime, *report)))
    channels.append(Desk())
    channels.append(Console())
    channels += [
        Webhook(way.account, settings.staff.notify[int(way.account) - 1].url, http)
        for way in runtime.office.ways if way.kind == "webhook"
    ]
    return channels


def _run_parts(runtime: Runtime, with_workers: bool):  # type: ignore[no-untyped-def]
    async def run(app: web.Application) -> AsyncIterator[None]:
        if with_workers and runtime.db.is_sqlite:
            await workers.settle(runtime)
        await _read_calendar(runtime)
        tasks = [asyncio.create_task(keep("writer", runtime.writer.run))]
        for channel in runtime.channels.values():
            await channel.start()
        door = await _open_lmtp(runtime)
        tasks.append(asyncio.create_task(keep("guides", partial(_keep_index_fresh, runtime))))
        working = asyncio.create_task(workers.run(runtime)) if with_workers else None
        tasks += [asyncio.create_task(child.keep_running()) for child in runtime.children]
        app.on_shutdown.append(_close_streams)
        yield
        if door:
            await door.close()
        if working:
            await workers.stop(runtime, working)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await runtime.http.close()

    return run


async def _open_lmtp(runtime: Runtime) -> LmtpDoor | None:
    """The office's mail server hands mail over here, where `email.lmtp.port` is set."""
    settings = runtime.settings.email
    if not settings.lmtp.port:
        return None
    takers = {channel.address: channel.take for channel in runtime.channels.values() if isinstance(channel, Email)}
    door = LmtpDoor(settings.lmtp.host, settings.lmtp.port, takers, settings.max_bytes)
    try:
        await door.start()
    except OSError as error:
        raise Misconfigured(
            f"email.lmtp.port {settings.lmtp.port} on {settings.lmtp.host} cannot be used ({error.strerror}): "
            "choose another"
        ) from None
    return door


async def _read_calendar(runtime: Runtime) -> None:
    """Before anything is counted. A database that is away now is asked again by the worker that tidies."""
    try:
        async with runtime.db.reading() as session:
            await calendar_days.load(session, runtime.office)
    except (SQLAlchemyError, OSError) as error:
        logger.warning("the calendar could not be read", reason=type(error).__name__)


async def _close_streams(app: web.Application) -> None:
    """Open event streams end before the server waits for its handlers."""
    for channel in app[RUNTIME].channels.values():
        await channel.close()


async def _keep_index_fresh(runtime: Runtime) -> None:
    """Load the guides into memory, and again whenever their version in the database has changed.

    Each look is a task of its own: a change does not wait until the vectors of what stood before are made.
    """
    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(_refresh_index(runtime))
            await runtime.news.wait("guides", GUIDES_EVERY_S)


async def _refresh_index(runtime: Runtime) -> None:
    try:
        await runtime.knowledge.refresh(runtime.db)
        await runtime.categories.refresh(runtime.db)
    except asyncio.CancelledError:
        raise
    except Exception:
        logger.exception("the guides could not be loaded")


@web.middleware
async def _answer_errors(request: web.Request, handler):  # type: ignore[no-untyped-def]
    """Our own errors as problem details; anything else is logged and hides its inside.

    No name holds a NUL and PostgreSQL takes none, so an address with one names nothing.
    """
    if "%00" in request.raw_path:
        return problem(NotFound("there is nothing under this address: it holds a NUL character"))
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except HuiyinError as error:
        return problem(error)
    except (asyncio.CancelledError, ConnectionResetError):
        raise
    except Exception:
        logger.exception("request failed", method=request.method, path=request.path)
        return problem(HuiyinError("this is our fault and was logged: try again, or tell the administrator"))


async def _no_such_channel(_request: web.Request) -> web.Response:
    return web.json_response({"title": "Not found", "status": 404, "detail": "no such channel or account"}, status=404)


