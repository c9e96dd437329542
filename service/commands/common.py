"""What every command stands on: the settings, an open database, one way to print a list."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

import typer

from core import clock
from core.db import Database
from service import schema
from service.settings import Settings, load_settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
T = TypeVar("T")


def new_group(about: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(no_args_is_help=True, help=about)


def read_settings() -> Settings:
    settings = load_settings()
    clock.set_offset(settings.clock_offset)
    return settings


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@asynccontextmanager
async def opened() -> AsyncIterator[Database]:
    """The office's database, closed at the end."""
    db = await schema.open_database(read_settings())
    try:
        yield db
    finally:
        await db.close()


def print_list(rows: Iterable[dict[str, Any]], as_json: bool) -> None:
    """JSON for programs, one line a row for people."""
    if as_json:
        print(json.dumps(list(rows), ensure_ascii=False))
        return
    for row in rows:
        print("  ".join("-" if value in (None, "") else str(value) for value in row.values()))
