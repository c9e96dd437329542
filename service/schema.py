"""The database made and brought up to date, and the keys it is encrypted with."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from core.db import Database
from core.encryption import Keyring, make_key_file, read_keyring
from core.errors import Misconfigured
from service import models  # noqa: F401  (every table of the house)
from service.settings import Settings

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parent.parent / "core" / "migrations"


def is_sqlite(settings: Settings) -> bool:
    return settings.resolved_database_url.startswith("sqlite")


def is_missing(settings: Settings) -> bool:
    """Whether no service ever ran on this `data_dir`; of another database than SQLite that is not known."""
    return _is_missing_file(settings.resolved_database_url)


def alembic_config(url: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


async def migrate(settings: Settings) -> None:
    """Bring the database to the newest revision; nothing is loaded for it when it is there already."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if await _revision(settings.resolved_database_url) == newest_revision():
        return
    from alembic import command

    await asyncio.to_thread(command.upgrade, alembic_config(settings.resolved_database_url), "head")


def newest_revision() -> str:
    """Revisions are numbered, so the last file's number is the newest."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


async def _revision(url: str) -> str | None:
    """Where the database stands; None for a new one."""
    if _is_missing_file(url):
        return None
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            revision = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            return str(revision) if revision else None
    except DBAPIError:
        return None
    finally:
        await engine.dispose()


def _is_missing_file(url: str) -> bool:
    return url.startswith("sqlite") and not Path(url.partition(":///")[2]).exists()


async def open_database(settings: Settings) -> Database:
    """The database with its keys; makes the key file at the first start. Misconfigured without the right key."""
    return Database(settings.resolved_database_url, await find_keys(settings))


async def find_keys(settings: Settings) -> Keyring:
    path = settings.key_path
    if not path.exists():
        if await _holds_data(settings.resolved_database_url):
            raise Misconfigured(
                f"privacy.key_file {path.name} is missing, but the database holds encrypted data: restore the key"
            )
        make_key_file(path)
    return read_keyring(path)


async def _holds_data(url: str) -> bool:
    """Whether anything encrypted can be in there already."""
    if _is_missing_file(url):
        return False
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            names = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
            for table in {"inbox", "resident"} & names:
                if await connection.scalar(text(f"SELECT 1 FROM {table} LIMIT 1")):
                    return True
    finally:
        await engine.dispose()
    return False
