"""A PostgreSQL cluster that the test run makes for itself and throws away."""

import asyncio
import glob
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest


class Cluster:
    """A running server on a free port of 127.0.0.1; `new_database()` gives the URL of a new one."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.template = ""
        """A database with all tables, made once, that new ones are copied from; empty: none yet."""
        self._numbers = itertools.count(1)

    async def new_database(self, template: str = "") -> str:
        name = f"huiyin_{next(self._numbers)}"
        connection = await self._connect()
        copied = f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
        await connection.execute(f"CREATE DATABASE {name}{copied}")
        await connection.close()
        return f"postgresql+asyncpg://huiyin@127.0.0.1:{self.port}/{name}"

    async def drop(self, url: str) -> None:
        """Away with it, whoever is still connected.

        Each is seven hundred files: left where they are, six hundred of them keep the disk busy for a minute at the end.
        """
        connection = await self._connect()
        await connection.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")
        await connection.close()

    async def _connect(self) -> asyncpg.Connection:
        """Its port is open a moment before it takes connections."""
        for _ in range(100):
            try:
                return await asyncpg.connect(f"postgresql://huiyin@127.0.0.1:{self.port}/postgres")
            except asyncpg.CannotConnectNowError:
                await asyncio.sleep(0.1)
        raise RuntimeError("PostgreSQL takes no connections")


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster | None]:
    """The run's own cluster; None where PostgreSQL is not installed (an error when CI demands it)."""
    with running_cluster() as cluster:
        if cluster is None and os.environ.get("HUIYIN_TEST_POSTGRESQL") == "required":
            pytest.fail("PostgreSQL is required here: install the package postgresql")
        yield cluster


@contextmanager
def running_cluster() -> Iterator[Cluster | None]:
    """A cluster of one's own, thrown away at the end; None where PostgreSQL is not installed."""
    binaries = _find_binaries()
    if binaries is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="huiyin-postgres-"))
    user = _unprivileged_user(folder)
    port = _free_port()
    _run(
        [
            str(binaries / "initdb"),
            "-D",
            str(folder / "data"),
            "-U",
            "huiyin",
            "-A",
            "trust",
            "-N",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ],
        user,
    )
    server = subprocess.Popen(
        [
            str(binaries / "postgres"),
            "-D",
            str(folder / "data"),
            "-p",
            str(port),
            "-h",
            "127.0.0.1",
            "-k",
            str(folder),
            "-c",
            "fsync=off",
            "-c",
            "max_connections=200",
        ],
        user=user,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield Cluster(port)
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _find_binaries() -> Path | None:
    """Debian keeps the server's programs out of PATH."""
    folders = [Path(path) for path in sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)]
    on_path = shutil.which("postgres")
    folders += [Path(on_path).parent] if on_path else []
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def _unprivileged_user(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root: then it runs as its own user, or nobody."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    shutil.chown(folder, user)
    return user


def _run(command: list[str], user: str | None) -> None:
    done = subprocess.run(command, user=user, capture_output=True, text=True, cwd="/")
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-400:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not start within 30 s")
