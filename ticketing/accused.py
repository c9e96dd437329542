"""Whom a complaint is about: read from the resident's words, so that it never reaches the unit or person itself.

Only how somebody behaved is somebody's: 电梯坏了，工程维修部修了三次 is a complaint about the lift.
"""

import re
from collections.abc import Sequence

from ticketing.preset import Preset

KINDS = frozenset({"complaint", "report"})

_BEHAVIOUR = re.compile(
    r"态度|骂[了人我]|辱骂|吼|凶[我巴得]|推诿|推脱|推来推去|踢皮球|爱[理搭答]不[理搭答]|不理[人睬我]|不耐烦|刁难|甩脸|翻白眼|冷冰冰|冷漠|敷衍"
    r"|打[了我]|动手|推搡|索要|红包|好处费|吃拿卡要|玩手机|打游戏|睡觉|打瞌睡|脱岗|离岗|不在岗|粗鲁|粗暴|没礼貌|不礼貌|不文明|说话(?:很|太|特别)?(?:难听|冲)"
    r"|不作为|乱作为|包庇|偏袒|威胁|恐吓|勒索|骚扰我")
_TITLE = "师傅|医生|大夫|护士长|护士|主任|经理|主管|科长|队长|班长|站长|所长|院长|队员|保安|收费员|窗口人员"
_STAFF = re.compile(
    r"(?:^|[，,。；;、：:\s的叫是]|投诉|举报|你们|那个|这个|姓)(?P<staff>[^\W\d_这那哪名位个女男老小班几两各他她你我们是的叫姓某和跟找让给问向对被把请等见喊求骂打催](?:" + _TITLE + r"))"
    r"|(?P<number>工号(?:是|为|：|:)?\s?[A-Za-z]?\d{2,8})")
_WINDOW = re.compile(r"(?P<window>(?:[A-Za-z]|\d{1,3}|[一二三四五六七八九十]{1,3})号?窗口)")
_ENDINGS = ("窗口", "部", "科", "室", "处")
_SENTENCE = re.compile(r"[^。！？!?；;\n]+")
_NEAR = 16
"""Characters between somebody and what he did; farther away it was another."""
_DENIED = re.compile(r"(?:不是|并非|没说|无关|不怪|不怨)[^，,]{0,4}$")
_PRAISED = re.compile(r"态度(?:都|也|还|倒|倒是|一直|非常|特别|很|挺|蛮|比较)*(?:好|可以|不错|热情|耐心|亲切|认真)")
_ASKED_FOR = re.compile(r"(?:找|问|联系|打给|打电话给|反映给|让|叫|请|转给|告诉|报给|说是|说要)[^，,]{0,3}$")
"""Before somebody's name: who was asked for help is not who behaved badly."""


def find_accused(preset: Preset, people: Sequence[str], text: str) -> dict[str, str] | None:
    """`unit` (a department's name), `window` and `staff` as `about` has them; None where nobody's behaviour is told.

    `people` are the names of those who work here. Units and people are looked for beside what they did.
    """
    found: dict[str, str] = {}
    units = {called: department.name for department in preset.departments for called in _ways_to_call(department.name)}
    for sentence in _SENTENCE.findall(text):
        behaviour = [match for match in _BEHAVIOUR.finditer(sentence) if not _PRAISED.match(sentence, match.start())]
        if not behaviour:
            continue
        for word, name in [*units.items(), *((name, name) for name in people if _is_written_as_a_name(name))]:
            if _is_beside(sentence, word, behaviour):
                found.setdefault("unit" if word in units else "staff", name)
        for match in _STAFF.finditer(sentence):
            said = match["staff"] or match["number"]
            if _is_beside(sentence, said, behaviour):
                found.setdefault("staff", said)
        if window := _WINDOW.search(sentence):
            found.setdefault("window", window["window"])
    return found or None


def _ways_to_call(name: str) -> tuple[str, ...]:
    """工程维修部 is called 工程部 as well; 医保窗口 has one name."""
    ending = next((ending for ending in _ENDINGS if name.endswith(ending)), "")
    return tuple(dict.fromkeys((name, name[:2] + ending))) if ending and len(name) > len(ending) + 2 else (name,)


def _is_written_as_a_name(name: str) -> bool:
    return len(name) >= 2 and all("\u4e00" <= letter <= "\u9fff" for letter in name)


def _is_beside(sentence: str, word: str, behaviour: Sequence[re.Match[str]]) -> bool:
    """Somebody stands shortly before what he did, or after 投诉."""
    at = sentence.find(word)
    if at < 0 or _DENIED.search(sentence[:at]) or _ASKED_FOR.search(sentence[:at]):
        return False
    accused = re.search(r"(?:投诉|举报)(?:一下|你们|贵单位|的)*$", sentence[:at])
    return bool(accused) or any(0 <= match.start() - at - len(word) <= _NEAR for match in behaviour)
