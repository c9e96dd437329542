"""What a complaint is about: the category whose matters lie nearest to its words, learnt from phrases.

The score of a category is linear in a text's TF-IDF terms and in its centred sentence vectors; `ticketing/lesson.py`
learns the weights. Why so, and how well: docs/decisions/0007.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from core.segment import terms
from ticketing.preset import Preset

HERE = Path(__file__).parent / "presets" / "matters"
SHARPNESS = 8.0
"""How far apart the shares of two scores lie; read from the petitions, so that a share is about a probability."""
LONGEST_WORDS = 600
BEGINNING, GOING_ON = 60, 80
"""Characters of the first and the second piece that are embedded: a petition says at its head what it is about."""
FALLBACK = "other"
ASIDE = "aside"
"""Stands for what is said beside the matter (`presets/matters/aside.yml`): no category, but learnt like one."""
FAR_ASIDE, PLAINLY_ASIDE = 0.3, 0.3
"""A clause is left out that scores so much as an aside, and so much more than as the likeliest category."""
STORY = 3
"""Clauses from which on their vectors help to tell an aside: of two, words tell it, and vectors would cost as much again."""
CLAUSES = 12
"""So many clauses are looked at: who writes a letter says at its head what it is about."""
_ENDS = re.compile(r"[，。！？!?；;\n]+")

Matrix = npt.NDArray[np.float32]
Name = Callable[[str], str]
"""What stands for a term: itself, or a keyed digest where nothing readable may be kept."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text that is about this category. `weight` counts an officer's correction more than a made-up example.

    `resident` says whose words they are, where they are no example of ours.
    """

    category: str
    text: str
    weight: float = 1.0
    resident: int | None = None


@dataclass(frozen=True, slots=True)
class Guess:
    """A category with its share (0–1; the shares of all first-level categories add up to 1) and what decided it."""

    category: str
    share: float
    words: tuple[str, ...]


def phrases_of(preset: Preset) -> list[Phrase]:
    """What the preset says about its categories (names, keywords, descriptions, the phrases of its file), and the asides."""
    found: list[Phrase] = []
    for category in preset.categories:
        said = [category.name, "、".join(category.keywords), "" if category.parent else category.description]
        found += [Phrase(category.code, text) for text in said if text]
    for code, texts in _read(preset.name).items():
        found += [Phrase(preset.category(code).code, text) for text in texts]
    said_beside = _read(ASIDE)
    return found + [Phrase(ASIDE, text) for whose in ("every", preset.name) for row in said_beside.get(whose, []) for text in row]


def _read(name: str) -> dict[str, Any]:
    path = HERE / f"{name}.yml"
    return yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}


def clauses(text: str) -> list[str]:
    """The text, cut where its clauses end, without what ends them."""
    return [part for each in _ENDS.split(text) if (part := each.strip())]


def pieces(text: str) -> list[str]:
    """The two pieces of a text that are made into vectors."""
    plain = " ".join(text.split())
    return [plain[:BEGINNING], plain[BEGINNING : BEGINNING + GOING_ON] or plain[:BEGINNING]]


@dataclass(frozen=True, slots=True)
class Weights:
    """What one learning gave: for each level (first-level categories; all of them) what terms and vectors say for each.

    `words` has a row for each term, `vectors` one for each of a vector's 384 numbers; a column is a category.
    """

    codes: list[str]
    words: Matrix
    vectors: Matrix | None

    def score(self, words: Matrix, near: Matrix | None) -> Matrix:
        """How much a text is about each category; the shares of one level compare, the numbers mean nothing else."""
        scores: Matrix = words @ self.words
        if near is not None and self.vectors is not None:
            scores = scores + near @ self.vectors
        return scores

    def only(self, wanted: Collection[str]) -> "Weights":
        """For these categories alone."""
        columns = [at for at, code in enumerate(self.codes) if code in wanted]
        vectors = None if self.vectors is None else self.vectors[:, columns]
        return Weights([self.codes[at] for at in columns], self.words[:, columns], vectors)


class Matters:
    """Learnt once; never changed, replaced as a whole. It holds numbers for terms, and no text it was learnt from."""

    def __init__(
        self, parents: Mapping[str, str], names: Sequence[str], rarity: Matrix, mean: Matrix | None, first: Weights,
        every: Weights, name: Name = str,
    ) -> None:
        """`parents`: code → its first-level category. `names` of the terms, as `name` writes them, with their `rarity`.

        `first` says besides what stands for an aside, where that was learnt.
        """
        self.parents, self.names, self.rarity, self.mean = dict(parents), list(names), rarity, mean
        self.with_asides, self.every = first, every
        self.first, self._aside = first.only(self.parents.values()), first.only([ASIDE])
        self._name = name
        self._number = {each: at for at, each in enumerate(self.names)}

    def guess(self, text: str, vectors: Matrix | None) -> list[Guess]:
        """First-level categories by share, each narrowed to the likeliest below it. `vectors`: those of `pieces(text)`."""
        found = self._find(text)
        words = weigh(dict(found.values()), self.rarity)
        near = None if vectors is None or self.mean is None else unit(vectors - self.mean).mean(axis=0)
        if not found and near is None and FALLBACK in self.every.codes:
            return [Guess(FALLBACK, 1.0, ())]
        shares = _shares(self.first.score(words, near))
        below = dict(zip(self.every.codes, self.every.score(words, near), strict=True))
        order = sorted(enumerate(self.first.codes), key=lambda pair: -shares[pair[0]])
        rows = [at for at, _ in found.values()]
        said = words[rows, None] * self.first.words[rows]
        return [self._narrow(column, float(shares[column]), below, dict(zip(found, said[:, column].tolist(), strict=True)))
                for column, _ in order]

    def to_the_point(self, text: str, vectors: Matrix | None) -> str:
        """The clauses that say what it is about; all of them where none does. `vectors`: of the first `CLAUSES`."""
        told = clauses(text)
        if len(told) < 2:
            return text
        near = [None] * len(told) if vectors is None else [*vectors, *[None] * len(told)]
        kept = [clause for at, clause in enumerate(told) if at >= CLAUSES or not self._is_aside(clause, near[at])]
        return text if len(told) < STORY and len(kept) in (0, len(told)) else "，".join(kept or told)

    def _is_aside(self, clause: str, vector: Matrix | None) -> bool:
        if not self._aside.codes:
            return False
        words = weigh(dict(self._find(clause).values()), self.rarity)
        near = None if vector is None or self.mean is None else unit(vector - self.mean)
        aside = float(self._aside.score(words, near)[0])
        return aside > FAR_ASIDE and aside - float(self.first.score(words, near).max()) > PLAINLY_ASIDE

    def _find(self, text: str) -> dict[str, tuple[int, int]]:
        """The text's known terms: number and how often."""
        counted = count_terms(text[:LONGEST_WORDS])
        known = ((term, self._number.get(self._name(term)), times) for term, times in counted.items())
        return {term: (at, times) for term, at, times in known if at is not None}

    def _narrow(self, column: int, share: float, below: Mapping[str, float], said_for: Mapping[str, float]) -> Guess:
        """`said_for`: what each term of the text says for this first-level category."""
        top = self.first.codes[column]
        code = max((code for code in self.every.codes if self.parents[code] == top), key=lambda code: below[code])
        deciding = sorted((term for term in said_for if said_for[term] > 0), key=lambda term: -said_for[term])
        return Guess(code, share, tuple(_longest(deciding[:12])[:4]))


def parents_of(preset: Preset) -> dict[str, str]:
    """Every category → the first-level category it stands under."""
    return {item.code: item.parent or item.code for item in preset.categories}


def count_terms(text: str) -> Counter[str]:
    return Counter(term for term in terms(text) if len(term) > 1)


def _longest(found: Sequence[str]) -> list[str]:
    """Without those that are part of another: `拖欠工资` says what `拖欠` says."""
    return [term for term in found if not any(term != other and term in other for other in found)]


def _shares(scores: Matrix) -> Matrix:
    raised = np.exp(SHARPNESS * (scores - scores.max()))
    shares: Matrix = raised / raised.sum()
    return shares


def unit(vectors: Any) -> Matrix:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Matrix = (vectors / np.maximum(length, 1e-9)).astype(np.float32)
    return unit


def weigh(count: Mapping[int, int], rarity: Matrix) -> Matrix:
    """TF-IDF of terms given by their numbers, length 1."""
    row = np.zeros(len(rarity), np.float32)
    for at, times in count.items():
        row[at] = (1 + np.log(times)) * rarity[at]
    return unit(row)
