"""Departments and services by the parts of their names: every head with every tail is a name, and the longest counts."""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from nlu.components.normal import fold

Span = tuple[int, int]

_LEVEL = r"(?:(?<![小社园片校辖景])[市区县省镇乡州]|街道|社区)?"
_WITH_NUMBER = re.compile(r"号(?:码|是|为|更正|应|[:\s\d,，。]|$)|[:：\s]?\d{6}")
"""身份证号: the number on it, and no service."""
_SPOKEN_TO = re.compile(r"(?:投诉|举报|表扬|感谢|批评|点名|跟|和|同|找|向|请|麻烦|问|联系|叫|通知|去|到|在|让|给|求|告|咨询|反映)(?:一下|了|过|我们|咱们?|贵)?$")
_OF_IT = re.compile(r"经理|主任|费|上门|大堂|群|管家|公司")
_IN_PASSING = re.compile(r"(?:冒领|套取|骗取|克扣|挪用|贪污?|侵占|倒卖|虚开|拿着?假?|假|带|刚传的|漏填|填)(?:的|了)?$")
_GONE_BY = re.compile(r"用的|片|垃圾|噪[音声]|工人|公司|队|师傅|的?名额|(?:的)?(?:钱|款)?(?:拿去|在外|被)")
_ASKED = re.compile(
    r"(?:办理?|补办?|申请|预约|预订|预定|约|订|租|借|登记|申报|报|缴纳?|补缴|换|领取?|查|打|接种|续|退|转|改|撤|取消|挂|做|排|照|拍|看|开|重开|推迟|要|需|复印|打印|想交|来交|怎么交|如何交|去交|交不了|迁|安排|参加)"
    r"(?:一?下|一?个|一?张|一?份|一?次|不了|了|的|那个|这个|我的|我妈?|我爸|孩子的?|娃的?|老人的?|去|成|好|上午|下午|明天|后天|\s)*$|(?:那个|我的|的预约|预约是)$|(?:预约|约|预订|订|挂|改)[^,，。]{1,14}的$")
_LENT = re.compile(r"(?:租|借|订|约|排|用|那个|用的)(?:一?下|一?个|一?间|一?次|一?台|一?把|的)?$")
_ASKS = re.compile(
    r"(?:的|这个|那个)?(?:号(?!码)|预约|申请|登记|进度|办理|业务|手续|发放|到账|怎么|如何|咋|能不?能?(?:办|用|交|补|查|推|改|换|往|挪|提|延|不|重|开)|可以(?:办|用|交|补|查|推|改|换|往|挪|提|延|吗)|在哪|去哪|到哪|多少|什么时候|啥时候|几点|几天|要(?![求是命])|需要|推迟|改到|改成|改|延|取消|到期|过期|丢|办|补|换|预定|从|乱|涨|收费|挪|什么条件|续)")
_LINE_END = re.compile(r"[\s,，。.!！?？、]|$|吧|呗")
_EDGE_BEFORE = re.compile(r"[a-z\d]$")


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Any]:
    """The parts of names; data, so that an office's words can be read and changed without code."""
    read: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "offices.yml").read_text(encoding="utf-8"))
    return read


def _one_of(words: Iterable[str]) -> str:
    """A pattern of these words, the longest first, that looks at each character of the text once: 社保局|社保卡 → 社保[局卡]."""
    tree: dict[str, Any] = {}
    for word in words:
        branch = tree
        for character in word:
            branch = branch.setdefault(character, {})
        branch[""] = {}
    return _branches(tree)


def _branches(tree: Mapping[str, Any]) -> str:
    longer = [re.escape(character) + _branches(below) for character, below in tree.items() if character]
    if not longer:
        return ""
    return f"(?:{'|'.join(longer)}){'?' if '' in tree else ''}" if len(longer) > 1 or "" in tree else longer[0]


def _heads_and_tails(part: Mapping[str, str]) -> str:
    tails = "|".join(sorted(part["tails"].split(), key=len, reverse=True))
    return f"{_one_of(part['heads'].split())}(?:{tails})"


