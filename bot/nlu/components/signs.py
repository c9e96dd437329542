"""What must never be missed, even where the model has doubts: danger to somebody, and the wish to speak with a person.

A sign is a form of words, and what takes it back: a question about fees or rules, something long past, a comparison, a drill.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from nlu.components.normal import fold

Ranking = list[tuple[str, float]]

EMERGENCY, PERSON, SUICIDE = "report_emergency", "ask_human", "suicide"
SURE = 0.97


def _read_danger() -> dict[str, Any]:
    """The words of danger.yml, which the service reads too: it must see danger while the assistant is away."""
    words: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "danger.yml").read_text(encoding="utf-8"))
    for row in words["forms"]:
        for name, part in words["parts"].items():
            row["form"] = row["form"].replace(f"<{name}>", part)
    return words


_WORDS = _read_danger()
DANGER: tuple[tuple[str, re.Pattern[str]], ...] = tuple((row["kind"], re.compile(row["form"])) for row in _WORDS["forms"])
_MISSPELT: tuple[tuple[re.Pattern[str], str], ...] = tuple((re.compile(row["form"]), row["means"]) for row in _WORDS["misspelt"])
_FIGURES = re.compile("|".join(_WORDS["figures"]))
_TAKES_BACK: tuple[re.Pattern[str], ...] = tuple(re.compile(form) for form in _WORDS["takes_back"])
_NOBODY = re.compile(_WORDS["nobody"])
_NOW, _ONLY_SPOKEN = re.compile(_WORDS["now"]), re.compile(_WORDS["only_spoken"])
BORNE_OUT = 0.003
"""Words of danger count unless the model is as good as sure that they only sound so (家庭火灾保险, 让人窒息的机器): of 282 dangers that
were seen by their words none had less than .02. Who speaks of dying is never doubted."""

LIKELY = 0.35
"""A message that the model holds for an emergency with this share is one: a false alarm costs less than a missed one."""

PERHAPS = 0.1
"""From here on the numbers are said beside whatever else the message is answered with, and no ticket rings anybody: before some
four messages in a thousand, and before a third of the dangers that are missed."""

CERTAIN = 0.9
"""Where danger is only a subject, or a figure of speech, the model must be as sure as this."""

_WANTS_PERSON = re.compile(
    r"(?:转|接|找|要|换|叫|有没有|给我|请|需要|联系|呼叫|能不能|有)[^,，。!！?？]{0,8}(?:人工|真人|活人|坐席|座席|接线员|人共|人攻|人公|任工|人功)|^[\s]*人工[^智流费成资林授湖岛]?|"
    r"(?:真|活)人(?:客服|服务|说话|讲|聊|接|回|没|呢)|(?:叫|让|找|喊|换|请|要跟|要和|想跟|想和)[^,，。]{0,6}(?:领导|经理|主管|负责人|管事的|头儿|值班的?|主任)[^,，。]{0,4}(?:来|谈|说|出来|接|讲|联系|回|聊|听|打|$)|"
    r"(?:来|叫|找|换|喊|派)(?:一)?个?(?:活|真)?人(?:来)?(?:说话|说|跟我|和我|接|讲|聊|谈|给我打|打给我)|(?:不(?:要|想|跟|和)|别|讨厌).{0,4}(?:机器人?|程序|自动回复|罐头)|转人|(?:叫|转|换|找|接)(?:一?个)?客服|喘气的.{0,4}(?:出来|没)|当面(?:讲|谈|说)|转给(?:你)?(?:的)?同事|接线员|"
    r"(?:安排|派|找|请)[^,，。]{0,6}(?:工作人员|同志|同事|专人)[^,，。]{0,4}[和跟同与给]我[^,，。]{0,4}(?:电话|通话|说|谈|讲|聊)|直接[和跟找][^,，。]{0,24}(?:人|同志)(?:当面)?(?:谈|说|讲|聊|沟通)")
_NOT_PERSON = re.compile(r"(?:不用|不要|别|不想|不需要|无需|没必要)(?:给我|帮我)?(?:转|找|叫|接|人工)(?!.{0,6}机器)|人工(?:智能|费|流产|授精|湖|成本|翻译|受孕|耳蜗|关节|晶体)|聊天|人工(?:窗口|通道|服务时间|几点|多少)")


_COMPLAINS = re.compile(r"投诉")
_REPORTS = re.compile(r"举报|检举|揭发|纪检|贿|红包|回扣|贪|挪用|私吞|侵吞|吃拿卡要|索要|好处费|滥用职权|以权谋私|徇私|公款|造假|作弊")
COMPLAINT, MISCONDUCT = "complain", "report_misconduct"


def see_danger(text: str) -> str | None:
    """Which danger a text reports; None where it reports none, or only speaks of it."""
    plain = put_right(text)
    literal = _FIGURES.sub(" ", plain)
    seen = next((name for name, form in DANGER if form.search(literal)), None)
    if seen is None:
        return None
    # Who asks, remembers or fears is in no danger; who cries for help is, whatever else he says.
    if _takes_back(plain) and not (_NOW.search(plain) and not _ONLY_SPOKEN.search(plain)):
        return None
    return seen


def put_right(text: str) -> str:
    """The folded text with its words of danger as they are written, whatever was typed or heard for them."""
    plain = fold(text)
    for form, means in _MISSPELT:
        plain = form.sub(means, plain)
    return plain


def is_spoken_of(text: str) -> bool:
    """Whether danger is only a subject here: a fee, a rule, a memory, a comparison."""
    plain = put_right(text)
    return _takes_back(plain) or bool(_FIGURES.search(plain) or _NOBODY.search(plain))


def may_be_danger(ranking: Sequence[tuple[str, float]], text: str) -> bool:
    """Whether a message that is taken for something else may still tell of danger."""
    return dict(ranking).get(EMERGENCY, 0.0) >= PERHAPS and not is_spoken_of(text)


def _takes_back(plain: str) -> bool:
    return any(form.search(plain) for form in _TAKES_BACK)


def wants_person(text: str) -> bool:
    """Whether somebody asks for a person, in plain words."""
    plain = fold(text)
    return bool(_WANTS_PERSON.search(plain)) and not _NOT_PERSON.search(plain)


def decide(ranking: Sequence[tuple[str, float]], text: str) -> Ranking:
    """The model's ranking, with what must not be missed in its first place."""
    shares = dict(ranking)
    share = shares.get(EMERGENCY, 0.0)
    seen = see_danger(text)
    if (seen and (share >= BORNE_OUT or seen == SUICIDE)) or (share >= LIKELY and not is_spoken_of(text) and not wants_person(text)):
        return put_first(ranking, EMERGENCY)
    doubted = ranking[0][1] < CERTAIN or _NOBODY.search(text)
    if ranking[0][0] == EMERGENCY and doubted and len(ranking) > 1 and is_spoken_of(text):
        ranking = [(ranking[1][0], ranking[0][1]), (EMERGENCY, ranking[1][1]), *ranking[2:]]
    if wants_person(text) and len(text) <= 60 and ranking[0][0] != EMERGENCY:
        return put_first(ranking, PERSON)
    if ranking[0][0] == MISCONDUCT and _COMPLAINS.search(text) and not _REPORTS.search(text):
        # Who calls it a complaint, and names no corruption, complains: only an inspector would read a report.
        return [(COMPLAINT, ranking[0][1]), (MISCONDUCT, shares.get(COMPLAINT, 0.0)),
                *(pair for pair in ranking[1:] if pair[0] != COMPLAINT)]
    return list(ranking)


def put_first(ranking: Sequence[tuple[str, float]], name: str) -> Ranking:
    """The ranking with this intent as good as certain."""
    share = max(SURE, dict(ranking).get(name, 0.0))
    rest = [(other, value) for other, value in ranking if other != name]
    left = sum(value for _, value in rest) or 1.0
    return [(name, share), *((other, value / left * (1 - share)) for other, value in rest)]
