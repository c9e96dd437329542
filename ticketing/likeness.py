"""How likely two tickets are about one matter: words, title, place, meaning, category and time, weighed together.

A logistic model. Its weights were read from public petitions (`python -m benchmarks.incidents`) and rounded; there are
two sets, because words must carry more where there are no sentence vectors. Nothing here touches the database.
"""

import math
from array import array
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import mul
from typing import Any

from core import places
from core.places import Agreement, Place

LONGEST = 400
"""Characters whose words count: a long petition says at its head what it is about."""
PLACE_IN = 150
"""Characters of the text in which the place is looked for."""
FEWEST = 300
"""An office that has just opened weighs words as if so many tickets were there: else every word would be rare."""
NO_LONGER_NEAR = timedelta(days=60)
VECTOR_FROM, VECTOR_TO = 0.90, 1.0
"""Cosines of two Chinese sentences of any kind lie above the first."""
DULL_WEIGHT = 1.0
DULL = frozenset(
    "请问 你好 您好 我们 小区 业主 物业 希望 尽快 解决 处理 问题 什么 怎么 没有 现在 已经 领导 有关 部门 严重 影响 居民 生活 反映 投诉 "
    "要求 请求 建议 咨询 关于 情况 今天 昨天 早上 晚上 上午 下午 时候 一直 开始 还是 就是 这个 那个 一下 不能 可以 需要 麻烦 谢谢 回复 "
    "电话 联系 工作 人员 他们 大家 自己 这样 因为 所以 但是 而且 如果 多次 无人 没人 一个 不知 知道 多久 几天 两天 三天 是不 不是 好几".split()
)
"""Words that stand in every complaint: they tell none from another, however few tickets there are."""


@dataclass(frozen=True, slots=True)
class Weights:
    words: float
    title: float
    place: float
    apart: float
    category: float
    time: float
    soon: float
    meaning: float
    bias: float


WITH_VECTORS = Weights(words=4.0, title=2.8, place=3.6, apart=-8.0, category=0.6, time=-1.0, soon=0.8, meaning=8.0, bias=-7.4)
BY_WORDS = Weights(words=10.0, title=6.0, place=4.6, apart=-8.0, category=0.8, time=-1.6, soon=0.8, meaning=0.0, bias=-7.6)


@dataclass(frozen=True, slots=True)
class Said:
    """What of a ticket is compared. `vector`: 384 numbers of length 1, or None where vectors are off."""

    ticket_id: int
    person: int
    at: datetime
    category: str | None
    words: frozenset[str]
    title: frozenset[str]
    place: Place
    vector: "array[float] | None" = None


@dataclass(frozen=True, slots=True)
class Likeness:
    """`share`: how likely both are about one matter (0–1). `because`: what agrees, for whoever decides."""

    share: float
    because: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Rarity:
    """How many of the tickets of late hold a term; what most hold says nothing."""

    total: int
    counts: Mapping[str, int] = field(default_factory=dict)

    def weigh(self, term: str) -> float:
        if term in DULL:
            return DULL_WEIGHT
        total = max(self.total, FEWEST)
        return math.log(1 + total / max(self.counts.get(term, 1), 1))

    def length(self, terms: Set[str]) -> float:
        return math.sqrt(sum(self.weigh(term) ** 2 for term in terms))


def compare(one: Said, other: Said, rarity: Rarity) -> Likeness:
    """Both ways alike, but for the words of `other` that `one` has not: their rarity is not looked up."""
    where = places.compare(one.place, other.place)
    words, title = _cosine(one.words, other.words, rarity), _cosine(one.title, other.title, rarity)
    place = _place(one.place, other.place, where, rarity)
    apart_in_time = abs(one.at - other.at)
    meaning = nearness(one.vector, other.vector)
    weights = BY_WORDS if meaning is None else WITH_VECTORS
    same_category = one.category is not None and one.category == other.category
    logit = (
        weights.bias + weights.words * words + weights.title * title + weights.place * place
        + weights.apart * (where == Agreement.APART) + weights.category * same_category
        + weights.time * min(apart_in_time / NO_LONGER_NEAR, 1.0) + weights.soon * (apart_in_time < timedelta(days=1))
        + weights.meaning * (meaning or 0.0)
    )
    share = 1 / (1 + math.exp(-logit))
    return Likeness(share, _because(one, other, place, words, meaning, same_category, apart_in_time, rarity))


def _cosine(mine: frozenset[str], theirs: frozenset[str], rarity: Rarity) -> float:
    both = sum(rarity.weigh(term) ** 2 for term in mine & theirs)
    return both / (rarity.length(mine) * rarity.length(theirs)) if both else 0.0


def _place(one: Place, other: Place, where: Agreement, rarity: Rarity) -> float:
    """0 to 1: a building, a gate or a counter in common counts whole, a name by how few others stand there."""
    if where != Agreement.SAME:
        return 0.0
    if one.building & other.building or one.gate & other.gate or one.window & other.window:
        return 1.0
    if spots := one.spot & other.spot:
        return max(rarity.weigh(key_of(f"spot:{spot}")) for spot in spots) / _most(rarity)
    shared = [(a, b) for a in one.names for b in other.names if a in b or b in a]
    return max((min(rarity.weigh(key_of(a)), rarity.weigh(key_of(b))) for a, b in shared), default=0.0) / _most(rarity)


def _most(rarity: Rarity) -> float:
    return math.log(1 + max(rarity.total, FEWEST) / 1)


def key_of(place_key: str) -> str:
    """How a key of a place stands among the search terms: no term of a text begins so."""
    return f"@{place_key}"


def nearness(mine: "array[float] | None", theirs: "array[float] | None") -> float | None:
    """0 to 1 by their cosine; None where one of them is not known."""
    if mine is None or theirs is None:
        return None
    cosine: float = sum(map(mul, mine, theirs))
    return min(max((cosine - VECTOR_FROM) / (VECTOR_TO - VECTOR_FROM), 0.0), 1.0)


def _because(
    one: Said, other: Said, place: float, words: float, meaning: float | None, same_category: bool,
    apart: timedelta, rarity: Rarity,
) -> tuple[dict[str, Any], ...]:
    """Which features agree, each with what a clerk can check with his own eyes."""
    found: list[dict[str, Any]] = []
    if one.person == other.person:
        found.append({"feature": "person"})
    if place > 0:
        found.append({"feature": "place", "value": _common(one.place, other.place)})
    if same_category:
        found.append({"feature": "category", "value": one.category})
    telling = sorted((term for term in one.words & other.words if term not in DULL), key=lambda term: -rarity.weigh(term))
    if words >= 0.05 and telling:
        found.append({"feature": "words", "value": _longest(telling[:12])[:5]})
    if meaning is not None and meaning >= 0.3:
        found.append({"feature": "meaning", "value": round(meaning, 2)})
    if apart <= timedelta(days=7):
        found.append({"feature": "time", "value": round(apart.total_seconds() / 3600, 1)})
    return tuple(found)


def _common(one: Place, other: Place) -> str:
    """The part of the place that both name."""
    def both(name: str) -> frozenset[str]:
        mine, theirs = getattr(one, name), getattr(other, name)
        near = frozenset(min((a, b), key=len) for a in mine for b in theirs if name == "names" and (a in b or b in a))
        return near or mine & theirs

    return Place(**{name: both(name) for name in Place.__slots__}).label()


def _longest(found: list[str]) -> list[str]:
    return [term for term in found if not any(term != other and term in other for other in found)]
