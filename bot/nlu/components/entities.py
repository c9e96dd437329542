"""Entities by pattern, lookup and a chain learnt from the marks: places, times, numbers, people, departments, services, scores."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components import chain
from nlu.components.finding import Finder

_CHAIN = "marks.crf"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class PatternEntities(GraphComponent, EntityExtractorMixin):
    """What has a form is found by its form; department and service names come from the training data's lookups, and
    places, people, departments and services are decided by the chain."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """There is nothing to set."""
        return {}

    def __init__(self, storage: ModelStorage, resource: Resource, lookups: dict[str, list[str]],
                 learnt: chain.Chain | None = None) -> None:
        self._storage = storage
        self._resource = resource
        self._finder = Finder(lookups)
        self._chain = learnt

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """The chain learns from what the patterns find: it is learnt anew when any of them changes."""
        digest = hashlib.sha256()
        for file in sorted(file for file in Path(__file__).parent.iterdir() if file.suffix in (".py", ".yml", ".txt")):
            digest.update(file.read_bytes())
        return digest.hexdigest()

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
            learnt = chain.Chain(folder / _CHAIN) if (folder / _CHAIN).exists() else None
        return cls(model_storage, resource, lookups, learnt)

    def train(self, training_data: TrainingData) -> Resource:
        """Keep the lookup tables of the training data, and learn the chain from its marks."""
        lookups = {table["name"]: list(table["elements"]) for table in training_data.lookup_tables}
        with self._storage.write_to(self._resource) as folder:
            (folder / "lookups.json").write_text(json.dumps(lookups, ensure_ascii=False), encoding="utf-8")
            chain.learn(_marked(training_data, Finder(lookups)), folder / _CHAIN)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the entities, none overlapping another, in their order in the text."""
        for message in messages:
            text = message.get(TEXT) or ""
            found = self._finder.find(text, message.get("moment"))
            if self._chain:
                found = self._chain.decide(text, found)
            known = message.get(ENTITIES, [])
            message.set(ENTITIES, known + self.add_extractor_name(found), add_to_output=True)
        return messages


def _marked(data: TrainingData, finder: Finder) -> Iterator[tuple[str, list[chain.Mark], list[chain.Mark]]]:
    """Every sentence that has marks, with what patterns find in it."""
    for example in data.entity_examples:
        text = example.get(TEXT) or ""
        yield text, list(map(chain.mark_of, example.get(ENTITIES, []))), chain.find_marks(finder, text)
