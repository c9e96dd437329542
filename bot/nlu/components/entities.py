"""Entities by pattern and lookup: places, times, numbers, people, departments, services, scores."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components import patterns
from nlu.components.normal import fold
from nlu.components.times import ZONE, find_times


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class PatternEntities(GraphComponent, EntityExtractorMixin):
    """What has a form is found by its form; department and service names come from the training data's lookups."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """There is nothing to set."""
        return {}

    def __init__(self, storage: ModelStorage, resource: Resource, lookups: dict[str, list[str]]) -> None:
        self._storage = storage
        self._resource = resource
        self._names = {name: _any_of(words) for name, words in lookups.items() if words}

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource,
        execution_context: ExecutionContext,
    ) -> PatternEntities:
        """An extractor without lookups yet."""
        return cls(model_storage, resource, {})

    @classmethod
    def load(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource,
        execution_context: ExecutionContext, **kwargs: Any,
    ) -> PatternEntities:
        """The extractor with the lookups it was trained on."""
        with model_storage.read_from(resource) as folder:
            lookups = json.loads((folder / "lookups.json").read_text(encoding="utf-8"))
        return cls(model_storage, resource, lookups)

    def train(self, training_data: TrainingData) -> Resource:
        """Keep the lookup tables of the training data."""
        lookups = {table["name"]: list(table["elements"]) for table in training_data.lookup_tables}
        with self._storage.write_to(self._resource) as folder:
            (folder / "lookups.json").write_text(json.dumps(lookups, ensure_ascii=False), encoding="utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the entities, none overlapping another, in their order in the text."""
        for message in messages:
            text = message.get(TEXT) or ""
            found = _without_overlap(self._find(text, message.get("moment")))
            known = message.get(ENTITIES, [])
            message.set(ENTITIES, known + self.add_extractor_name(found), add_to_output=True)
        return messages

    def _find(self, text: str, moment: str | None) -> Iterator[dict[str, Any]]:
        """Earlier ones win where two overlap: what is exact comes before what is broad."""
        plain = fold(text)
        for name, pattern in patterns.EXACT:
            yield from (_entity(text, name, *match.span("it")) for match in pattern.finditer(plain))
        for time in find_times(text, _moment(moment)):
            yield _entity(text, "time", time.start, time.end) | {
                "from": time.begins.isoformat(), "to": time.ends.isoformat(), "coming": time.relative_to_future}
        yield from (_entity(text, "place", start, end) for start, end in patterns.find_places(plain))
        # 物业费 is a service, though 物业 is a department: the longer name is meant.
        named = [_entity(text, name, *match.span()) for name, pattern in self._names.items()
                 for match in pattern.finditer(plain) if not plain[match.end():match.end() + 1].isdigit()]
        yield from sorted(named, key=lambda entity: entity["start"] - entity["end"])
        for name, pattern in patterns.BROAD:
            yield from (_entity(text, name, *match.span("it")) for match in pattern.finditer(plain))


def _moment(said: str | None) -> datetime:
    moment = datetime.fromisoformat(said.replace("Z", "+00:00")) if said else datetime.now(ZONE)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)


def _entity(text: str, name: str, start: int, end: int) -> dict[str, Any]:
    return {"entity": name, "start": start, "end": end, "value": text[start:end]}


def _without_overlap(found: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for entity in found:
        if entity["start"] < entity["end"] and all(
                entity["end"] <= other["start"] or entity["start"] >= other["end"] for other in kept):
            kept.append(entity)
    return sorted(kept, key=lambda entity: entity["start"])


def _any_of(words: list[str]) -> re.Pattern[str]:
    longest_first = sorted({fold(word) for word in words}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))
