"""`huiyin serve`: one process with web and workers, Rasa and its action server beside it."""

import asyncio
import errno
import fcntl
import os
import secrets
import signal
import sys
import threading
from datetime import datetime
from typing import IO

from aiohttp import web
from sqlalchemy import func, select

from core import clock, log
from core.db import Database, end_leftovers
from core.errors import Misconfigured
from knowledge_base.guide import PRESETS
from knowledge_base.library import load_shipped
from service import bot, demo, schema, sign_in
from service.api.endpoint import RUNTIME
from service.demo import office as demo_office
from service.demo import pages as demo_pages
from service.runtime import Runtime
from service.settings import Settings
from service.web import build_app
from ticketing import staff as staff_table
from ticketing.staff import Staff

logger = log.logger(__name__)

ADMINISTRATOR = "admin"
ALREADY_RUNS = 4
GRACE_S = 3.0
ENDS_WITHIN_S = 9.0


def serve(settings: Settings) -> int:
    """Run until SIGINT or SIGTERM; the exit code."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (settings.data_dir / "huiyin.lock").open("a+") as lock:
        if schema.is_sqlite(settings) and not _lock(lock):
            print(f"huiyin: another Huiyin already runs on {settings.data_dir}: stop it first", file=sys.stderr)
            return ALREADY_RUNS
        return asyncio.run(_serve(settings))


def _lock(file: IO[str]) -> bool:
    """One service for one SQLite file; the lock ends with the process, however it ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


async def _serve(settings: Settings) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await schema.migrate(settings)
    async with demo.open_town(settings) as (settings, town):
        return await _run(settings, town, stop)


async def _run(settings: Settings, town: demo.Town | None, stop: asyncio.Event) -> int:
    db = await schema.open_database(settings)
    app = build_app(settings, db, secrets.token_urlsafe(32))
    if town:
        app.add_routes(demo_pages.routes(town))
    runner = web.AppRunner(app, shutdown_timeout=GRACE_S, access_log=None)
    await runner.setup()
    port = await _listen(runner, settings)
    print(f"Huiyin listens on http://{settings.web.host}:{port}/", flush=True)
    await _print_first_link(settings, db, port)
    if town:
        town.base = f"http://127.0.0.1:{port}"
        await demo_office.furnish(app[RUNTIME])
        print(f"Demo: play the resident at http://{settings.web.host}:{port}/demo", flush=True)
    background = asyncio.create_task(_begin_background(app[RUNTIME], port))
    await stop.wait()
    _end_at_the_latest()
    background.cancel()
    await asyncio.gather(background, return_exceptions=True)
    await runner.cleanup()
    await db.close()
    await end_leftovers()
    return 0


def _end_at_the_latest() -> None:
    """SIGTERM is answered in ten seconds whatever hangs: what was acknowledged is on disk, the next start takes the rest up.

    A database thread that waits for a lock can be neither cancelled nor left behind by an ordinary exit.
    """
    timer = threading.Timer(ENDS_WITHIN_S, os._exit, (0,))
    timer.daemon = True
    timer.start()


async def _listen(runner: web.AppRunner, settings: Settings) -> int:
    site = web.TCPSite(runner, settings.web.host, settings.web.port)
    try:
        await site.start()
    except OSError as error:
        raise Misconfigured(
            f"web.port {settings.web.port} on {settings.web.host} cannot be used ({error.strerror}): choose another"
        ) from None
    address: tuple[str, int] = runner.addresses[0]
    return address[1]


async def _begin_background(runtime: Runtime, port: int) -> None:
    """What need not be ready before messages are stored: guides, model, Rasa."""
    loading = asyncio.create_task(_load_guides(runtime))
    try:
        await asyncio.shield(loading)
    except asyncio.CancelledError:
        await asyncio.wait({loading}, timeout=GRACE_S)  # Its transaction ends; it is not cut off.
        raise
    if not runtime.settings.assistant.url:
        await _run_neighbours(runtime, port)


async def _load_guides(runtime: Runtime) -> None:
    try:
        if await load_shipped(runtime.db, PRESETS, runtime.settings.samples_are_published, clock.now()):
            runtime.news.notify("guides")
    except Exception:
        logger.exception("the shipped guides could not be loaded")


async def _run_neighbours(runtime: Runtime, port: int) -> None:
    """Rasa and the action server, kept running until we stop."""
    settings = runtime.settings
    try:
        model = await bot.train(settings.understanding.vectors)
    except Misconfigured as error:
        logger.error("the assistant cannot start: a clerk gets every message", reason=error.detail)
        return
    api_url = f"http://127.0.0.1:{port}/api/v1"
    neighbours = bot.make_neighbours(settings, model, api_url, runtime.assistant_token)
    log.hide_secrets([neighbours.token])
    runtime.assistant.connect(neighbours.url, neighbours.token)
    runtime.children = neighbours.children
    async with asyncio.TaskGroup() as group:
        for child in neighbours.children:
            group.create_task(child.keep_running())


async def _print_first_link(settings: Settings, db: Database, port: int) -> None:
    """While no administrator has signed in, each start prints one way in."""
    now = clock.now()
    async with db.writing() as session:
        signed_in = select(func.count()).where(Staff.signed_in_at.is_not(None), Staff.name == ADMINISTRATOR)
        if await session.scalar(signed_in):
            return
        token = await _invite(session, now)
    base = settings.web.public_url.rstrip("/") or f"http://{settings.web.host}:{port}"
    print(f"Sign in once, within 15 minutes: {base}/staff/enter?token={token}", flush=True)


async def _invite(session, now: datetime) -> str:  # type: ignore[no-untyped-def]
    if await session.scalar(select(Staff).where(Staff.name == ADMINISTRATOR)) is None:
        roles = ["administrator", "clerk", "officer", "supervisor", "editor"]
        await staff_table.add(session, ADMINISTRATOR, roles, None, None, now)
    return await sign_in.make_link(session, ADMINISTRATOR, now)


