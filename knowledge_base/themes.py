"""Questions that stayed open, grouped by what they are about, so that an editor answers once."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.segment import fold, terms
from knowledge_base.asking import strip
from knowledge_base.tables import Unanswered

ALIKE = 0.4
"""Cosine of rare terms from which two questions are about one thing; tried on questions that no guide covers."""


@dataclass
class Theme:
    """Questions about one thing; `question` is the one that was asked most often, or first."""

    question: str
    rows: list[Unanswered] = field(default_factory=list)


def group(rows: Iterable[Unanswered]) -> list[Theme]:
    """The themes, the most asked first; each question is in one."""
    same: dict[str, list[Unanswered]] = defaultdict(list)
    for row in rows:
        same["".join(fold(row.question).split())].append(row)
    ordered = sorted(same.values(), key=lambda many: (-len(many), many[0].id))
    weights = _weigh([many[0].question for many in ordered])
    themes: list[Theme] = []
    places: list[int] = []
    known: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for number, (many, weight) in enumerate(zip(ordered, weights, strict=True)):
        near = _nearest(weight, known)
        if near is None:
            themes.append(Theme(many[0].question))
        places.append(len(themes) - 1 if near is None else places[near])
        themes[places[number]].rows += many
        for term, value in weight.items():
            known[term].append((number, value))
    for theme in themes:
        theme.rows.sort(key=lambda row: row.id)
    return sorted(themes, key=lambda theme: (-len(theme.rows), -theme.rows[-1].id))


def theme_of(rows: Sequence[Unanswered], row_id: int) -> Theme | None:
    """The theme that holds this question."""
    return next((theme for theme in group(rows) if any(row.id == row_id for row in theme.rows)), None)


def alike(one: str, other: str) -> float:
    """How near two questions are, from 0 to 1, all terms counting the same."""
    first, second = _said(one), _said(other)
    return len(first & second) / math.sqrt(len(first) * len(second)) if first and second else 0.0


def _nearest(weight: dict[str, float], known: dict[str, list[tuple[int, float]]]) -> int | None:
    """The question before this one that is most alike, if one is alike enough."""
    scores: dict[int, float] = defaultdict(float)
    for term, value in weight.items():
        for number, other in known.get(term, ()):
            scores[number] += value * other
    best = max(scores, key=lambda number: (scores[number], -number), default=None)
    return best if best is not None and scores[best] >= ALIKE else None


def _weigh(questions: Sequence[str]) -> list[dict[str, float]]:
    """Each question's terms by rarity, at length 1."""
    said = [_said(question) for question in questions]
    counts = Counter(term for found in said for term in found)
    weights = []
    for found in said:
        raw = {term: math.log(1 + (len(said) + 1) / counts[term]) for term in found}
        length = math.sqrt(sum(value * value for value in raw.values())) or 1.0
        weights.append({term: value / length for term, value in raw.items()})
    return weights


def _said(question: str) -> set[str]:
    """What the question names; what it asks for (费用, 材料) only where it names nothing."""
    named = {term for term in terms(strip(question)) if len(term) > 1}
    return named or set(terms(question))
