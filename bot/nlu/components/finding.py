"""All entities of one message, none overlapping another; knows nothing of Rasa, so that it can be measured alone."""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from nlu.components import patterns
from nlu.components.normal import fold
from nlu.components.people import find_people
from nlu.components.places import find_places
from nlu.components.times import ZONE, find_times
from nlu.components.words import Words


class Finder:
    """What has a form is found by its form; `lookups` are the names of departments and services."""

    def __init__(self, lookups: Mapping[str, Sequence[str]]) -> None:
        self._names = {name: _any_of(words) for name, words in lookups.items() if words}

    def find(self, text: str, moment: str | None = None) -> list[dict[str, Any]]:
        """The entities in their order in the text."""
        return _without_overlap(self._all(text, moment))

    def _all(self, text: str, moment: str | None) -> Iterator[dict[str, Any]]:
        """Earlier ones win where two overlap: what is exact comes before what is broad."""
        plain = fold(text)
        for name, pattern in patterns.EXACT:
            yield from (_entity(text, name, *match.span("it")) for match in pattern.finditer(plain))
        words = Words(plain)
        people = list(find_people(plain, words))
        for time in find_times(text, _moment(moment)):
            if any(start <= time.start and time.end <= end and end - start > max(time.end - time.start, 2) for start, end in people):
                continue  # 周天富 is no Sunday.
            yield _entity(text, "time", time.start, time.end) | {
                "from": time.begins.isoformat(), "to": time.ends.isoformat(), "coming": time.relative_to_future}
        # 物业费 is a service, though 物业 is a department: the longer name is meant.
        named = [_entity(text, name, *match.span()) for name, pattern in self._names.items()
                 for match in pattern.finditer(plain) if name == "department" or not (plain[match.end():match.end() + 1].isdigit() or _NUMBER_OF.match(plain, match.end()))]
        within = {entity["end"]: entity["start"] for entity in named if entity["entity"] == "department"}
        for start, end in find_places(plain, words):
            # 住院部5楼 and 体检中心三楼 are one place each.
            yield _entity(text, "place", within.get(start, start) if _FLOOR.match(plain, start) else start, end)
        yield from sorted(named, key=lambda entity: entity["start"] - entity["end"])
        yield from (_entity(text, "person", start, end) for start, end in people)
        for name, pattern in patterns.BROAD:
            yield from (_entity(text, name, *match.span("it")) for match in pattern.finditer(plain))


_FLOOR = re.compile(r"(?:\d{1,2}|[一二三四五六七八九十]+)[楼层]")
_NUMBER_OF = re.compile(r"号(?:码|是|为|更正|[:\s\d])")
"""身份证号: the number on it, and no service."""


def _moment(said: str | None) -> datetime:
    moment = datetime.fromisoformat(said.replace("Z", "+00:00")) if said else datetime.now(ZONE)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)


def _entity(text: str, name: str, start: int, end: int) -> dict[str, Any]:
    return {"entity": name, "start": start, "end": end, "value": text[start:end]}


def _without_overlap(found: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    taken: set[int] = set()
    for entity in found:
        here = range(entity["start"], entity["end"])
        if here and taken.isdisjoint(here):
            kept.append(entity)
            taken.update(here)
    return sorted(kept, key=lambda entity: entity["start"])


def _any_of(words: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted({fold(word) for word in words}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))
