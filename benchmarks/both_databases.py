"""A benchmark on both databases: a new SQLite file, and a PostgreSQL cluster of its own where one is installed."""

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.conftest import make_tables
from tests.postgres import running_cluster


async def measure_on_both(measure: Callable[[str, int], Awaitable[None]], count: int) -> None:
    """Call `measure(url, count)` with an empty database of each kind; says where PostgreSQL is missing."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'measured.db'}"
        await make_tables(url)
        await measure(url, count)
    with running_cluster() as cluster:
        if cluster is None:
            print("postgresql: not installed here, not measured")
            return
        url = await cluster.new_database()
        await make_tables(url)
        await measure(url, count)
