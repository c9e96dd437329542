"""Who says what: turns as the recogniser gave them → pieces with the right speaker, in the form that can be read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from channels.transcripts import Turn
from service.hearing.numbers import Number, find_numbers, write_numerals

AGENT = re.compile(
    r"请问|(?:有)?什么(?:可以|能)帮|为您|帮您|给您|您贵姓|怎么称呼|请讲|请说|您说的是|您的(?:电话|联系|姓名|地址|问题|诉求|反映)|工号|坐席|话务员"
    r"|(?:服务|便民|客服)?热线|(?:客服|服务)中心|(?:登记|记录|记)(?:下来|好)?了|(?:已经?|这边|我们会)[^，。]{0,6}(?:记录|登记|转派|派单|转交|反馈|通知|安排)"
    r"|还有(?:其他|别的|什么)[^，。]{0,8}吗|感谢(?:您的)?来电|祝您|不客气|请您?(?:保持|稍等|放心|留|注意)|是吧$|对吧$|跟您(?:确认|核对|核实)|您(?:那边|这边|家|住|是)"
)
CALLER = re.compile(
    r"我(?:要|想)(?:投诉|反映|反应|举报|问|咨询|报修|表扬|建议)|我(?:们)?家|我(?:们)?(?:小区|楼|单元|这栋|村|公司)|我住|我姓|我叫|免贵|我的?(?:电话|手机|号码)|我打"
    r"|你们(?:物业|单位|医院|大厅|领导|怎么|能不能|到底|赶紧|快点|管不管|得|要)|麻烦(?:你们?|您)|谢谢(?:你|您|啊)|坏了|没人管|太(?:吵|脏|黑|慢|过分|气人)"
)
STRONG_AGENT = re.compile(
    r"什么(?:可以|能)帮(?:您|到)|为您服务|您贵姓|怎么称呼您|工号|请您保持电话|还有(?:其他|别的)[^，。]{0,8}吗|感谢(?:您的)?来电|祝您生活|已经?(?:为|帮|给)您"
    r"|(?:帮|给|为)您(?:登记|转|派|记录|反映)|请问您|您的(?:联系)?(?:电话|方式|地址|姓名)(?:是|方便|留)"
)
STRONG_CALLER = re.compile(
    r"我(?:要|想)(?:投诉|反映|反应|举报|报修)|我们?家|我住|我姓|我叫|免贵|我的?(?:电话|手机号?)(?:号码)?(?:是|就)|麻烦你们|谢谢你"
)
FILLERS = re.compile(r"嗯+|呃+|唔+|额(?![度外头])|就是说(?:呢)?|怎么说呢|那个(?:啥|什么)?[，,\s]*|这个这个|然后那个|[…]+|\.{2,}")
STUTTER = re.compile(r"([我你他它在那这有要想])\1+(?!天)")


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of a turn. `turn` counts from 0; `plain` is `text` without fillers, numerals as digits, numbers as tokens."""

    turn: int
    speaker: str
    text: str
    plain: str
    numbers: tuple[Number, ...] = ()
    """Rows of digits, by their place in `text`."""

    @property
    def is_caller(self) -> bool:
        return self.speaker == "caller"


def hear(turns: Sequence[Turn]) -> list[Heard]:
    """The pieces of a call in their order, each with the speaker it really has."""
    pieces = [
        Heard(number, turn.speaker, text, "", tuple(find_numbers(text)))
        for number, turn in _in_time(turns)
        for text in _split(turn.text, len({item.speaker for item in turns}) < 2)
    ]
    return [replace(piece, plain=plain(piece.text, piece.numbers)) for piece in _relabel(pieces)]


def _in_time(turns: Sequence[Turn]) -> list[tuple[int, Turn]]:
    """By their beginnings, where all have one: turns that overlap come in any order from some recognisers."""
    numbered = list(enumerate(turns))
    if any(turn.start_s is None for turn in turns):
        return numbered
    return sorted(numbered, key=lambda pair: pair[1].start_s or 0)


def _split(text: str, one_voice: bool) -> list[str]:
    """Where one voice says everything, question and answer stand in one turn: its sentences are looked at singly."""
    if not one_voice:
        return [text]
    parts = [part for part in re.split(r"(?<=[。？！?!])|\s+", text) if part and part.strip()]
    return parts or [text]


def plain(text: str, numbers: Sequence[Number]) -> str:
    """The text as the assistant may read it: a telephone number is a token before anything leaves for Rasa."""
    parts, at = [], 0
    for number in numbers:
        if len(number.digits) >= 4 and not number.is_house:
            parts += [text[at : number.start], "<PHONE_1>" if number.is_phone else "号码"]
            at = number.end
    joined = "".join([*parts, text[at:]])
    return write_numerals(STUTTER.sub(r"\1", FILLERS.sub("", joined))).strip(" ，,")


def _score(text: str) -> int:
    """Above 0 an agent speaks so, below 0 a caller."""
    return len(AGENT.findall(text)) - len(CALLER.findall(text))


def _relabel(pieces: list[Heard]) -> list[Heard]:
    if len({piece.speaker for piece in pieces}) < 2:
        return _tell_apart(pieces)
    said = {who: sum(_strength(piece.text) for piece in pieces if piece.speaker == who) for who in ("agent", "caller")}
    if said["agent"] < 0 < said["caller"]:
        # The recogniser took each for the other throughout.
        return [replace(piece, speaker="agent" if piece.is_caller else "caller") for piece in pieces]
    return [_correct_label(piece) for piece in pieces]


def _strength(text: str) -> int:
    return len(STRONG_AGENT.findall(text)) - len(STRONG_CALLER.findall(text))


def _correct_label(piece: Heard) -> Heard:
    """A single turn under the other's label: only words that nobody else says move it."""
    strength = _strength(piece.text)
    if piece.is_caller and strength > 0 and _score(piece.text) > 0:
        return replace(piece, speaker="agent")
    if not piece.is_caller and strength < 0 and _score(piece.text) < 0:
        return replace(piece, speaker="caller")
    return piece


def _tell_apart(pieces: list[Heard]) -> list[Heard]:
    """One voice for all: by how each speaks; what does not show it answers a question, or else goes on."""
    found: list[Heard] = []
    for piece in pieces:
        score, before = _score(piece.text), found[-1] if found else None
        if score:
            speaker = "agent" if score > 0 else "caller"
        elif re.search(r"您|[?？吗]$", piece.text) and not re.search(r"我", piece.text):
            speaker = "agent"
        else:
            asked = before is not None and not before.is_caller
            speaker = "caller" if asked or before is None or before.is_caller else "agent"
        found.append(replace(piece, speaker=speaker))
    return found
