"""Who said what in a call, and who of the voices is the agent."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


class Unreadable(Exception):
    """Not a transcript of the named format. Keep it raw; a person looks."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech as the vendor has it: the voice by its own label, if it knows voices."""

    voice: str | None
    start_s: float | None
    end_s: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of speech as we have it. `speaker` is caller or agent; text is one line."""

    speaker: str
    start_s: float | None
    end_s: float | None
    text: str


LABELS = {
    "agent": ("话务员", "坐席", "座席", "客服", "接线员", "受理员", "工作人员", "agent", "operator", "staff"),
    "caller": ("市民", "来电人", "诉求人", "居民", "群众", "业主", "患者", "用户", "客户", "caller", "customer"),
}
"""What exports call the two sides, in any case and with a number behind."""

AGENT_PHRASES = (
    "请问有什么可以帮", "很高兴为您", "为您服务", "工号", "请问您贵姓", "已经为您", "已为您", "请您保持电话畅通",
    "我已经详细记录", "我帮您登记", "感谢您的来电", "祝您生活愉快",
)
"""Only somebody on duty speaks so."""


def speaker_of(label: str) -> str | None:
    """caller or agent, when the label says so by itself."""
    plain = label.strip().strip("[]【】()（）").lower()
    for speaker, names in LABELS.items():
        if any(plain.startswith(name) for name in names):
            return speaker
    return None


def to_turns(segments: Iterable[Segment]) -> list[Turn]:
    """The segments with their speakers named, empty ones left out. Unreadable when nothing was said."""
    spoken = [segment for segment in segments if segment.text.strip()]
    if not spoken:
        raise Unreadable("nothing is said in it")
    agent = _agent_voice(spoken)
    return [_turn(segment, agent) for segment in spoken]


def _turn(segment: Segment, agent: str | None) -> Turn:
    speaker = speaker_of(segment.voice or "") or ("agent" if segment.voice == agent and agent else "caller")
    return Turn(speaker, segment.start_s, segment.end_s, " ".join(segment.text.split()))


def _agent_voice(segments: list[Segment]) -> str | None:
    """Of voices that are only numbered, the one that speaks like an agent; else the first, who took the call."""
    voices = [segment.voice for segment in segments if segment.voice is not None]
    if len(set(voices)) < 2:
        return None
    score: Counter[str] = Counter()
    for segment in segments:
        if segment.voice is not None:
            score[segment.voice] += sum(phrase in segment.text for phrase in AGENT_PHRASES)
    best = max(score.values(), default=0)
    leaders = [voice for voice in dict.fromkeys(voices) if score[voice] == best]
    return leaders[0]


def seconds(value: object, scale: float = 1.0) -> float | None:
    """A time as the vendor writes it, in seconds; None where there is none."""
    if value is None or value == "":
        return None
    try:
        number = float(value) * scale  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise Unreadable(f"{str(value)[:20]} is not a time") from None
    if not math.isfinite(number) or number < 0:
        raise Unreadable(f"{str(value)[:20]} is not a time")
    return round(number, 3)