class Offices:
    """Departments and services in a text; `lookups` of the training data are names as well."""

    def __init__(self, lookups: Mapping[str, Sequence[str]]) -> None:
        clinics, offices, services = (_table()[name] for name in ("clinics", "offices", "services"))
        self._familiar = frozenset(offices["familiar"].split())
        self._asked = frozenset(services["familiar"].split())
        self._lent = frozenset(services["lent"].split())
        self._absorbing = frozenset(offices["absorbing"].split())
        clinic = clinics["heads"].split()
        every = {fold(word) for word in lookups.get("department", ())} | set(clinics["whole"].split())
        own = set(offices["whole"].split())
        self._departments = [re.compile(form) for form in (
            rf"(?:{_one_of(clinic)}科(?:门诊)?|{_one_of(word for word in clinic if len(word) > 1)}门诊(?![楼大费]))(?![学技目研普长])",
            _LEVEL + _heads_and_tails(offices["public"]), _heads_and_tails(offices["inner"]),
            _LEVEL + _one_of(word for word in own if word[-1] in "会局院所委"), _one_of(own | every))]
        self._short = re.compile(
            rf"(?:[挂看约是去转到在,，。\s]|^)(?P<it>{_one_of(clinics['short'].split())})(?=$|[\s,，。.!！?？吧吗的]|医生|主任|大夫|病房|\d)")
        benefits = rf"{_one_of(services['benefits'].split())}(?:生活)?(?:补助金?|补贴|救助金?|津贴|抚恤金|保险金)"
        whole = {fold(word) for word in lookups.get("service", ())} | set(services["whole"].split()) | self._asked | self._lent
        actions = _one_of(services["actions"].split())
        self._services = [re.compile(form) for form in (rf"{_one_of(services['certificates'].split())}证明书?", benefits, f"{_one_of(whole)}{actions}?")]

    def departments(self, plain: str, people: Sequence[Span], places: Sequence[Span]) -> Iterator[Span]:
        """Offices and wards by name, in order."""
        over = {at: (start, end) for start, end in places for at in range(start, end)}
        ends = {end for _, end in places}
        named = {start for start, _ in people}
        for start, end in _spans(self._departments, plain):
            name = plain[start:end]
            if name.isascii() and (_EDGE_BEFORE.search(plain[:start][-1:]) or (plain[end:end + 1].isascii() and plain[end:end + 1].isalnum())):
                continue
            if name in self._familiar and not self._is_meant(plain, start, end, named, ends):
                continue
            first, last = over.get(start - 1, (start, start))
            if first < start <= last < end:  # 澄江新区管委会 is one name; in 翠湖花园物业 the office begins behind the place.
                start = first if plain[last:end] in self._absorbing else last
            yield start, end
        yield from (match.span("it") for match in self._short.finditer(plain))

    def _is_meant(self, plain: str, start: int, end: int, people: set[int], places: set[int]) -> bool:
        """投诉物业, 物业的小陈, 翠湖花园物业: but 物业 in passing is everybody's."""
        of_him = end + (plain[end:end + 1] == "的") in people
        if of_him or end == len(plain):
            return True
        if _OF_IT.match(plain, end):
            return False
        return bool(_SPOKEN_TO.search(plain[max(start - 6, 0):start])) or start in places

    def services(self, plain: str) -> Iterator[Span]:
        """What is applied for or booked, in order."""
        for start, end in _spans(self._services, plain):
            name = plain[start:end]
            if name.isascii() and (_EDGE_BEFORE.search(plain[:start][-1:]) or (plain[end:end + 1].isascii() and plain[end:end + 1].isalnum())):
                continue
            before = plain[max(start - 10, 0):start]
            if _WITH_NUMBER.match(plain, end) or _IN_PASSING.search(before) or _GONE_BY.match(plain, end):
                continue
            if name in self._lent and not _LENT.search(before):
                continue
            if name in self._asked and not _is_asked(plain, start, end, before):
                continue
            yield start, end


def _is_asked(plain: str, start: int, end: int, before: str) -> bool:
    """预约体检, 疫苗推迟几天, 停车费怎么交: a word of applying or asking stands beside it."""
    clause = re.split(r"[\s,，。.!！?？;；:：]", before)[-1]
    return bool(_ASKS.match(plain, end)) or bool(_ASKED.search(clause) if clause else start == 0 and _LINE_END.match(plain, end))


def _spans(patterns: Sequence[re.Pattern[str]], plain: str) -> Iterator[Span]:
    """Left to right, the longest of those that overlap."""
    found = sorted((match.span() for pattern in patterns for match in pattern.finditer(plain)), key=lambda span: (span[0] - span[1], span[0]))
    taken: set[int] = set()
    kept = []
    for start, end in found:
        if taken.isdisjoint(range(start, end)):
            kept.append((start, end))
            taken.update(range(start, end))
    return iter(sorted(kept))
