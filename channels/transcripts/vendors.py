"""The recognisers' JSON → segments. Each function names the interface whose answer it reads."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from channels.transcripts.turns import Segment, Unreadable, seconds


def aliyun(data: Any) -> Iterator[Segment]:
    """Aliyun file transcription (录音文件识别): Result.Sentences, milliseconds, a channel for each side."""
    result = data.get("Result", data)
    if isinstance(result, str):
        result = json.loads(result)
    for item in result["Sentences"]:
        voice = item.get("SpeakerId", item.get("ChannelId"))
        yield _milliseconds(voice, item.get("BeginTime"), item.get("EndTime"), item["Text"])


def tencent(data: Any) -> Iterator[Segment]:
    """Tencent DescribeTaskStatus: ResultDetail where it was asked for, else the lines of Result."""
    data = data.get("Response", data)
    data = data.get("Data", data)
    details = data.get("ResultDetail")
    if not details:
        yield from _tencent_lines(data["Result"])
        return
    for item in details:
        yield _milliseconds(item.get("SpeakerId"), item.get("StartMs"), item.get("EndMs"), item["FinalSentence"])


def _tencent_lines(text: str) -> Iterator[Segment]:
    """`[0:0.320,0:5.180,0]  words`: minutes:seconds twice, then the voice."""
    for line in text.splitlines():
        head, bracket, words = line.strip().removeprefix("[").partition("]")
        if bracket:
            start, end, *voice = head.split(",")
            yield Segment(voice[0] if voice else None, _clock(start), _clock(end), words)


def _clock(text: str) -> float | None:
    minutes, _, rest = text.rpartition(":")
    return seconds((seconds(minutes or "0") or 0) * 60 + (seconds(rest) or 0))


def iflytek(data: Any) -> Iterator[Segment]:
    """iFlytek long-form transcription (录音文件转写): orderResult.lattice, each json_1best a string of its own."""
    data = data.get("content", data)
    data = data.get("orderResult", data)
    if isinstance(data, str):
        data = json.loads(data)
    for piece in data["lattice"]:
        best = piece["json_1best"]
        sentence = (json.loads(best) if isinstance(best, str) else best)["st"]
        words = (word["cw"][0]["w"] for run in sentence["rt"] for word in run["ws"] if word["cw"])
        yield _milliseconds(sentence.get("rl"), sentence.get("bg"), sentence.get("ed"), "".join(words))


def funasr(data: Any) -> Iterator[Segment]:
    """FunASR with speaker separation: a list of recordings with sentence_info, milliseconds."""
    for recording in data if isinstance(data, list) else [data]:
        for item in recording["sentence_info"]:
            words = item.get("text", item.get("sentence"))
            yield _milliseconds(item.get("spk"), item.get("start"), item.get("end"), words)


def whisperx(data: Any) -> Iterator[Segment]:
    """WhisperX and Whisper JSON: segments in seconds; plain Whisper knows no voices."""
    for item in data["segments"]:
        yield Segment(_voice(item.get("speaker")), seconds(item.get("start")), seconds(item.get("end")), item["text"])


def _milliseconds(voice: object, start: object, end: object, text: str) -> Segment:
    if not isinstance(text, str):
        raise Unreadable("a sentence without text")
    return Segment(_voice(voice), seconds(start, 0.001), seconds(end, 0.001), text)


def _voice(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


VENDORS: dict[str, Callable[[Any], Iterator[Segment]]] = {
    "aliyun": aliyun,
    "tencent": tencent,
    "iflytek": iflytek,
    "funasr": funasr,
    "whisperx": whisperx,
}
