"""Vectors of texts that come back at every start, kept in a file: made once, read ever after."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from core.embed import SIZE, Embedder, Vectors

BATCH = 16
"""Texts made into vectors at a time; a resident's question waits for one batch at most."""


class KnownVectors:
    """The file's vectors and those made since. A damaged file costs time, never an answer."""

    def __init__(self, embedder: Embedder, path: Path | None) -> None:
        self._embedder = embedder
        self._path = path
        self._known: dict[str, Vectors] | None = None

    async def of(self, texts: Sequence[str]) -> Vectors | None:
        """One row (384 numbers, length 1) a text; None where vectors are off."""
        if self._known is None:
            self._known = await asyncio.to_thread(self._read)
        missing = [text for text in dict.fromkeys(texts) if _digest(text) not in self._known]
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            made = await self._embedder.query(batch)
            if made is None:
                return None
            self._known.update(zip(map(_digest, batch), made, strict=True))
        if missing:
            await asyncio.to_thread(self._write)
        if not texts or not self._embedder.available:
            return None
        return np.stack([self._known[_digest(text)] for text in texts])

    def _read(self) -> dict[str, Vectors]:
        if self._path is None or not self._path.exists():
            return {}
        try:
            with np.load(self._path, allow_pickle=False) as stored:
                rows = np.asarray(stored["vectors"], np.float32)
                if rows.ndim != 2 or rows.shape[1] != SIZE:
                    return {}
                return dict(zip(stored["digests"].tolist(), rows, strict=True))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return {}

    def _write(self) -> None:
        if self._path is None or not self._known:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".part.npz")
        np.savez(unfinished, digests=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
        unfinished.replace(self._path)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
