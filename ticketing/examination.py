"""What new weights are asked before they are put in force: a fixed test, and tickets of the office they never saw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from ticketing.matters import Matrix, Matters
from ticketing.preset import Preset

SHARES = (1.0, 0.5, 0.25)
"""How much the office's tickets weigh against our examples: as much as the fixed test allows."""
HERE = Path(__file__).parent / "presets" / "examination"


@dataclass(frozen=True, slots=True)
class Question:
    """A text whose category is known. `vectors`: those of its two pieces; None where there are none."""

    text: str
    category: str
    vectors: Matrix | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """How many of `of` questions the weights in force got right (`before`), and how many the new ones (`after`)."""

    of: int
    before: int
    after: int

    def as_json(self) -> dict[str, int]:
        return {"of": self.of, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The fixed test and the tickets held out."""

    fixed: Marks
    held_out: Marks

    @property
    def is_better(self) -> bool:
        """No worse on what every office of this kind asks, and better on what this one is asked."""
        return self.fixed.after >= self.fixed.before and self.held_out.after > self.held_out.before


def fixed_questions(preset: Preset) -> list[tuple[str, str]]:
    """(text, category) of the shipped test, without the categories this office has not."""
    path = HERE / f"{preset.name}.yml"
    known = {item.code for item in preset.categories}
    shipped: dict[str, list[str]] = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
    return [(text, code) for code, texts in shipped.items() if code in known for text in texts]


def count_right(matters: Matters, questions: Sequence[Question]) -> int:
    """A question whose category stands at the first level is right with any category under it."""
    right = 0
    for question in questions:
        best = matters.guess(question.text, question.vectors)[0].category
        right += question.category in (best, matters.parents[best])
    return right


def examine(before: Matters, after: Matters, fixed: Sequence[Question], held_out: Sequence[Question]) -> Verdict:
    """Both asked the same."""
    marks = (Marks(len(asked), count_right(before, asked), count_right(after, asked)) for asked in (fixed, held_out))
    return Verdict(*marks)


def choose(
    teach: Callable[[float], Matters], before: Matters, fixed: Sequence[Question], held_out: Sequence[Question]
) -> tuple[Matters, Verdict, float]:
    """The weights in which the office's tickets count most among those that do no worse on the fixed test.

    `teach`: learn with this share of the tickets' weight. The tickets held out choose nothing: they judge.
    """
    found: list[tuple[Matters, Verdict, float]] = []
    for share in SHARES:
        after = teach(share)
        verdict = examine(before, after, fixed, held_out)
        found.append((after, verdict, share))
        if verdict.fixed.after >= verdict.fixed.before:
            return found[-1]
    return max(found, key=lambda each: each[1].fixed.after)
