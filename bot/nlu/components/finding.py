"""All entities of one message, none overlapping another; knows nothing of Rasa, so that it can be measured alone."""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from nlu.components import patterns
from nlu.components.normal import fold
from nlu.components.offices import Offices
from nlu.components.people import NO_NAMES, find_people
from nlu.components.places import find_places
from nlu.components.times import ZONE, find_times
from nlu.components.words import Words

Span = tuple[int, int]


class Finder:
    """What has a form is found by its form; `lookups` are the names of departments and services."""

    def __init__(self, lookups: Mapping[str, Sequence[str]]) -> None:
        self._offices = Offices(lookups)

    def find(self, text: str, moment: str | None = None) -> list[dict[str, Any]]:
        """The entities in their order in the text."""
        return _without_overlap(self._all(text, moment))

    def _all(self, text: str, moment: str | None) -> Iterator[dict[str, Any]]:
        """Earlier ones win where two overlap: what is exact comes before what is broad."""
        plain = fold(text)
        for name, pattern in patterns.EXACT:
            yield from (_entity(text, name, *match.span("it")) for match in pattern.finditer(plain)
                        if name != "ticket_number" or not patterns.is_of_others(plain, match.start("it")))
        words = Words(plain)
        people = [span for span in find_people(plain, words) if plain[slice(*span)] not in NO_NAMES]  # 谢谢 before a number.
        called = {span for span in people if _CALLED_SO.search(plain[max(span[0] - 2, 0):span[0]])}
        places = [span for span in find_places(plain, words) if span not in called]  # 叫高子轩 is nobody's estate.
        now, times, coming = _moment(moment), [], []
        for time in find_times(text, now):
            if _HOUSE_NUMBER.fullmatch(plain, time.start, time.end) and any(start < time.start and time.end <= end for start, end in places):
                continue  # 杏花岭9号 is no day.
            if any(start <= time.start and time.end <= end and end - start > max(time.end - time.start, 2) for start, end in people):
                continue  # 周天富 is no Sunday.
            times.append((time.start, time.end))
            if time.ends >= now:
                coming.append((time.start, time.end))
            yield _entity(text, "time", time.start, time.end) | {
                "from": time.begins.isoformat(), "to": time.ends.isoformat(), "coming": time.relative_to_future}
        departments = list(self._offices.departments(plain, words, people, places))
        inside = {at for start, end in departments for at in range(start, end)}
        seen = [span for span in places if span[0] not in inside and self._offices.is_seen(plain, span, people)]
        yield from (_entity(text, "department", *span) for span in seen)
        wholes, offices = self._with_offices(plain, [span for span in places if span not in seen], departments)
        yield from (_entity(text, "place", *span) for span in wholes)
        yield from (_entity(text, "department", *span) for span in offices)
        yield from (_entity(text, "service", *span) for span in self._offices.services(plain, words, [*times, *places, *people, *departments], coming))
        yield from (_entity(text, "person", start, end) for start, end in people)
        scores = [match.span("it") for name, pattern in patterns.BROAD if name == "score" for match in pattern.finditer(plain)]
        yield from (_entity(text, "score", *span) for span in scores)
        if not scores:
            yield from (_entity(text, "score", *match.span("it")) for match in patterns.CONTENT.finditer(plain))
        for name, pattern in patterns.BROAD:
            yield from (_entity(text, name, *match.span("it")) for match in pattern.finditer(plain) if name != "score")

    def _with_offices(self, plain: str, places: list[Span], departments: list[Span]) -> tuple[list[Span], list[Span]]:
        """Places with the offices that belong to them (住院部5楼, 疾控中心门口), and the offices that remain."""
        inside = {at for start, end in departments for at in range(start, end)}
        within, before = {end: start for start, end in departments}, {end: start for start, end in places}
        wholes, offices = list[Span](), list[Span]()
        for start, end in places:
            if not {start, end - 1} <= inside or _BY_IT.match(plain, end):  # 社区卫生服务中心 is an office, and so is 澄江新区管委会.
                begins = within.get(start, start) if _FLOOR.match(plain, start) or (_BED.match(plain, start) and (plain[start - 1:start] != "科" or within.get(start) in before)) else start
                wholes.append((before.get(begins, begins) if begins < start else begins, end))
        for start, end in departments:
            door = plain.startswith("门口", end)
            if door or (start in before and self._offices.is_wing(plain, (start, end))):
                wholes.append((before.get(start, start), end + len("门口") * door))
            else:
                offices.append((start, end))
        return _without_parts(wholes), offices


_CALLED_SO = re.compile("叫$|名字?[是:]?$|姓名$")
_HOUSE_NUMBER = re.compile(r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})号")
_FLOOR = re.compile(r"(?:[东南西北]楼)?(?:\d{1,2}|[一二三四五六七八九十]+)[楼层]")
_BED = re.compile(r"(?:第?(?:\d{1,2}|[一二三四五六七八九十]{1,2})病区)?加?(?:\d{1,3}|[一二三四五六七八九十]{1,4})号?床")
"""心内三十一床, 5楼内科23床; but of 肾内科36床 the clinic is told for itself."""
_BY_IT = re.compile(r"旁|对面|附近|[东南西北]?楼|大厅|后|前")


def _without_parts(spans: list[Span]) -> list[Span]:
    """What is part of a longer one is none of its own."""
    kept, reached = list[Span](), 0
    for start, end in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        if end > reached:
            kept.append((start, end))
            reached = end
    return kept


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
