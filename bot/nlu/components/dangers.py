"""Which danger a cry is about, learnt from emergencies.yml over the judge's own features: one SVM a kind."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlu.components.judge import Judge, Margins


@dataclass
class Dangers:
    """Learned weights, with the vectors and without them."""

    alone: Margins
    joined: Margins

    @classmethod
    def learn(cls, judge: Judge, texts: Sequence[str], vectors: np.ndarray, kinds: Sequence[str]) -> Dangers:
        """Cries and their unit vectors (n, 384), one kind each."""
        return cls(Margins.learn(judge.features(texts, None), kinds), Margins.learn(judge.features(texts, vectors), kinds))

    def tell(self, judge: Judge, text: str, vector: np.ndarray | None) -> tuple[str, float]:
        """The likeliest kind and its probability."""
        model = self.alone if vector is None else self.joined
        shares = judge.shares(model, text, vector)
        best = int(shares.argmax())
        return str(model.classes[best]), float(shares[best])
