"""However long a text is, reading it takes as many steps as it has characters."""
from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "bot"))

from nlu.components import finding

from ticketing import titles

TIMES = 16


class Counted(dict[str, Any]):
    """An entity that counts how often it is looked at."""

    looks = 0

    def __getitem__(self, name: str) -> Any:
        Counted.looks += 1
        return super().__getitem__(name)


def looks(many: int) -> int:
    """Looks at this many places, one beside the other, each found twice."""
    Counted.looks = 0
    places = [Counted(entity="place", start=at * 3, end=at * 3 + 3) for at in range(many)] * 2
    assert len(finding._without_overlap(iter(places))) == many
    return Counted.looks


def test_entities_are_freed_of_overlaps_with_one_look_at_each() -> None:
    assert looks(500 * TIMES) == looks(500) * TIMES


def seconds(many: int) -> float:
    """Of this process alone, the least of five: what else runs here does not count."""
    subject = "投诉信急紧急的" * many + "水"
    found = []
    for _ in range(5):
        begun = time.process_time()
        assert titles._SAYS_NOTHING.match(subject) is None
        found.append(time.process_time() - begun)
    return min(found)


def test_a_subject_that_nearly_says_nothing_is_read_once() -> None:
    assert seconds(1000 * TIMES) < seconds(1000) * TIMES * 4
