"""The guides of one preset, ready to be searched: words, sentence vectors and sounds joined by measured weights."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from core.embed import Vectors
from core.segment import fold, terms, words
from knowledge_base.asking import strip
from knowledge_base.guide import Guide, Section
from knowledge_base.phrases import phrases_of
from knowledge_base.sounds import Lexicon, syllables
from knowledge_base.words import WordIndex

HERE = Path(__file__).parent
BARE = 4
"""Guides with fewer lines each than this are bare questions: other weights hold for them."""
LONG = 30
"""Characters from which on a question is also looked at in pieces."""
CLAUSE, MOST_CLAUSES = 24, 6
RIDGE = 3.0
"""How much the linear map of `_learn` is held back; 1 to 10 did equally well."""
_STOPS = re.compile(r"[,，。.!！?？;；\n]+|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
"""Many write a space where a comma stands."""


@dataclass(frozen=True)
class Weights:
    """How much each measure counts; chosen on half of the questions (docs/decisions/0002)."""

    name_words: float
    name_vectors: float
    name_sounds: float
    learnt: float
    coverage: float
    section_words: float
    synonym: float
    dull: float
    context: float


@dataclass(frozen=True)
class Hit:
    """A guide found for a question, with the line that found it."""

    guide: Guide
    score: float
    line: str
    """The title, alias or FAQ question nearest to the question."""
    faq: int | None
    """The number of the FAQ entry, where the nearest FAQ line is near enough to be looked at."""
    faq_score: float
    faq_lead: float
    """By how much the guide's next FAQ entry is farther."""
    title_score: float
    """How near the title or an alias is, measured like `faq_score`."""
    parts: Mapping[str, float]
    foreign: float = 0.0
    """How much nearer the question is to something that is not ours; below 0 where it is nearer to this guide."""

    @property
    def names(self) -> list[str]:
        """All lines that name the guide."""
        return [self.guide.title, *self.guide.aliases, *(each.question for each in self.guide.faq)]


@dataclass(frozen=True)
class _Line:
    """A short text that names a guide: its title, an alias, a phrase, an FAQ question. Those that name a matter of
    others belong to the number after the last guide."""

    guide: int
    text: str
    faq: int | None = None


