"""The intent of a message: characters and sentence vectors joined at equal weight, with calibrated confidence.

Of an emergency also which danger it is.
"""
from __future__ import annotations

import logging
import pickle
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components import gist, signs
from nlu.components.dangers import Dangers
from nlu.components.engine import embed
from nlu.components.judge import Judge
from nlu.components.vectors import vectors_wanted

logger = logging.getLogger(__name__)

LONGEST_ALARM = 300
"""Who is in danger writes no more than this."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentJudge(IntentClassifier, GraphComponent):
    """Two linear models in one: with vectors, and without them for when they are switched off."""

    @classmethod
    def required_components(cls) -> list[type]:
        """Vectors come from a featurizer before this component."""
        return [Featurizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`unsure`: below this confidence the message counts as not understood."""
        return {"unsure": 0.3, "ranking_length": 10}

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource,
                 learned: tuple[Judge, Dangers] | None = None) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._judge, self._dangers = learned or (None, None)

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource,
        execution_context: ExecutionContext,
    ) -> IntentJudge:
        """A classifier that has learned nothing yet."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource,
        execution_context: ExecutionContext, **kwargs: Any,
    ) -> IntentJudge:
        """A trained classifier out of the model's own store."""
        with model_storage.read_from(resource) as folder, (folder / "judge.pickle").open("rb") as file:
            return cls(config, model_storage, resource, pickle.load(file))

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from all examples that carry an intent, and the dangers from those that name one."""
        examples = [e for e in training_data.intent_examples if e.get(INTENT) and e.get(TEXT)]
        self._judge = Judge.learn(*_columns(examples), [e.get(INTENT) for e in examples])
        cries = [e for e in examples if _danger(e)]
        self._dangers = Dangers.learn(self._judge, *_columns(cries), [_danger(e) for e in cries])
        with self._storage.write_to(self._resource) as folder, (folder / "judge.pickle").open("wb") as file:
            pickle.dump((self._judge, self._dangers), file)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set intent and ranking; a message nobody can be sure about becomes `nlu_fallback`."""
        for message in messages:
            ranking = self._rank(message)
            best = ranking[0]
            if best["confidence"] < self._config["unsure"]:
                best = {"name": "nlu_fallback", "confidence": 1 - best["confidence"]}
                ranking = [best, *ranking]
            message.set(INTENT, best, add_to_output=True)
            if best["name"] == signs.EMERGENCY and self._judge is not None and self._dangers is not None:
                danger, share = self._dangers.tell(self._judge, message.get(TEXT), _vector(message))
                message.set("danger", {"name": danger, "confidence": share}, add_to_output=True)
            message.set("intent_ranking", ranking[: self._config["ranking_length"]], add_to_output=True)
        return messages

    def _rank(self, message: Message) -> list[dict[str, Any]]:
        text = message.get(TEXT) or ""
        if self._judge is None or not text.strip():
            return [{"name": "nlu_fallback", "confidence": 1.0}]
        if len(text.strip()) < gist.LONG:
            ranking = signs.decide(self._judge.rank(text, _vector(message)), text)
        else:
            ranking = self._rank_long(message, text)
        return [{"name": name, "confidence": float(share)} for name, share in ranking]

    def _rank_long(self, message: Message, text: str) -> list[tuple[str, float]]:
        """By what its sentences ask for; where they ask for two things, both are told."""
        ranking, ranked = gist.weigh(gist.split(text), self._rank_sentence)
        if matters := gist.find_matters(ranked):
            message.set("matters", matters, add_to_output=True)
        # In a long letter danger is mostly told of; one that is there now is said in a sentence that the model knows too.
        alarmed = [each for sentence, each in ranked if each[0][0] == signs.EMERGENCY and signs.see_danger(sentence.text)]
        return signs.put_first(ranking, signs.EMERGENCY) if alarmed and len(text) < LONGEST_ALARM else ranking

    def _rank_sentence(self, sentence: str) -> list[tuple[str, float]]:
        assert self._judge is not None
        return self._judge.rank(sentence, embed(sentence) if vectors_wanted() else None)


def _columns(examples: list[Message]) -> tuple[list[str], np.ndarray]:
    """Texts and their vectors (n, 384)."""
    return [e.get(TEXT) for e in examples], np.vstack([_vector(e) for e in examples])


def _danger(example: Message) -> str:
    """What the block of the training data says that its cries are about; empty where it does not."""
    return str(((example.get("metadata") or {}).get("intent") or {}).get("danger") or "")


def _vector(message: Message) -> np.ndarray | None:
    _, sentence = message.get_dense_features(TEXT)
    return None if sentence is None else np.asarray(sentence.features, dtype=np.float32).reshape(-1)


