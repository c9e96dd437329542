"""The linear model behind the intents: TF-IDF of characters beside centred unit vectors, logistic regression."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from nlu.components.normal import read_for_intent

WEIGHT_OF_VECTORS = 1.0
COST = 30.0


@dataclass
class Judge:
    """Learned weights; `centre` is the mean training vector, which is taken off before the norm."""

    characters: Any
    centre: np.ndarray
    alone: Any
    joined: Any

    @classmethod
    def learn(cls, texts: Sequence[str], vectors: np.ndarray, labels: Sequence[str]) -> Judge:
        """Texts and their unit vectors (n, 384), one label each → a model for both ways of running."""
        characters = TfidfVectorizer(
            analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=1, preprocessor=read_for_intent)
        counts = characters.fit_transform(texts)
        centre = vectors.mean(axis=0)
        judge = cls(characters, centre, _logistic(), _logistic())
        judge.alone.fit(counts, labels)
        judge.joined.fit(sp.hstack([counts, sp.csr_matrix(judge._centred(vectors))]).tocsr(), labels)
        return judge

    def rank(self, text: str, vector: np.ndarray | None) -> list[tuple[str, float]]:
        """Labels with their probability, likeliest first."""
        counts = self.characters.transform([text])
        if vector is None:
            model, features = self.alone, counts
        else:
            features = sp.hstack([counts, sp.csr_matrix(self._centred(vector.reshape(1, -1)))]).tocsr()
            model = self.joined
        shares = model.predict_proba(features)[0]
        return sorted(zip(model.classes_, shares, strict=True), key=lambda pair: -pair[1])

    def _centred(self, vectors: np.ndarray) -> np.ndarray:
        moved = vectors - self.centre
        return WEIGHT_OF_VECTORS * moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)


def _logistic() -> LogisticRegression:
    return LogisticRegression(C=COST, max_iter=100, tol=1e-3, class_weight="balanced", multi_class="multinomial")
