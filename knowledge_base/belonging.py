"""Whether a field's text belongs to its guide: a fee or limit that another guide explains better was swapped."""

import functools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from core.segment import terms
from knowledge_base.guide import HEADINGS, Guide

LOOKED_AT = ("fee", "limit_promised", "materials", "steps", "conditions", "result")
"""Fields that speak of the matter itself; windows, hours and telephones may be the same everywhere."""
BASES = ("fee_basis", "legal_basis")
"""What names laws speaks of many matters and explains none."""
FEWEST = 4
"""A text of fewer terms (不收费) belongs everywhere."""
CLEARLY = 0.1
"""By so much more of the text another guide must know, and this one of the other's."""
STRANGE = 0.45
"""By so much more without any exchange: the text is about something else."""

_AMOUNT = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*(万?)元")
_MONEY = re.compile(r"多少钱|多少元|要钱|收钱|交钱|收费|费用|工本费|[收交]多少")
_GIVEN = re.compile(r"补贴|补助|津贴|领|报销|赔|奖|罚|押金")
_FREE = re.compile(r"^\W*(?:均|全部|办理|本事项)?(?:不收费|免费|不收取(?:任何)?费用|无收费)[。\s]*(?:[（(][^）)]*[）)])?[。\s]*$")


class Belonging:
    """What each guide of one preset knows, so that a text can be looked for in all of them."""

    def __init__(self, guides: Sequence[Guide]) -> None:
        self._guides = list(guides)
        self._said = {guide.slug: {name: _terms(text) for name, text in _texts(guide)} for guide in guides}
        counts = Counter(term for said in self._said.values() for term in set().union(*said.values()))
        self._weight = {term: math.log(1 + len(self._guides) / count) for term, count in counts.items()}

    def find(self, guide: Guide) -> list[tuple[str, str]]:
        """(field, what is strange) of the fields whose text is another guide's, and of fees that contradict the FAQ."""
        found = [(name, told) for name in LOOKED_AT if (told := self._owner(guide, name))]
        return found + [("fee", told) for told in _fee_against_faq(guide)]

    def _owner(self, guide: Guide, name: str) -> str | None:
        text = guide.fields.get(name, "")
        if len(_terms(text)) < FEWEST:
            return None
        own = self._share(text, guide.slug, name)
        for other in self._guides:
            if other.slug == guide.slug:
                continue
            more = self._share(text, other.slug, name) - own
            if more > 0 and self._was_exchanged(guide, other, name, more):
                return f"“{HEADINGS[name]}”写的像是《{other.title}》的"
        return None

    def _was_exchanged(self, guide: Guide, other: Guide, name: str, more: float) -> bool:
        theirs = other.fields.get(name, "")
        if theirs == guide.fields[name]:
            return more > CLEARLY
        if more > STRANGE:
            return True
        back = self._share(theirs, guide.slug, name) - self._share(theirs, other.slug, name)
        return len(_terms(theirs)) >= FEWEST and back >= 0 and more + back > CLEARLY

    @functools.cache  # noqa: B019 (it lives as long as one rehearsal)
    def _knows(self, slug: str, without: str) -> frozenset[str]:
        return frozenset().union(*(said for name, said in self._said[slug].items() if name != without))

    def _share(self, text: str, slug: str, without: str) -> float:
        """How much of the text, rare terms weighing more, the guide knows from its other fields."""
        known = self._knows(slug, without)
        wanted = {term: self._weight.get(term, 0.0) for term in _terms(text)}
        whole = sum(wanted.values())
        return sum(weight for term, weight in wanted.items() if term in known) / whole if whole else 1.0


def _fee_against_faq(guide: Guide) -> list[str]:
    """An FAQ answer about money and the fee name the same amounts, or one of them is wrong."""
    fee = guide.fields.get("fee", "")
    amounts, free = _amounts(fee), _FREE.match(fee) is not None
    found = []
    for each in guide.faq:
        told = _amounts(each.answer)
        # A question that names a sum has it worked out in its answer; what one is given is no fee.
        if not told or not _MONEY.search(each.question) or _GIVEN.search(each.question) or _amounts(each.question):
            continue
        known = amounts | _amounts(" ".join(guide.fields.values())) if not free else set()
        if (free and "免费" not in each.answer and "不收费" not in each.answer) or (amounts and not told & known):
            found.append(f"“收费标准”与常见问题“{each.question}”的金额不一致")
    return found


def _amounts(text: str) -> set[tuple[str, str]]:
    return {(number.replace(",", ""), unit) for number, unit in _AMOUNT.findall(text)}


def _texts(guide: Guide) -> list[tuple[str, str]]:
    named = " ".join([guide.title, *guide.aliases, guide.overview])
    faq = " ".join(f"{each.question} {each.answer}" for each in guide.faq)
    fields: Mapping[str, str] = {name: text for name, text in guide.fields.items() if name not in BASES}
    return [("overview", named), *fields.items(), ("faq", faq)]


@functools.lru_cache(maxsize=20_000)
def _terms(text: str) -> frozenset[str]:
    return frozenset(term for term in terms(text) if len(term) > 1)
