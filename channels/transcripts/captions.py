"""Subtitles and speaker-prefixed text → segments."""

import html
import re
from collections.abc import Callable, Iterator

from channels.transcripts.turns import Segment, speaker_of

_STAMP = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_CUE = re.compile(rf"\s*{_STAMP}\s*-->\s*{_STAMP}")
_VOICE = re.compile(r"<v(?:\.[^ >]*)?\s+([^>]*)>")
_TAG = re.compile(r"<[^>]*>")
_PREFIX = re.compile(r"\s*[\[【(（]?([^：:\[\]【】()（），。,.]{1,16})[\]】)）]?\s*[：:]\s*(.*)", re.DOTALL)


def srt(text: str) -> Iterator[Segment]:
    """SubRip: number, times, lines; the voice stands before a colon."""
    for start, end, lines in _cues(text):
        voice, words = _prefixed(_TAG.sub("", lines))
        yield Segment(voice, start, end, words)


def vtt(text: str) -> Iterator[Segment]:
    """WebVTT: the voice is a `<v name>` tag, or stands before a colon."""
    for start, end, lines in _cues(text):
        tag = _VOICE.search(lines)
        words = html.unescape(_TAG.sub("", lines))
        voice, words = (tag.group(1).strip(), words) if tag else _prefixed(words)
        yield Segment(voice, start, end, words)


def txt(text: str) -> Iterator[Segment]:
    """A line for each turn, `话务员：…`; a line without a known side goes on with the one before."""
    voice: str | None = None
    parts: list[str] = []
    for line in text.splitlines():
        name, words = _prefixed(line)
        if name is None:
            parts.append(line)
            continue
        if parts:
            yield Segment(voice, None, None, " ".join(parts))
        voice, parts = name, [words]
    if parts:
        yield Segment(voice, None, None, " ".join(parts))


def _cues(text: str) -> Iterator[tuple[float, float, str]]:
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip("\n").split("\n")
        for number, line in enumerate(lines):
            cue = _CUE.match(line)
            if cue:
                yield _seconds(cue.groups()[:4]), _seconds(cue.groups()[4:]), "\n".join(lines[number + 1 :])
                break


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, whole, fraction = (part or "0" for part in parts)
    return round(int(hours) * 3600 + int(minutes) * 60 + int(whole) + float(f"0.{fraction}"), 3)


def _prefixed(text: str) -> tuple[str | None, str]:
    """`市民：你好` → its side; 时间：明天 is no side, so the whole stays text."""
    match = _PREFIX.fullmatch(text)
    if match and (speaker_of(match.group(1)) or re.fullmatch(r"(?i)(speaker|说话人|spk)[ _]?\d+", match.group(1))):
        return match.group(1).strip(), match.group(2)
    return None, text


CAPTIONS: dict[str, Callable[[str], Iterator[Segment]]] = {"srt": srt, "vtt": vtt, "txt": txt}
