"""The questions of tests/data that say how well guides are found: which choose, and which give the figures."""

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

import yaml

DATA = Path(__file__).parent.parent / "tests" / "data"
CHOOSING = DATA / "questions.yml"
APART = DATA / "questions_apart.yml"


@dataclass(frozen=True)
class Row:
    """A question of the sets; `guide` is None where no guide covers it."""

    preset: str
    question: str
    guide: str | None
    field: str | None
    tune: bool
    also: frozenset[str] = frozenset()
    """Other guides whose answer would be right as well."""

    def accepts(self, guide: str | None) -> bool:
        return guide is not None and (guide == self.guide or guide in self.also)


def read_rows(known: Set[tuple[str, str]]) -> list[Row]:
    """The questions of both sets whose guides are there: questions.yml and every second one of questions_apart.yml
    choose words, weights and thresholds, the others give the figures."""
    rows = []
    for path in (CHOOSING, APART):
        data = yaml.safe_load(path.read_text("utf-8"))
        for preset, guides in data["covered"].items():
            for slug, told in guides.items():
                rows += [_row(preset, slug, line, path == CHOOSING or number % 2 == 0)
                         for number, line in enumerate(told) if (preset, slug) in known]
        for preset, told in data["uncovered"].items():
            rows += [Row(preset, question, None, None, path == CHOOSING or number % 2 == 0)
                     for number, question in enumerate(told)]
    return rows


def _row(preset: str, slug: str, line: str, tune: bool) -> Row:
    field, question, *also = (part.strip() for part in line.split("|"))
    others = frozenset(",".join(also).split(",")) - {""}
    return Row(preset, question, slug, None if field == "-" else field, tune, others)
