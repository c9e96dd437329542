"""All guides in memory: one shelf a preset, replaced as a whole when the guides' version in the database moves."""

import asyncio
import hashlib
from pathlib import Path

import numpy as np

from core.db import Database
from core.embed import SIZE, Embedder, Vectors
from knowledge_base import library
from knowledge_base.guide import PRESETS, Guide
from knowledge_base.phrases import foreign_phrases
from knowledge_base.shelf import Hit, Shelf

BATCH = 16
"""Lines made into vectors at a time; a resident's question waits for one batch at most."""


class Index:
    """What a process asks. Searching never waits for a rebuild: the old shelves serve until the new ones stand."""

    def __init__(self, vectors: bool = True, cache: Path | None = None) -> None:
        """`cache` is the folder that keeps the lines' vectors from one start to the next."""
        self.embedder = Embedder(vectors)
        self.version = -1
        self.shelves: dict[str, Shelf] = {preset: Shelf([]) for preset in PRESETS}
        self._cache = cache / "lines.npz" if cache else None
        self._known: dict[str, Vectors] | None = None
        self._building = asyncio.Lock()

    async def refresh(self, db: Database) -> bool:
        """Build anew if the guides changed since; first by words, then, in the background of words, the vectors."""
        async with db.reading() as session:
            version = await library.current_version(session)
            if version == self.version:
                return False
            guides = await library.guides(session)
        await self.load(guides, version)
        return True

    async def load(self, guides: list[Guide], version: int = 0) -> None:
        """Put these guides up: searchable by words at once, by vectors as soon as those are made."""
        async with self._building:
            by_preset = {preset: [guide for guide in guides if guide.preset == preset] for preset in PRESETS}
            shelves = {preset: await asyncio.to_thread(Shelf, own, foreign_phrases(preset))
                       for preset, own in by_preset.items()}
            self.shelves, self.version = shelves, version
            for shelf in shelves.values():
                await self._add_vectors(shelf)
            await asyncio.to_thread(self._save)

    async def search(self, question: str, preset: str, *, context: str | None = None, limit: int = 10) -> list[Hit]:
        """The guides of this preset nearest to a question, best first."""
        shelf = self.shelves[preset]
        vectors = await self.embedder.query(shelf.read(question)) if shelf.has_vectors else None
        return shelf.search(question, vectors, context=context, limit=limit)

    def close(self) -> None:
        self.embedder.close()

    async def _add_vectors(self, shelf: Shelf) -> None:
        if self._known is None:
            self._known = await asyncio.to_thread(self._read)
        texts = shelf.texts()
        missing = [text for text in dict.fromkeys(texts) if _digest(text) not in self._known]
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            made = await self.embedder.query(batch)
            if made is None:
                return
            self._known.update(zip(map(_digest, batch), made, strict=True))
        if texts and self.embedder.available:
            shelf.set_vectors(np.stack([self._known[_digest(text)] for text in texts]))

    def _read(self) -> dict[str, Vectors]:
        if self._cache is None or not self._cache.exists():
            return {}
        try:
            with np.load(self._cache, allow_pickle=False) as stored:
                rows = np.asarray(stored["vectors"], np.float32)
                if rows.ndim != 2 or rows.shape[1] != SIZE:
                    return {}
                return dict(zip(stored["digests"].tolist(), rows, strict=True))
        except (OSError, ValueError, KeyError):
            # A damaged cache costs time, never an answer: the vectors are made anew.
            return {}

    def _save(self) -> None:
        if self._cache is None or not self._known:
            return
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._cache.with_suffix(".part.npz")
        np.savez(unfinished, digests=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
        unfinished.replace(self._cache)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