class Shelf:
    """All guides of one preset, ready to be searched; never changed, replaced as a whole."""

    def __init__(self, guides: Sequence[Guide], foreign: Sequence[str] = (), weights: Weights | None = None) -> None:
        """`foreign` is what lies outside: what comes nearer to it than to a guide is not ours."""
        self.guides = list(guides)
        self._weights = weights
        self.lines = [line for number, guide in enumerate(self.guides) for line in _lines(number, guide)]
        self._lexicon = Lexicon({word for line in self.lines for word in (fold(line.text), *words(line.text))})
        self.bare = len(self.lines) < BARE * len(self.guides)
        self.lines += [_Line(len(self.guides), text) for text in foreign]
        self.sections = [(number, section) for number, guide in enumerate(self.guides)
                         for section in guide.sections()]
        self._line_guide = np.array([line.guide for line in self.lines], dtype=np.int64)
        self._section_guide = np.array([number for number, _ in self.sections], dtype=np.int64)
        self._lines = WordIndex([_line_terms(line.text) for line in self.lines], cosine=True)
        self._sounds = WordIndex([syllables(line.text) for line in self.lines], cosine=True)
        self._sections = WordIndex([terms(_full(self.guides[number], section)) for number, section in self.sections])
        self._whole = WordIndex([terms(_whole(guide)) for guide in self.guides])
        self._vectors: Vectors | None = None
        self._mean: Vectors | None = None
        self._learnt: Vectors | None = None

    @property
    def weights(self) -> Weights:
        """The measured weights: others hold while there are no vectors, and for bare questions."""
        return self._weights or default_weights(self.kind)

    @property
    def kind(self) -> str:
        """Which weights and thresholds of finding.yml hold: the end of their names."""
        return "_of_bare_questions" if self.bare else "" if self.has_vectors else "_without_vectors"

    @property
    def has_vectors(self) -> bool:
        return self._vectors is not None

    def texts(self) -> list[str]:
        """The lines whose vectors are wanted, in order."""
        return [line.text for line in self.lines]

    def set_vectors(self, vectors: Vectors) -> None:
        """Take the lines' vectors in; they are centred, because all sentences of one trade look alike."""
        mean = vectors.mean(axis=0)
        centred = _unit(vectors - mean)
        self._learnt = _learn(centred, self._line_guide, len(self.guides) + 1)
        self._mean, self._vectors = mean, centred

    def read(self, question: str) -> list[str]:
        """The question as it is searched for: mistyped words righted, of a long one its clauses besides, and, where
        the guides have few words of their own, the same in the office's words."""
        plain = self._lexicon.correct(question)
        said = [plain, *(clauses(plain) if len(plain) > LONG else [])]
        return list(dict.fromkeys([*said, translate(plain)])) if self.bare else said

    def search(self, question: str, vectors: Vectors | None = None, *, context: str | None = None,
               limit: int = 10) -> list[Hit]:
        """The guides nearest to a question, best first. `vectors` are those of `read(question)`, a row each;
        `context` is a guide's slug: that guide is among them however far it is."""
        if not self.guides:
            return []
        measures = self.measure(self.read(question), vectors)
        total = sum(getattr(self.weights, name) * values for name, values in measures.guides.items())
        assert isinstance(total, np.ndarray)
        if context is not None:
            total = total + self.weights.context * np.array([guide.slug == context for guide in self.guides])
        order = np.argsort(-total, kind="stable")
        best = [number for at, number in enumerate(order) if at < limit or self.guides[number].slug == context]
        return [self._hit(int(number), float(total[number]), measures) for number in best]

    def measure(self, said: Sequence[str], vectors: Vectors | None = None) -> "Measures":
        """Each measure's value for each guide, before they are joined: the best of what `read` made of a question."""
        found = self._measure_one(said[0], None if vectors is None else np.atleast_2d(vectors)[0])
        for number, clause in enumerate(said[1:], 1):
            found = found.join(self._measure_one(clause, None if vectors is None else vectors[number]))
        return found

    def _measure_one(self, question: str, vector: Vectors | None) -> "Measures":
        wanted = expand(question, self.weights)
        lines = self._lines.score(wanted)
        sounds = self._sounds.score(dict.fromkeys(syllables(question), 1.0))
        near, learnt = np.zeros(len(self.lines), np.float32), np.zeros(len(self.guides) + 1, np.float32)
        if vector is not None and self._vectors is not None and self._mean is not None and self._learnt is not None:
            unit = _unit(vector - self._mean)
            near, learnt = np.maximum(self._vectors @ unit, 0), unit @ self._learnt
        sections = self._sections.score(wanted)
        found = sections.max(initial=0)
        names = {name: self._best(values, self._line_guide)
                 for name, values in (("name_words", lines), ("name_vectors", near), ("name_sounds", sounds))}
        names["learnt"] = learnt
        return Measures(
            {name: values[:-1] for name, values in names.items()} | {
                "coverage": self._coverage(question, self.weights.dull),
                "section_words": self._best(sections, self._section_guide)[:-1] / (found or 1),
            },
            {name: float(values[-1]) for name, values in names.items()}, lines, near, sections,
        )

    def _coverage(self, question: str, dull: float) -> npt.NDArray[np.float32]:
        """The share of what the question says (rare terms count more) that a guide knows at all."""
        said = dict.fromkeys(terms(question), dull) | dict.fromkeys(terms(strip(question)), 1.0)
        return self._whole.covered(said)

    def _best(self, values: npt.NDArray[np.float32], owner: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        best = np.zeros(len(self.guides) + 1, np.float32)
        np.maximum.at(best, owner, values)
        return best

    def _hit(self, number: int, score: float, measures: "Measures") -> Hit:
        guide = self.guides[number]
        mine = np.arange(*np.searchsorted(self._line_guide, (number, number + 1)))
        near = measures.lines[mine] * self.weights.name_words + measures.near[mine] * self.weights.name_vectors
        line = self.lines[int(mine[int(near.argmax())])]
        asked = [at for at in mine if self.lines[at].faq is not None]
        faq, faq_score, faq_lead = None, 0.0, 0.0
        if asked:
            values = measures.lines[asked] + measures.near[asked]
            nearest = np.sort(values)[::-1]
            faq, faq_score = self.lines[asked[int(values.argmax())]].faq, float(nearest[0])
            faq_lead = faq_score - float(nearest[1]) if len(nearest) > 1 else faq_score
        titles = mine[: len(dict.fromkeys((guide.title, *guide.aliases)))]
        title_score = float((measures.lines[titles] + measures.near[titles]).max())
        parts = {name: float(values[number]) for name, values in measures.guides.items()}
        foreign = sum(getattr(self.weights, name) * (value - parts[name]) for name, value in measures.foreign.items())
        return Hit(guide, score, line.text, faq, faq_score, faq_lead, title_score, parts, foreign)


@dataclass(frozen=True)
class Measures:
    """What the measures say: by guide, and for lines and sections one by one."""

    guides: dict[str, npt.NDArray[np.float32]]
    foreign: dict[str, float]
    """The measures of names for what is not ours."""
    lines: npt.NDArray[np.float32]
    near: npt.NDArray[np.float32]
    sections: npt.NDArray[np.float32]

    def join(self, other: "Measures") -> "Measures":
        """The greater of each."""
        return Measures(
            {name: np.maximum(values, other.guides[name]) for name, values in self.guides.items()},
            {name: max(value, other.foreign[name]) for name, value in self.foreign.items()},
            np.maximum(self.lines, other.lines), np.maximum(self.near, other.near),
            np.maximum(self.sections, other.sections),
        )


def clauses(question: str) -> list[str]:
    """A long question in pieces of a sentence's length, at most MOST_CLAUSES."""
    pieces: list[str] = []
    for part in _STOPS.split(question):
        if pieces and len(pieces[-1]) + len(part) < CLAUSE:
            pieces[-1] += f",{part}"
        elif part.strip():
            pieces.append(part)
    return pieces[:MOST_CLAUSES] if len(pieces) > 1 else []


def expand(question: str, weights: Weights) -> dict[str, float]:
    """The question's terms, what says nothing about the matter at a low weight, and the office's words besides."""
    wanted = dict.fromkeys(terms(strip(question)), 1.0)
    for term in terms(question):
        wanted.setdefault(term, weights.dull)
    plain = fold(question)
    for word, others in synonyms().items():
        if word in plain:
            for other in others:
                for term in terms(other):
                    wanted[term] = max(wanted.get(term, 0.0), weights.synonym)
    return wanted


def translate(question: str) -> str:
    """The question with each of the resident's words replaced by the office's first word for it."""
    return _resident_words().sub(lambda found: synonyms()[found[0]][0], question)


@lru_cache(maxsize=1)
def _resident_words() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(synonyms(), key=len, reverse=True))))


