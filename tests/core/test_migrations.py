"""A database made by the migrations is the one the models describe, on both databases."""

import asyncio

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
    import pytest

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
