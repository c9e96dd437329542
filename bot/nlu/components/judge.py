"""The linear model behind the intents: TF-IDF of characters and of sounds, cues and centred unit vectors, linear SVMs."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from nlu.components.cues import mark
from nlu.components.normal import read_for_intent
from nlu.components.sounds import spell

WEIGHT_OF_VECTORS = 1.0
WEIGHT_OF_CUES = 0.25
COST = 0.5
STRANGE = ((0.0, 0.2), (0.25, 0.5))
"""Where no more than this share of a text's neighbouring characters were ever seen together, so much of the probability is left."""
SEEN_AT_LEAST = 2
"""Sentences in which a run of characters or sounds must stand to count: half of all runs stand in one."""
FOLDS = 3
SHARPNESSES = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)


@dataclass
class Margins:
    """One SVM a label, and how sharply its margins are read as probabilities."""

    classes: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray
    sharpness: float

    @classmethod
    def learn(cls, features: sp.csr_matrix, labels: Sequence[str]) -> Margins:
        """The sharpness is the one under which sentences that were left out are likeliest to mean what they mean."""
        meant = np.asarray(labels)
        classes = np.unique(meant)
        left_out = np.zeros((len(meant), len(classes)))
        for known, new in StratifiedKFold(FOLDS, shuffle=True, random_state=7).split(features, meant):
            left_out[new] = _svm().fit(features[known], meant[known]).decision_function(features[new])
        right = np.searchsorted(classes, meant), np.arange(len(meant))
        sharpness = max(SHARPNESSES, key=lambda at: np.log(_shares(left_out, at)[right[1], right[0]] + 1e-12).mean())
        svm = _svm().fit(features, meant)
        return cls(svm.classes_, svm.coef_.astype(np.float32), svm.intercept_.astype(np.float32), sharpness)

    def shares(self, features: sp.csr_matrix) -> np.ndarray:
        """One row a text: the probability of each class."""
        return _shares(features @ self.weights.T + self.offsets, self.sharpness)

    def shares_of_one(self, runs: sp.csr_matrix, beside: np.ndarray) -> np.ndarray:
        """The same for a single text, by looking up the weights of its two hundred runs; the matrices cost more than that."""
        at = runs.shape[1]
        margins = self.weights[:, runs.indices] @ runs.data + self.weights[:, at:] @ beside + self.offsets
        return _shares(margins, self.sharpness)


@dataclass
class Judge:
    """Learned weights; `centre` is the mean training vector, which is taken off before the norm."""

    characters: Any
    sounds: Any
    centre: np.ndarray
    alone: Any
    joined: Any

    @classmethod
    def learn(cls, texts: Sequence[str], vectors: np.ndarray, labels: Sequence[str]) -> Judge:
        """Texts and their unit vectors (n, 384), one label each → a model for both ways of running."""
        counted = {"ngram_range": (1, 3), "sublinear_tf": True, "min_df": SEEN_AT_LEAST, "preprocessor": _with_edges}
        characters = TfidfVectorizer(analyzer="char", **counted).fit(texts)
        sounds = TfidfVectorizer(tokenizer=spell, token_pattern=None, lowercase=False, **counted).fit(texts)
        judge = cls(characters, sounds, vectors.mean(axis=0), None, None)
        judge.alone = Margins.learn(judge.features(texts, None), labels)
        judge.joined = Margins.learn(judge.features(texts, vectors), labels)
        return judge

    def features(self, texts: Sequence[str], vectors: np.ndarray | None) -> sp.csr_matrix:
        """One row a text: characters, sounds, cues and, where there are any, vectors (n, 384)."""
        return sp.hstack([self._runs(texts), sp.csr_matrix(self._beside(texts, vectors))]).tocsr()

    def rank(self, text: str, vector: np.ndarray | None) -> list[tuple[str, float]]:
        """Labels with their probability, likeliest first."""
        model = self.alone if vector is None else self.joined
        shares = self.shares(model, text, vector) * self._trust(text)
        return sorted(zip(model.classes.tolist(), shares.tolist(), strict=True), key=lambda pair: -pair[1])

    def shares(self, model: Margins, text: str, vector: np.ndarray | None) -> np.ndarray:
        """What a model that was learnt over these features holds of one text: a probability for each of its classes."""
        beside = self._beside([text], None if vector is None else vector.reshape(1, -1))[0]
        return model.shares_of_one(self._runs([text]), beside)

    def _runs(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Runs of up to three characters, and of three sounds."""
        return sp.hstack([self.characters.transform(texts), self.sounds.transform(texts)]).tocsr()

    def _beside(self, texts: Sequence[str], vectors: np.ndarray | None) -> np.ndarray:
        """What stands beside the characters: cues and, where there are any, vectors."""
        cues = WEIGHT_OF_CUES * np.vstack([mark(read_for_intent(text)) for text in texts])
        return cues if vectors is None else np.hstack([cues, self._centred(vectors)])

    def _trust(self, text: str) -> float:
        """How much the probability counts: of a text that is all new, nobody can be sure."""
        plain = read_for_intent(text)
        pairs = [plain[at:at + 2] for at in range(len(plain) - 1)]
        known = sum(pair in self.characters.vocabulary_ for pair in pairs)
        return next((left for most, left in STRANGE if len(plain) >= 4 and known <= most * len(pairs)), 1.0)

    def _centred(self, vectors: np.ndarray) -> np.ndarray:
        moved = vectors - self.centre
        return WEIGHT_OF_VECTORS * moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)


def _with_edges(text: str) -> str:
    """How a text begins and how it ends tell more than the same words in its middle: 在吗, …在吗？我…"""
    return f"^{read_for_intent(text)}$"


def _svm() -> LinearSVC:
    return LinearSVC(C=COST, class_weight="balanced", random_state=7)


def _shares(margins: np.ndarray, sharpness: float) -> np.ndarray:
    raised = np.exp(sharpness * (margins - margins.max(axis=-1, keepdims=True)))
    return raised / raised.sum(axis=-1, keepdims=True)
