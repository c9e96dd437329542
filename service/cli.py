"""The command `huiyin`: serve and look after it. Errors are one line and an exit code other than 0."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy import select

from core import audit, clock, log, queues
from core.db import Database
from core.errors import HuiyinError
from core.queues import Inbox, Outbox
from service import bot, schema
from service.settings import Settings, load_settings
from ticketing import staff as staff_table

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
inbox_app = typer.Typer(no_args_is_help=True, help="Messages that arrived.")
outbox_app = typer.Typer(no_args_is_help=True, help="Messages that went out.")
staff_app = typer.Typer(no_args_is_help=True, help="Who may sign in.")
guides_app = typer.Typer(no_args_is_help=True, help="The knowledge base.")
app.add_typer(inbox_app, name="inbox")
app.add_typer(outbox_app, name="outbox")
app.add_typer(staff_app, name="staff")
app.add_typer(guides_app, name="guides")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
T = TypeVar("T")


def main() -> None:
    """The entry point: an expected error becomes one line."""
    try:
        app()
    except HuiyinError as error:
        print(f"huiyin: {error.detail}", file=sys.stderr)
        raise SystemExit(2) from None
    except OSError as error:
        print(f"huiyin: {error.strerror or error}: {error.filename or ''}", file=sys.stderr)
        raise SystemExit(3) from None


def _settings() -> Settings:
    settings = load_settings()
    clock.set_offset(settings.clock_offset)
    return settings


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@app.command()
def serve() -> None:
    """Everything in the foreground: web, workers, and the assistant beside it."""
    from service.serve import serve as run

    settings = _settings()
    log.set_up(settings.log.level)
    raise SystemExit(run(settings))


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    _run(schema.migrate(_settings()))


@app.command()
def train() -> None:
    """Train the assistant, if its training data changed."""
    settings = _settings()
    print(f"assistant: {bot.train(settings.understanding.vectors).name}")


@app.command()
def check() -> None:
    """Read the settings and the presets; say what is wrong."""
    from ticketing.preset import load_preset

    settings = _settings()
    load_preset(settings.office.preset)
    print("settings: ok")


@guides_app.command("check")
def check_guides(paths: Annotated[list[Path] | None, typer.Argument()] = None) -> None:
    """Look for guides that must not be published as they are."""
    from knowledge_base.check import check_guides as check
    from knowledge_base.library import GUIDES

    today = clock.local(clock.now()).date()
    faults = [fault for path in paths or [GUIDES] for fault in check(path, today)]
    for fault in faults:
        print(fault)
    if faults:
        raise SystemExit(1)
    print("guides: ok")


@inbox_app.command("list")
def list_inbox(as_json: AsJson = False, status: str | None = None, limit: int = 50) -> None:
    """The newest messages; --status set_aside shows what waits for a person."""
    _run(_list_rows(Inbox, status, limit, as_json))


@outbox_app.command("list")
def list_outbox(as_json: AsJson = False, status: str | None = None, limit: int = 50) -> None:
    """The newest outgoing messages."""
    _run(_list_rows(Outbox, status, limit, as_json))


@inbox_app.command("replay")
def replay_inbox(row_id: int) -> None:
    """Put a message that was set aside back to work."""
    _run(_replay(Inbox, row_id))


@outbox_app.command("retry")
def retry_outbox(row_id: int) -> None:
    """Put an outgoing message that was set aside back to work."""
    _run(_replay(Outbox, row_id))


async def _open() -> Database:
    return await schema.open_database(_settings())


async def _list_rows(table: type[queues.Row], status: str | None, limit: int, as_json: bool) -> None:
    db = await _open()
    async with db.reading() as session:
        query = select(table).order_by(table.id.desc()).limit(limit)
        if status:
            query = query.where(table.status == status)
        rows = [_row_as_dict(row) for row in await session.scalars(query)]
    await db.close()
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        print("  ".join(str(row[name] or "-") for name in row))


def _row_as_dict(row: Inbox | Outbox) -> dict[str, Any]:
    moment = row.received_at if isinstance(row, Inbox) else row.created_at
    return {
        "id": row.id,
        "status": row.status,
        "channel": row.channel,
        "account": row.account,
        "external_id" if isinstance(row, Inbox) else "recipient":
            row.external_id if isinstance(row, Inbox) else row.recipient,
        "at": clock.local(moment).isoformat(timespec="seconds"),
        "attempts": row.attempts,
        "text": row.text[:60],
        "last_error": row.last_error,
    }


async def _replay(table: queues.Queue, row_id: int) -> None:
    db = await _open()
    now = clock.now()
    try:
        async with db.writing() as session:
            if not await queues.replay(session, table, row_id, now):
                raise HuiyinError(f"{table.__tablename__} row {row_id} was not set aside: nothing to replay")
            audit.record(session, now, "cli", f"{table.__tablename__}:replay", f"{table.__tablename__}:{row_id}")
    finally:
        await db.close()
    print(f"{table.__tablename__} {row_id}: todo")


@staff_app.command("add")
def add_staff(
    name: str,
    role: Annotated[list[str], typer.Option(help="May be given several times.")],
    department: Annotated[str | None, typer.Option()] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin")] = False,
) -> None:
    """A new member of staff."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    _run(_add_staff(name, role, department, password))
    print(f"staff {name}: {', '.join(role)}")


async def _add_staff(name: str, roles: list[str], department: str | None, password: str | None) -> None:
    db = await _open()
    try:
        async with db.writing() as session:
            await staff_table.add(session, name, roles, department, password, clock.now())
    finally:
        await db.close()


@staff_app.command("reset")
def reset_staff(name: str) -> None:
    """Print a new one-time sign-in link."""
    print(_run(_make_link(name)))


async def _make_link(name: str) -> str:
    from service import sign_in

    settings = _settings()
    db = await schema.open_database(settings)
    try:
        async with db.writing() as session:
            await staff_table.find(session, name)
            token = await sign_in.make_link(session, name, clock.now())
    finally:
        await db.close()
    return f"{settings.public_url}/staff/enter?token={token}"
