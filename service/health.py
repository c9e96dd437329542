"""Is it alive, is it ready, what are its figures: /healthz, /readyz, /metrics."""

import sqlite3
from datetime import datetime

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core import clock
from service.api.endpoint import RUNTIME
from service.runtime import Runtime
from ticketing.calendars import check_notice

Part = dict[str, str]
OK, DEGRADED, DOWN = "ok", "degraded", "down"


def routes() -> list[web.RouteDef]:
    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]


async def healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": OK})


async def readyz(request: web.Request) -> web.Response:
    """Every part by name. Without the database nothing works; everything else degrades."""
    parts = await _look_at_parts(request.app[RUNTIME], clock.now())
    statuses = {part["status"] for part in parts.values()}
    status = DOWN if parts["database"]["status"] == DOWN else OK if statuses == {OK} else DEGRADED
    return web.json_response({"status": status, "parts": parts}, status=503 if status == DOWN else 200)


async def metrics(_request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _look_at_parts(runtime: Runtime, now: datetime) -> dict[str, Part]:
    parts = {"database": await _look_at_database(runtime), "assistant": await _look_at_assistant(runtime)}
    for (name, account), channel in runtime.channels.items():
        trouble = getattr(channel, "trouble", "")  # Channels that fetch say what keeps them from it.
        part = _part(DEGRADED, trouble) if trouble else _part(OK, "open")
        parts[f"channel.{name}.{account}" if account else f"channel.{name}"] = part
    for worker in ("inbox", "outbox", "warnings"):
        late = runtime.is_late(worker)
        parts[f"worker.{worker}"] = _part(DEGRADED, "silent for a minute") if late else _part(OK, "working")
    parts["calendar"] = _part(*check_notice(runtime.office.preset.hours(), now))
    parts["guides"] = _part(OK, "loaded") if runtime.knowledge.is_ready else _part(DEGRADED, "the guides are being loaded")
    parts["categories"] = _look_at_categories(runtime)
    return parts


async def _look_at_database(runtime: Runtime) -> Part:
    try:
        async with runtime.db.reading() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, sqlite3.Error) as error:
        return _part(DOWN, f"cannot be read ({type(error).__name__})")
    return _part(OK, runtime.db.engine.dialect.name)


def _look_at_categories(runtime: Runtime) -> Part:
    here = runtime.categories
    if not here.is_ready:
        return _part(DEGRADED, "being learnt: keywords decide until then")
    return _part(DEGRADED, here.trouble) if here.trouble else _part(OK, f"version {here.version}")


async def _look_at_assistant(runtime: Runtime) -> Part:
    if await runtime.assistant.is_ready():
        return _part(OK, "ready")
    return _part(DEGRADED, "loading or away: what arrives is kept and given to a clerk")


def _part(status: str, detail: str) -> Part:
    return {"status": status, "detail": detail}
