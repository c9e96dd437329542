"""Days and hours as residents from abroad write them: Friday, tomorrow morning, next Monday at 3 pm."""
from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {"yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1, "the day after tomorrow": 2}
_PARTS = {"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24), "night": (18, 24)}
_TIME = re.compile(
    rf"(?<![a-z])(?:(?:(?P<which>next|this|last) )?(?P<weekday>{'|'.join(_WEEKDAYS)})|(?P<day>{'|'.join(sorted(_DAYS, key=len, reverse=True))}))(?![a-z])"
    rf"(?: (?P<part>{'|'.join(_PARTS)})(?![a-z]))?"
    r"(?:,? (?:at )?(?P<hour>1[0-9]|2[0-3]|[1-9])(?::(?P<minute>[0-5][0-9]))?(?: ?(?P<half>[ap])\.?m\b| o'clock)(?![a-z]))?")


def find_english(plain: str, now: datetime) -> Iterator[tuple[int, int, datetime, datetime]]:
    """(start, end, first moment, last moment) in folded text."""
    for match in _TIME.finditer(plain):
        begins = _day(match, now.replace(hour=0, minute=0, second=0, microsecond=0))
        if match["hour"]:
            hour = int(match["hour"]) % 12 + 12 * (match["half"] == "p") if match["half"] else int(match["hour"])
            begins = ends = begins + timedelta(hours=hour, minutes=int(match["minute"] or 0))
        elif part := match["part"] or ("night" if match["day"] == "tonight" else None):
            begins, ends = (begins + timedelta(hours=hour) for hour in _PARTS[part])
        else:
            ends = begins + timedelta(days=1)
        yield *match.span(), begins, ends


def _day(match: re.Match[str], today: datetime) -> datetime:
    if match["day"]:
        return today + timedelta(days=_DAYS[match["day"]])
    ahead = (_WEEKDAYS.index(match["weekday"]) - today.weekday()) % 7
    return today + timedelta(days=ahead, weeks={"last": -1}.get(match["which"] or "", 0))
