"""A database made by the migrations is the one the models describe, on both databases."""

import asyncio

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from core.db import Base
from service import models, schema  # noqa: F401  (every table of the house)
from tests.postgres import Cluster


async def check(url: str) -> None:
    await asyncio.to_thread(command.upgrade, schema.alembic_config(url), "head")
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
        )
        assert differences == []
        revision = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        assert revision == schema.newest_revision()
    await engine.dispose()


async def test_migrations_make_what_the_models_say_on_sqlite(tmp_path):
    await check(f"sqlite+aiosqlite:///{tmp_path}/huiyin.db")


async def test_migrations_make_what_the_models_say_on_postgresql(postgres_cluster: Cluster | None):
    if postgres_cluster is None:
        pytest.skip("NO POSTGRESQL ON THIS MACHINE: this half was not tested (install postgresql)")
    await check(await postgres_cluster.new_database())


async def test_the_close_gate_of_the_migration_is_the_one_of_the_models(tmp_path):
    import importlib.util

    from ticketing import gate

    path = next((schema.MIGRATIONS / "versions").glob("0001_*.py"))
    spec = importlib.util.spec_from_file_location("first_migration", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    squeezed = {dialect: [" ".join(s.split()) for s in found] for dialect, found in module.GATE.items()}
    assert squeezed == {dialect: [" ".join(s.split()) for s in found] for dialect, found in gate.STATEMENTS.items()}


async def before_and_after(url: str, revision: str, before: str, read: str) -> list[tuple[object, ...]]:
    """What `read` finds after the upgrade of a database that held the rows of `before` at an earlier revision."""
    await asyncio.to_thread(command.upgrade, schema.alembic_config(url), revision)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in before.split(";"):
            await connection.execute(text(statement))
    await asyncio.to_thread(command.upgrade, schema.alembic_config(url), "head")
    async with engine.connect() as connection:
        rows = [tuple(row) for row in await connection.execute(text(read))]
    await engine.dispose()
    return rows


TWO_TICKETS = """
INSERT INTO resident (id, kind, on_behalf_of, created_at)
VALUES (1, 'person', '{{"relation": "mother"}}', '2026-11-25 02:00:00+00:00'), (2, 'person', NULL, '2026-11-25 02:00:00+00:00');
INSERT INTO ticket (id, number, kind, title, description, state, urgency, confidential, resident_id, code, round, level, version,
registered_by, registered_at, moved_at, elements, missing, supplement_open, supplements_asked, return_open, returns_refused, excluded)
SELECT id, 'HY20261125-0000' || id, 'request', 'lamp', 'lamp', 'registered', 'routine', false, id, CAST('x' AS {blob}), 1, 0, 1, 'assistant',
created_at, created_at, '[]', '[]', false, 0, false, 0, false FROM resident"""
FOR_WHOM = "SELECT id, CAST(on_behalf_of AS TEXT) FROM ticket ORDER BY id"


async def test_what_a_ticket_told_before_the_column_it_tells_after_on_sqlite(tmp_path):
    rows = await before_and_after(f"sqlite+aiosqlite:///{tmp_path}/huiyin.db", "0002", TWO_TICKETS.format(blob="BLOB"), FOR_WHOM)
    assert rows == [(1, '{"relation": "mother"}'), (2, None)]


async def test_what_a_ticket_told_before_the_column_it_tells_after_on_postgresql(postgres_cluster: Cluster | None):
    if postgres_cluster is None:
        pytest.skip("NO POSTGRESQL ON THIS MACHINE: this half was not tested (install postgresql)")
    rows = await before_and_after(await postgres_cluster.new_database(), "0002", TWO_TICKETS.format(blob="BYTEA"), FOR_WHOM)
    assert rows == [(1, '{"relation": "mother"}'), (2, None)]


async def test_the_close_gate_outlives_every_later_migration(tmp_path):
    read = "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    rows = await before_and_after(f"sqlite+aiosqlite:///{tmp_path}/huiyin.db", "0001", "SELECT 1", read)
    assert ("ticket_close_gate_insert",) in rows and ("ticket_close_gate_update",) in rows


def test_revisions_have_one_head():
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(schema.alembic_config("sqlite://"))
    assert script.get_heads() == [schema.newest_revision()]
