"""Which category a resident's words belong to and how urgent they are, before the ticket is registered."""

import asyncio
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.knowledge import Knowledge, take_prepared
from service.settings import Settings
from ticketing import urgency
from ticketing.preset import PRESETS, Preset, load_preset
from ticketing.routing import suggest_category

if TYPE_CHECKING:
    from ticketing.matters import Guess, Matters

FILE = "matters.npz"


@dataclass(frozen=True, slots=True)
class Sorted:
    """Where a text belongs. `words` decided the category, `pressing` the urgency."""

    category: str | None
    share: float
    words: tuple[str, ...]
    urgency: str
    pressing: tuple[str, ...]


class Categories:
    """Learnt at the start from the preset's phrases; until that is done the preset's keywords decide."""

    def __init__(self, settings: Settings, preset: Preset, knowledge: Knowledge) -> None:
        self._settings = settings
        self._preset = preset
        self._knowledge = knowledge
        self._matters: Matters | None = None

    @property
    def is_ready(self) -> bool:
        return self._matters is not None

    async def load(self) -> None:
        """Learn; numpy is not there before the service answers."""
        if self._matters is not None:
            return
        module = await asyncio.to_thread(importlib.import_module, "ticketing.matters")
        folder = self._settings.data_dir / "vectors"
        await asyncio.to_thread(take_prepared, folder, FILE)
        embedder = await self._knowledge.embedder()
        self._matters = await _learn(module, self._preset, embedder, folder / FILE)

    async def sort(self, text: str, kind: str) -> Sorted:
        """Category and urgency of a text. A kind that leads to no ticket has no category."""
        level, pressing = urgency.judge(text)
        if self._matters is None:
            return Sorted(suggest_category(self._preset, kind, text), 0.0, (), level, pressing)
        best = (await self._guess(text))[0]
        return Sorted(best.category, best.share, best.words, level, pressing)

    async def _guess(self, text: str) -> "list[Guess]":
        from ticketing.matters import pieces

        assert self._matters is not None
        vectors = await (await self._knowledge.embedder()).query(pieces(text))
        return self._matters.guess(text, vectors)


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

    phrases = module.phrases_of(preset)
    vectors = await KnownVectors(embedder, path).of([phrase.text for phrase in phrases])
    learnt: Matters = await asyncio.to_thread(module.Matters, preset, phrases, vectors)
    return learnt
