"""What a complaint is about: the category whose matters lie nearest to its words, learnt from phrases.

Kernel ridge regression (one against all) over the preset's phrases; the kernel adds the cosine of TF-IDF terms and the
cosine of centred sentence vectors at equal weight. Why so, and how well: docs/decisions/0007.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from core.segment import terms
from ticketing.preset import Preset

HERE = Path(__file__).parent / "presets" / "matters"
RIDGE = 1.0
SHARPNESS = 8.0
"""How far apart the shares of two scores lie; read from the petitions, so that a share is about a probability."""
LONGEST_WORDS = 600
BEGINNING, GOING_ON = 60, 80
"""Characters of the first and the second piece that are embedded: a petition says at its head what it is about."""
FALLBACK = "other"
NOTHING_KNOWN = 0.05
"""Below this likeness to every phrase a text is about nothing we know."""

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that is about this category. `weight` counts an officer's correction more than a made-up example."""

    category: str
    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Guess:
    """A category with its share (0–1; the shares of all first-level categories add up to 1) and what decided it."""

    category: str
    share: float
    words: tuple[str, ...]


def phrases_of(preset: Preset) -> list[Phrase]:
    """What the preset says about its categories: names, keywords, descriptions and the phrases of its file."""
    found: list[Phrase] = []
    for category in preset.categories:
        said = [category.name, "、".join(category.keywords), "" if category.parent else category.description]
        found += [Phrase(category.code, text) for text in said if text]
    path = HERE / f"{preset.name}.yml"
    for code, texts in (yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}).items():
        found += [Phrase(preset.category(code).code, text) for text in texts]
    return found


def pieces(text: str) -> list[str]:
    """The two pieces of a text that are made into vectors."""
    plain = " ".join(text.split())
    return [plain[:BEGINNING], plain[BEGINNING : BEGINNING + GOING_ON] or plain[:BEGINNING]]


class Matters:
    """Learnt from phrases; never changed, replaced as a whole."""

    def __init__(self, preset: Preset, phrases: Sequence[Phrase], vectors: Matrix | None) -> None:
        """`vectors`: one row (384 numbers, length 1) a phrase; None learns from words alone."""
        self._parents = {item.code: item.parent or item.code for item in preset.categories}
        self._codes = [item.code for item in preset.categories]
        self._phrases = list(phrases)
        self._number: dict[str, int] = {}
        counts = [_count(phrase.text) for phrase in phrases]
        for term in dict.fromkeys(term for count in counts for term in count):
            self._number[term] = len(self._number)
        known = Counter(term for count in counts for term in count)
        self._rarity = np.array([np.log((1 + len(counts)) / (1 + known[term])) + 1 for term in self._number], np.float32)
        self._words = np.stack([self._weigh(count) for count in counts])
        self._mean: Matrix | None = None
        self._vectors: Matrix | None = None
        kernel = self._words @ self._words.T
        if vectors is not None:
            self._mean = vectors.mean(axis=0)
            self._vectors = _unit(vectors - self._mean)
            kernel = kernel + self._vectors @ self._vectors.T
        ridge = np.diag([RIDGE / phrase.weight for phrase in phrases]).astype(np.float32)
        self._learnt = np.linalg.solve(kernel + ridge, self._targets(self._tops))
        self._learnt_below = np.linalg.solve(kernel + ridge, self._targets(self._codes))

    @property
    def _tops(self) -> list[str]:
        return list(dict.fromkeys(self._parents.values()))

    def _targets(self, codes: Sequence[str]) -> Matrix:
        """1 where a phrase is about the category (or, on the first level, about one below it)."""
        found = np.zeros((len(self._phrases), len(codes)), np.float32)
        first_level = set(codes) == set(self._tops)
        for row, phrase in enumerate(self._phrases):
            code = self._parents[phrase.category] if first_level else phrase.category
            found[row, codes.index(code)] = 1.0
        return found

    def guess(self, text: str, vectors: Matrix | None) -> list[Guess]:
        """First-level categories by share, each narrowed to the likeliest below it. `vectors`: those of `pieces(text)`."""
        words = self._weigh(_count(text[:LONGEST_WORDS]))
        likeness = self._words @ words
        if vectors is not None and self._vectors is not None and self._mean is not None:
            near = _unit(vectors - self._mean).mean(axis=0)
            likeness = likeness + self._vectors @ near
        if likeness.max(initial=0.0) < NOTHING_KNOWN and FALLBACK in self._codes:
            return [Guess(FALLBACK, 1.0, ())]
        shares = _shares(likeness @ self._learnt)
        below = dict(zip(self._codes, likeness @ self._learnt_below, strict=True))
        order = sorted(zip(self._tops, shares, strict=True), key=lambda pair: -pair[1])
        return [self._narrow(top, float(share), below, words) for top, share in order]

    def _narrow(self, top: str, share: float, below: Mapping[str, float], words: Matrix) -> Guess:
        code = max((code for code in self._codes if self._parents[code] == top), key=lambda code: below[code])
        mine = np.array([self._parents[phrase.category] == top for phrase in self._phrases])
        counted = words * self._words[mine].sum(axis=0)
        names = list(self._number)
        deciding = [names[at] for at in np.argsort(-counted)[:12] if counted[at] > 0]
        return Guess(code, share, tuple(_longest(deciding)[:4]))

    def _weigh(self, count: Mapping[str, int]) -> Matrix:
        row = np.zeros(len(self._number), np.float32)
        for term, times in count.items():
            if (at := self._number.get(term)) is not None:
                row[at] = (1 + np.log(times)) * self._rarity[at]
        return _unit(row)


def _count(text: str) -> Counter[str]:
    return Counter(term for term in terms(text) if len(term) > 1)


def _longest(found: Sequence[str]) -> list[str]:
    """Without those that are part of another: `拖欠工资` says what `拖欠` says."""
    return [term for term in found if not any(term != other and term in other for other in found)]


def _shares(scores: Matrix) -> Matrix:
    raised = np.exp(SHARPNESS * (scores - scores.max()))
    shares: Matrix = raised / raised.sum()
    return shares


def _unit(vectors: Any) -> Matrix:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Matrix = (vectors / np.maximum(length, 1e-9)).astype(np.float32)
    return unit
