"""Which category a resident's words belong to and how urgent they are, before the ticket is registered."""

import asyncio
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import log
from core.db import Database
from core.errors import HuiyinError
from service.knowledge import Knowledge, take_prepared
from service.settings import Settings
from service.weights_store import FILE, read_file
from ticketing import urgency, weights
from ticketing.preset import PRESETS, Preset, load_preset
from ticketing.routing import suggest_category

if TYPE_CHECKING:
    from core.embed import Vectors
    from ticketing.matters import Matters

logger = log.logger(__name__)


@dataclass(frozen=True, slots=True)
class Sorted:
    """Where a text belongs. `words` decided the category, `pressing` the urgency."""

    category: str | None
    share: float
    words: tuple[str, ...]
    urgency: str
    pressing: tuple[str, ...]


class Categories:
    """By the weights in force, else by what is learnt at the start from the preset's phrases; until then by keywords."""

    def __init__(self, settings: Settings, preset: Preset, knowledge: Knowledge) -> None:
        self._settings = settings
        self._preset = preset
        self._knowledge = knowledge
        self._shipped: Matters | None = None
        self._matters: Matters | None = None
        self._loading = asyncio.Lock()
        self._seen = (weights.SHIPPED, 0)
        self.version = weights.SHIPPED
        self.trouble = ""
        """Why the version in force is not what tickets are sorted by, in Chinese; empty where it is."""

    @property
    def is_ready(self) -> bool:
        return self._matters is not None

    async def load(self) -> None:
        """Learn what is shipped; numpy is not there before the service answers."""
        if self._shipped is not None:
            return
        module = await asyncio.to_thread(importlib.import_module, "ticketing.lesson")
        folder = self._settings.data_dir / "vectors"
        await asyncio.to_thread(take_prepared, folder, FILE)
        embedder = await self._knowledge.embedder()
        self._shipped = await _learn(module, self._preset, embedder, folder / FILE)
        self._matters = self._shipped

    async def refresh(self, db: Database) -> None:
        """Load the version in force, or another one since that was put in force; turns that run go on meanwhile."""
        async with self._loading:
            await self.load()
            async with db.reading() as session:
                now_in_force = await weights.in_force(session, self._preset.name)
            if now_in_force != self._seen:
                await self._take(db, now_in_force[0])
                self._seen = now_in_force

    async def _take(self, db: Database, version: int) -> None:
        """What cannot be used is replaced by what is shipped, and said."""
        matters, trouble = self._shipped, ""
        if version != weights.SHIPPED:
            try:
                matters = await read_file(db, db.keys, self._preset, self._settings.data_dir, version)
            except (HuiyinError, OSError) as error:
                said = error.detail if isinstance(error, HuiyinError) else str(error.strerror)
                trouble = f"第 {version} 版不能用，暂按随软件提供的版本分类：{said}"
                logger.error("the learnt weights cannot be used", version=version, reason=said)
        self._matters, self.trouble = matters, trouble
        self.version = weights.SHIPPED if trouble else version

    async def sort(self, text: str, kind: str, seen: str | None = None) -> Sorted:
        """Category and urgency of a text. A kind that leads to no ticket has no category.

        `seen`: the vector the assistant made of the same text, which serves where the text is one piece.
        """
        level, pressing = urgency.judge(text, kind)
        if self._matters is None:
            return Sorted(suggest_category(self._preset, kind, text), 0.0, (), level, pressing)
        point = await self._to_the_point(self._matters, text)
        best = self._matters.guess(point, await self._vectors(point, seen if point == text else None))[0]
        return Sorted(best.category, best.share, best.words, level, pressing)

    async def look_at(self, text: str) -> None:
        """Make the vectors of a text of several clauses while the assistant reads it: `sort` finds them made, and is quick."""
        from ticketing.matters import STORY, clauses, pieces

        if self._matters is not None and (len(clauses(text)) >= STORY or len(set(pieces(text))) > 1):
            await self._vectors(await self._to_the_point(self._matters, text))

    async def _to_the_point(self, matters: "Matters", text: str) -> str:
        """What the text is about: without who tells it, why it hurts and what he thinks of the office."""
        from ticketing.matters import CLAUSES, STORY, clauses

        told = clauses(text)[:CLAUSES]
        near = await (await self._knowledge.embedder()).query(told) if len(told) >= STORY else None
        return matters.to_the_point(text, near)

    async def _vectors(self, text: str, seen: str | None = None) -> "Vectors | None":
        from core.embed import unpack
        from ticketing.matters import pieces

        parts = pieces(text)
        if seen is not None and len(set(parts)) == 1:
            return unpack(seen, len(parts))
        return await (await self._knowledge.embedder()).query(parts)


async def prepare_matters(folder: Path) -> None:
    """Make the vectors of all presets' phrases once for this checkout."""
    from core.embed import Embedder
    from core.known_vectors import KnownVectors
    from ticketing.matters import phrases_of

    embedder = Embedder()
    known = KnownVectors(embedder, folder / FILE)
    for name in PRESETS:
        await known.of([phrase.text for phrase in phrases_of(load_preset(name))])
    embedder.close()


async def _learn(module: Any, preset: Preset, embedder: Any, path: Path) -> "Matters":
    from core.known_vectors import KnownVectors
    from ticketing.matters import phrases_of

    phrases = phrases_of(preset)
    vectors = await KnownVectors(embedder, path).of([phrase.text for phrase in phrases])
    learnt: Matters = await asyncio.to_thread(module.learn, preset, phrases, vectors)
    return learnt
