"""What the chain decides and what it leaves to the patterns, with a tagger that says what a test wants."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bot"))

from nlu.components import chain
from nlu.components.chain import Chain, Mark

SAID = "王师傅在梅园小区修过灯"
PLACE, PERSON = ("place", 4, 8), ("person", 0, 3)


class Tagger:
    """Marks what it is told, as surely as it is told."""

    def __init__(self, marks: Sequence[Mark], surety: float) -> None:
        self._marks, self._surety, self._labels = marks, surety, list[str]()

    def tag(self, features: Sequence[Sequence[str]]) -> list[str]:
        self._labels = chain._labels(len(features), self._marks)
        return self._labels

    def marginal(self, label: str, at: int) -> float:
        return self._surety if self._labels[at] == label else 1 - self._surety


def decided(text: str, found: Sequence[Mark], marks: Sequence[Mark], surety: float = 1.0) -> list[Mark]:
    """What stands in the end, of what patterns found and what the chain marks."""
    learnt = Chain.__new__(Chain)
    learnt._tagger = Tagger(marks, surety)
    entities = [{"entity": kind, "start": start, "end": end, "value": text[start:end]} for kind, start, end in found]
    return [chain.mark_of(entity) for entity in learnt.decide(text, entities)]


@pytest.mark.parametrize("marks", [[], [PLACE], [PERSON, PLACE], [("service", 0, 1)], [("person", 0, 1), ("person", 1, 2)]])
def test_labels_are_read_back_as_the_marks_they_came_from(marks: list[Mark]) -> None:
    assert list(chain._spans(chain._labels(len(SAID), marks))) == marks


def test_the_chain_adds_moves_and_takes_away() -> None:
    assert decided(SAID, [], [PERSON]) == [PERSON]
    assert decided(SAID, [("place", 6, 8)], [PLACE]) == [PLACE]
    assert decided(SAID, [PERSON, PLACE], [PLACE]) == [PLACE]


def test_a_chain_that_is_not_sure_leaves_the_patterns_theirs() -> None:
    assert decided(SAID, [PERSON], [PLACE], surety=0.3) == [PERSON]
    assert decided(SAID, [PERSON], [], surety=0.8) == [PERSON]


def test_times_and_numbers_stay_the_patterns() -> None:
    time = ("time", 0, 4)
    assert decided("明天上午来", [time], []) == [time]
    assert decided("明天上午来", [time], [("place", 2, 4)]) == [time]


def test_an_answer_that_is_a_name_alone_is_kept() -> None:
    answer = ("place", 0, 7)
    assert decided("3号楼1102", [answer], []) == [answer]


def test_every_character_has_features_whatever_it_is() -> None:
    for text in ("", "a", "①㍿🙂\n\t ", "电话<PHONE_1>", "，" * 50):
        assert len(list(chain._features(text, []))) == len(text)
