"""The files of learnt weights in `data_dir/assistant/weights`, named by the digest of their bytes; the database has them too."""

import asyncio
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from core.db import Database
from core.encryption import Keyring
from ticketing import weights
from ticketing.preset import Preset
from ticketing.weights import Weights

if TYPE_CHECKING:
    from ticketing.matters import Matters, Name

FILE = "matters.npz"
"""In `data_dir/vectors`: those of the shipped phrases."""


def name_with(keys: Keyring) -> "Name":
    """A term's digest under the office's key: who has the file and no key cannot even try terms out."""
    from ticketing.weights_file import DIGITS

    return lambda term: keys.digest(f"term {term}")[:DIGITS]


def path_of(folder: Path, digest: str) -> Path:
    return folder / "assistant" / "weights" / f"{digest[:32]}.npz"


def keep_file(folder: Path, content: bytes) -> None:
    """Whole or not at all, whenever the process ends."""
    path = path_of(folder, hashlib.sha256(content).hexdigest())
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def sweep(folder: Path, kept: set[str]) -> None:
    """Files of versions that are no longer kept, and what a killed learning left."""
    for path in path_of(folder, "").parent.glob("*"):
        if path not in {path_of(folder, digest) for digest in kept}:
            path.unlink(missing_ok=True)


async def read_file(db: Database, keys: Keyring, preset: Preset, folder: Path, version: int) -> "Matters":
    """The weights of a version. One that is not on this machine is taken from the database.

    Raises Unusable where the file is damaged or the categories have changed since; NotFound without such a version.
    """
    from ticketing import weights_file

    async with db.reading() as session:
        digest = (await weights.find(session, preset.name, version)).digest or ""
    path = path_of(folder, digest)
    if not path.exists():
        await restore(db, folder, version)
    content = await asyncio.to_thread(path.read_bytes) if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != digest:
        raise weights_file.Unusable(f"它的文件已损坏，运行 huiyin train use {version} 可由数据库重新写出")
    return await asyncio.to_thread(weights_file.read, content, preset, name_with(keys))


async def restore(db: Database, folder: Path, version: int) -> None:
    """Write the file anew from the database, whatever lies there."""
    async with db.reading() as session:
        content = await session.scalar(select(Weights.content).where(Weights.id == version))
    if content:
        await asyncio.to_thread(keep_file, folder, content)
