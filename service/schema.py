"""The database made and brought up to date, and the keys it is encrypted with."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from core.db import Database
from core.encryption import Keyring, make_key_file, read_keyring
from core.errors import Misconfigured
from service import models  # noqa: F401  (every table of the house)
from service.settings import Settings

MIGRATIONS = Path(__file__).resolve().parent.parent / "core" / "migrations"


def is_sqlite(settings: Settings) -> bool:
    return settings.resolved_database_url.startswith("sqlite")


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


async def migrate(settings: Settings) -> None:
    """Bring the database to the newest revision."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(command.upgrade, alembic_config(settings.resolved_database_url), "head")


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
    if url.startswith("sqlite") and not Path(url.partition(":///")[2]).exists():
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
