"""The knowledge base inside the service: loaded beside the start, since messages are stored before it is there."""

import asyncio
import importlib
import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.db import Database
from service.bot import MODELS
from service.opening import make_opening
from service.settings import Settings
from ticketing.office import Office

if TYPE_CHECKING:
    from core.embed import Embedder
    from knowledge_base.answer import Answer
    from knowledge_base.guide import Guide
    from knowledge_base.index import Index


PREPARED = MODELS / "guides"
"""Beside the assistant's model: made at set-up, for this checkout."""
LINES = "lines.npz"


class Knowledge:
    """Its modules bring numpy and half a second with them, so they are imported in a thread, once."""

    def __init__(self, settings: Settings, office: Office) -> None:
        self._settings = settings
        self.opening = make_opening(office)
        self._answers: Any = None
        self._index: Index | None = None
        self._loading = asyncio.Lock()

    async def refresh(self, db: Database) -> bool:
        """Load the guides, or load them again when they changed; True when they did."""
        await self._load()
        assert self._index is not None
        return await self._index.refresh(db)

    async def index(self) -> "Index":
        """What residents are answered from, for whoever asks it beside them."""
        await self._load()
        assert self._index is not None
        return self._index

    async def find(self, words: str, preset: str) -> list[str]:
        """The slugs of the guides near these words, best first; empty while the guides are being loaded."""
        await self._load()
        if not self.is_ready:
            return []
        found = await self._answers.answer(None, self._index, words, preset, clock.now())
        if found.status not in ("answered", "clarify"):
            return []
        cited = [each.guide for each in found.citations]
        return list(dict.fromkeys([*cited, *(each.guide for each in found.candidates)]))

    @property
    def is_ready(self) -> bool:
        return self._index is not None and self._index.version > 0

    async def answer(
        self, session: AsyncSession, question: str, preset: str, now: datetime, context_guide: str | None,
        place: str | None = None, chosen: str | None = None,
    ) -> "Answer":
        """The answer to a question, in the office's own words or with the reason for none."""
        await self._load()
        found: Answer = await self._answers.answer(
            session, self._index, question, preset, now, context_guide=context_guide, chosen=chosen, place=place,
            opening=self.opening, link=self._link,
        )
        return found

    async def embedder(self) -> "Embedder":
        """What makes sentence vectors in this process: one engine serves all."""
        await self._load()
        assert self._index is not None
        return self._index.embedder

    def _link(self, guide: "Guide") -> str:
        return f"{self._settings.public_url}/guides/{guide.slug}"

    async def _load(self) -> None:
        async with self._loading:
            if self._index is not None:
                return
            self._answers = await asyncio.to_thread(importlib.import_module, "knowledge_base.answer")
            module = await asyncio.to_thread(importlib.import_module, "knowledge_base.index")
            cache = self._settings.data_dir / "vectors"
            await asyncio.to_thread(take_prepared, cache, LINES)
            self._index = module.Index(vectors=self._settings.understanding.vectors, cache=cache)


async def prepare_vectors() -> None:
    """Make the vectors of the shipped guides' lines once for this checkout, so that no first start waits for them."""
    from knowledge_base.index import Index
    from knowledge_base.library import shipped

    index = Index(cache=PREPARED)
    await index.load([imported.guide for imported in shipped()])
    index.close()


def take_prepared(folder: Path, name: str) -> None:
    """A new office begins with what set-up made; from then on its own file is kept."""
    prepared, own = PREPARED / name, folder / name
    if prepared.exists() and not own.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(prepared, own)
