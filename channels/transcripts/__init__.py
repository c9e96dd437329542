"""A vendor's transcript → turns. One line per format."""

import json
from typing import Any

from channels.transcripts.captions import CAPTIONS
from channels.transcripts.turns import Segment, Turn, Unreadable, to_turns
from channels.transcripts.vendors import VENDORS

__all__ = ["FORMATS", "Segment", "Turn", "Unreadable", "guess_format", "read_transcript"]

FORMATS = (*VENDORS, *CAPTIONS)

SIGNS = {
    "iflytek": '"lattice"', "aliyun": '"Sentences"', "tencent": '"Response"', "funasr": '"sentence_info"',
    "whisperx": '"segments"', "vtt": "WEBVTT", "srt": "-->",
}
"""What only a transcript of this format contains, first match first."""


def read_transcript(format_: str, transcript: Any) -> list[Turn]:
    """The turns of a transcript given as a string or, for JSON formats, as an object. Raises Unreadable."""
    try:
        if format_ in CAPTIONS:
            return to_turns(CAPTIONS[format_](str(transcript).removeprefix("\ufeff")))
        if format_ not in VENDORS:
            raise Unreadable(f"format is one of {' '.join(FORMATS)}")
        data = json.loads(transcript) if isinstance(transcript, str) else transcript
        return to_turns(VENDORS[format_](data))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        raise Unreadable(f"not a transcript of {format_}: {type(error).__name__} {str(error)[:60]}") from error


def guess_format(text: str) -> str:
    """The format of a file that came without one."""
    return next((format_ for format_, sign in SIGNS.items() if sign in text), "txt")
