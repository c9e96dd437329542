"""What every test may use: a database of each kind, empty, with all tables made."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.db import Base, Database, end_leftovers
from core.encryption import Keyring
from tests.postgres import Cluster, postgres_cluster  # noqa: F401

KEYS = Keyring(bytes(range(32)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one file run in one process when files run side by side."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(str(item.path)))


@pytest.fixture(params=["sqlite", "postgresql"])
async def db(request: pytest.FixtureRequest, tmp_path: Path, empty_sqlite: Path) -> AsyncIterator[Database]:
    """An empty database with all tables, once on SQLite and once on PostgreSQL."""
    url = f"sqlite+aiosqlite:///{tmp_path}/huiyin.db"
    cluster: Cluster | None = request.getfixturevalue("postgres_cluster") if request.param == "postgresql" else None
    if request.param == "postgresql":
        if cluster is None:
            pytest.skip("NO POSTGRESQL ON THIS MACHINE: this half was not tested (install postgresql)")
        if not cluster.template:
            made = await cluster.new_database()
            await make_tables(made)
            cluster.template = made.rpartition("/")[2]
        url = await cluster.new_database(cluster.template)
    else:
        shutil.copyfile(empty_sqlite, tmp_path / "huiyin.db")
    database = Database(url, KEYS)
    yield database
    await database.close()
    await end_leftovers()
    if cluster is not None:
        await cluster.drop(url)


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables, made once, that each test gets a copy of."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    asyncio.run(make_tables(f"sqlite+aiosqlite:///{path}"))
    return path


async def make_tables(url: str) -> None:
    """All tables of the house, as the models say."""
    import service.models  # noqa: F401

    database = Database(url, KEYS)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await database.close()