@lru_cache(maxsize=1)
def synonyms() -> dict[str, list[str]]:
    """The resident's word → the office's words, folded."""
    table: dict[str, list[str]] = yaml.safe_load((HERE / "synonyms.yml").read_text("utf-8"))
    return {fold(word): [str(other) for other in others] for word, others in table.items()}


@lru_cache(maxsize=1)
def settings() -> dict[str, Any]:
    """The measured weights and thresholds."""
    loaded: dict[str, Any] = yaml.safe_load((HERE / "finding.yml").read_text("utf-8"))
    return loaded


def default_weights(kind: str = "") -> Weights:
    """The weights of finding.yml: with vectors, `_without_vectors` or `_of_bare_questions`."""
    return Weights(**settings()[f"weights{kind}"])


def _lines(number: int, guide: Guide) -> list[_Line]:
    names = [_Line(number, name) for name in dict.fromkeys((guide.title, *guide.aliases))]
    names += [_Line(number, phrase) for phrase in phrases_of(guide.preset, guide.slug)]
    return names + [_Line(number, each.question, at) for at, each in enumerate(guide.faq)]


@lru_cache(maxsize=20_000)
def _line_terms(text: str) -> list[str]:
    """The terms of a line: one phrase is ours on one shelf and foreign on two."""
    return terms(text)


def _full(guide: Guide, section: Section) -> str:
    return f"{guide.title} {section.question} {section.text}"


def _whole(guide: Guide) -> str:
    parts = [guide.title, *guide.aliases, guide.overview, *guide.fields.values()]
    return " ".join([*parts, *(f"{each.question} {each.answer}" for each in guide.faq)])


def _learn(lines: Vectors, owner: npt.NDArray[np.int64], guides: int) -> Vectors:
    """A linear map from a question's vector to guides, the last being all that is not ours: ridge regression on the
    lines. A guide with many lines counts little more than one with few."""
    weight = 1 / np.sqrt(np.bincount(owner, minlength=guides)[owner])
    weighed = lines * (weight / weight.mean()).astype(np.float32)[:, None]
    sums = np.zeros((guides, lines.shape[1]), np.float32)
    np.add.at(sums, owner, weighed)
    square = weighed.T @ lines + RIDGE * np.eye(lines.shape[1], dtype=np.float32)
    learnt: Vectors = np.linalg.solve(square, sums.T).astype(np.float32)
    return learnt


def _unit(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(length, 1e-9)).astype(np.float32)
    return unit
