"""All guides in memory: one shelf a preset, replaced as a whole when the guides' version in the database moves."""

import asyncio
from pathlib import Path

from core.db import Database
from core.embed import Embedder
from core.known_vectors import KnownVectors
from knowledge_base import library
from knowledge_base.guide import PRESETS, Guide
from knowledge_base.phrases import foreign_phrases
from knowledge_base.shelf import Hit, Shelf


class Index:
    """What a process asks. Searching never waits for a rebuild: the old shelves serve until the new ones stand."""

    def __init__(self, vectors: bool = True, cache: Path | None = None) -> None:
        """`cache` is the folder that keeps the lines' vectors from one start to the next."""
        self.embedder = Embedder(vectors)
        self.version = -1
        self.shelves: dict[str, Shelf] = {preset: Shelf([]) for preset in PRESETS}
        self._known = KnownVectors(self.embedder, cache / "lines.npz" if cache else None)
        self._building, self._filling = asyncio.Lock(), asyncio.Lock()

    async def refresh(self, db: Database) -> bool:
        """Build anew if the guides changed since; first by words, then, in the background of words, the vectors."""
        async with self._building:
            async with db.reading() as session:
                version = await library.current_version(session)
                if version == self.version:
                    return False
                guides = await library.guides(session)
            await self._build(guides, version)
        await self._fill()
        return True

    async def load(self, guides: list[Guide], version: int = 0) -> None:
        """Put these guides up: searchable by words at once, by vectors as soon as those are made."""
        async with self._building:
            await self._build(guides, version)
        await self._fill()

    async def _build(self, guides: list[Guide], version: int) -> None:
        by_preset = {preset: [guide for guide in guides if guide.preset == preset] for preset in PRESETS}
        self.shelves = {preset: await self._shelf(preset, own) for preset, own in by_preset.items()}
        self.version = version

    async def _fill(self) -> None:
        """The vectors of the shelves that stand. A change does not wait for those of the shelves before it."""
        async with self._filling:
            for preset in PRESETS:
                shelf = self.shelves[preset]
                if not shelf.has_vectors:
                    await self._add_vectors(shelf)

    async def _shelf(self, preset: str, guides: list[Guide]) -> Shelf:
        """The shelf of one preset; one whose guides are the same is kept, so that an edit is answered soon."""
        before = self.shelves[preset]
        if guides and before.guides == guides:
            return before
        return await asyncio.to_thread(_shelve, preset, guides)

    async def search(self, question: str, preset: str, *, context: str | None = None, limit: int = 10) -> list[Hit]:
        """The guides of this preset nearest to a question, best first."""
        shelf = self.shelves[preset]
        vectors = await self.embedder.query(shelf.read(question)) if shelf.has_vectors else None
        return shelf.search(question, vectors, context=context, limit=limit)

    def close(self) -> None:
        self.embedder.close()

    async def _add_vectors(self, shelf: Shelf) -> None:
        vectors = await self._known.of(shelf.texts())
        if vectors is not None:
            shelf.set_vectors(vectors)


def _shelve(preset: str, guides: list[Guide]) -> Shelf:
    """What a guide of this office names is no matter of another."""
    named = "\n".join(name for guide in guides
                      for name in (guide.title, *guide.aliases, *(each.question for each in guide.faq)))
    return Shelf(guides, [phrase for phrase in foreign_phrases(preset) if phrase not in named])
