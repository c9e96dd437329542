"""One call, read: from the body of the interface, with its turns or a vendor's transcript."""

import json
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import phonenumbers

from channels.transcripts import Turn, Unreadable, read_transcript
from core import clock


@dataclass(frozen=True, slots=True)
class Call:
    """One call, read. `caller` is E.164, as given where it is no number, or "" where it is unknown."""

    call_id: str
    caller: str
    started_at: datetime
    turns: tuple[Turn, ...]
    raw: bytes
    recording: str | None = None
    """Where the recording can be heard: the link is kept, not the sound."""
    named_by_bytes: bool = False
    """The id holds the digest of the bytes: the same id is the same content, whatever else is guessed."""


def read_call(raw: bytes) -> Call:
    """The body of `POST /channels/phone/calls`. Raises Unreadable with what is wrong."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON") from None
    if not isinstance(body, dict):
        raise Unreadable("the body is not an object")
    call_id, caller = body.get("call_id"), body.get("caller") or ""
    if not isinstance(call_id, str) or not 0 < len(call_id) <= 200 or not call_id.isprintable():
        raise Unreadable("call_id: 1 to 200 printable characters")
    if not isinstance(caller, str):
        raise Unreadable("caller: a phone number as text, or an empty text")
    turns = _read_turns(body["turns"]) if "turns" in body else _read_vendor(body)
    started_at, recording = _read_moment(body.get("started_at")), _read_link(body.get("recording"))
    return Call(call_id, normal_number(caller), started_at, tuple(turns), raw, recording)


def _read_link(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.startswith(("http://", "https://")) or len(value) > 2000:
        raise Unreadable("recording: the http address of the recording")
    return value if value.isprintable() else None


def _read_vendor(body: dict[str, Any]) -> list[Turn]:
    if "transcript" not in body or not isinstance(body.get("format"), str):
        raise Unreadable("turns, or format and transcript")
    return read_transcript(body["format"], body["transcript"])


def _read_turns(items: Any) -> list[Turn]:
    if not isinstance(items, list) or not items:
        raise Unreadable("turns: a list of {speaker, start_s, end_s, text}")
    return [_read_turn(number, item) for number, item in enumerate(items)]


def _read_turn(number: int, item: Any) -> Turn:
    if not isinstance(item, dict) or item.get("speaker") not in ("caller", "agent"):
        raise Unreadable(f"turn {number}: speaker is caller or agent")
    if not isinstance(item.get("text"), str):
        raise Unreadable(f"turn {number}: text is missing")
    times = [item.get(name) for name in ("start_s", "end_s")]
    for value in times:
        number_ok = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if value is not None and not number_ok:
            raise Unreadable(f"turn {number}: start_s and end_s are seconds")
    return Turn(item["speaker"], times[0], times[1], " ".join(item["text"].split()))


def _read_moment(value: Any) -> datetime:
    """RFC 3339; a time without a zone is the office's own."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Unreadable("started_at: a moment such as 2026-11-26T09:00:00+08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=clock.ZONE)


def normal_number(text: str) -> str:
    """E.164 where it is a phone number here, else as it was given."""
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return text.strip()
    if not phonenumbers.is_possible_number(number):
        return text.strip()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
