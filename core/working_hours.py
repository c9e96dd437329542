"""Working time as a pure object: weekly hours, closed days, made-up days, special days; no clock, no I/O.

Moments go in and come out aware and in UTC; inside, days and windows are the office's own (Asia/Shanghai).
Nothing is walked minute by minute: the opening minutes before any date are a closed formula (whole weeks,
the rest of a week, and the differences that exceptional days make), so `between` is two look-ups and `add`
a binary search, however far the two ends lie apart.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import accumulate

from core.clock import ZONE
from core.errors import Invalid
from core.targets import Count, Target, fit_count, parse_target

Window = tuple[int, int]
"""From (inside) and to (outside), in minutes since local midnight; `(0, 1440)` is the whole day."""

Windows = tuple[Window, ...]

ALWAYS: Windows = ((0, 1440),)

_MINUTE = 60_000_000
_FIRST_YEAR, _LAST_YEAR = 1900, 2500


class Source(StrEnum):
    """Why a day has the windows it has."""

    WEEKLY = "weekly"
    """An ordinary day of the week."""
    HOLIDAY = "holiday"
    """Closed for a public holiday."""
    MAKE_UP = "make_up"
    """调休上班: a day of rest that is worked instead of another."""
    SPECIAL = "special"
    """The office's own day."""


@dataclass(frozen=True)
class Day:
    """One date of a calendar. `provisional`: the year's notice of the State Council is not out yet."""

    date: date
    windows: Windows
    source: Source
    name: str
    provisional: bool

    @property
    def working(self) -> bool:
        return bool(self.windows)

    @property
    def hours(self) -> list[list[str]]:
        """The windows as people write them: `[["09:00", "12:00"]]`."""
        return [[write_minute(start), write_minute(end)] for start, end in self.windows]


class WorkingHours:
    """A calendar that can be counted with.

    `weekly`: seven sets of windows, Monday first. `closed`: date → name of the holiday. `made_up`: date → the
    weekday (0 = Monday) whose windows it has. `special`: date → (its own windows, name); it wins over all
    others. Dates from `provisional_from` on are marked provisional.
    """

    def __init__(
        self,
        weekly: Sequence[Windows],
        *,
        closed: Mapping[date, str] | None = None,
        made_up: Mapping[date, int] | None = None,
        special: Mapping[date, tuple[Windows, str]] | None = None,
        provisional_from: date | None = None,
    ) -> None:
        if len(weekly) != 7 or not any(weekly):
            raise Invalid("A calendar has seven weekdays, one of them open at least.", "weekly")
        self._weekly = tuple(check_windows(windows) for windows in weekly)
        self._provisional_from = provisional_from
        self._exceptions: dict[int, tuple[Windows, Source, str]] = {}
        for on, name in (closed or {}).items():
            self._exceptions[on.toordinal()] = ((), Source.HOLIDAY, name)
        for on, weekday in (made_up or {}).items():
            windows = self._weekly[weekday] or self._weekly[on.weekday()]
            self._exceptions[on.toordinal()] = (windows, Source.MAKE_UP, "调休上班")
        for on, (windows, name) in (special or {}).items():
            self._exceptions[on.toordinal()] = (check_windows(windows), Source.SPECIAL, name)
        self._build_tables()

    def _build_tables(self) -> None:
        minutes = [_length(windows) for windows in self._weekly]
        self._week_minutes = (0, *accumulate(minutes))
        self._week_days = (0, *accumulate(int(bool(windows)) for windows in self._weekly))
        self._ordinals = sorted(self._exceptions)
        minute_changes, day_changes = [], []
        for ordinal in self._ordinals:
            windows, usual = self._exceptions[ordinal][0], self._weekly[(ordinal - 1) % 7]
            minute_changes.append(_length(windows) - _length(usual))
            day_changes.append(bool(windows) - bool(usual))
        self._minute_changes = (0, *accumulate(minute_changes))
        self._day_changes = (0, *accumulate(day_changes))

    def facts(self) -> tuple[object, ...]:
        """All that it counts by: two calendars with the same facts give the same due times."""
        return (self._weekly, sorted(self._exceptions.items()))

    @property
    def known_until(self) -> date | None:
        """The first date that may still change; None where none may."""
        return self._provisional_from

    # What a date or a moment is

    def day(self, on: date) -> Day:
        """The windows of a date, why it has them, and whether that may still change."""
        usual = (self._weekly[on.weekday()], Source.WEEKLY, "")
        windows, source, name = self._exceptions.get(on.toordinal(), usual)
        provisional = self._provisional_from is not None and on >= self._provisional_from
        return Day(on, windows, source, name, provisional and source is not Source.SPECIAL)

    def days(self, first: date, last: date) -> Iterator[Day]:
        """Every day of a span, both ends included."""
        return (self.day(date.fromordinal(n)) for n in range(first.toordinal(), last.toordinal() + 1))

    def is_open(self, moment: datetime) -> bool:
        """Whether a window holds the moment; at its closing minute it is closed."""
        ordinal, at = _split(moment)
        return any(start * _MINUTE <= at < end * _MINUTE for start, end in self._windows(ordinal))

    def next_opening(self, moment: datetime) -> datetime:
        """The moment itself while open, else when the next window begins."""
        if self.is_open(moment):
            return moment.astimezone(UTC)
        ordinal, at = _split(moment)
        for start, _ in self._windows(ordinal):
            if start * _MINUTE > at:
                return _join(ordinal, start * _MINUTE)
        following = self._find_worked(self._worked_before(ordinal + 1) + 1, ordinal)
        return _join(following, self._windows(following)[0][0] * _MINUTE)

    def close_of(self, on: date) -> datetime:
        """When the last window of a date closes; the end of the date where none is open."""
        windows = self.day(on).windows
        return _join(on.toordinal(), (windows[-1][1] if windows else 1440) * _MINUTE)

    # Counting

    def between(self, a: datetime, b: datetime) -> timedelta:
        """The opening time between two moments; negative when `b` is before `a`."""
        return timedelta(microseconds=self._elapsed(*_split(b)) - self._elapsed(*_split(a)))

    def add(
        self, start: datetime, target: Target | str, count: str | None = None, *, roll: bool = False
    ) -> datetime:
        """When `target` from `start` is over, counted as `count` (None: the unit's default).

        `roll`: a natural end on a day that is not worked moves to the close of the next one that is.
        A count that does not fit, or a fraction of a day, is Invalid.
        """
        target = parse_target(target) if isinstance(target, str) else target
        count = fit_count(target, count)
        if not target.amount:
            return start.astimezone(UTC)
        match count:
            case Count.NATURAL:
                end = _far(start, target.duration)
                return self.roll(end) if roll else end
            case Count.HOURS:
                return self.shift(start, target.duration)
            case Count.NEXT_DAY | Count.INCLUSIVE:
                ordinal, _ = _split(start)
                first = ordinal if count is Count.INCLUSIVE else ordinal + 1
                return self._close(self._find_worked(self._worked_before(first) + target.days, first))

    def shift(self, moment: datetime, duration: timedelta) -> datetime:
        """The earliest moment with `duration` more (or, negative, less) opening time behind it than `moment`."""
        if not duration:
            return moment.astimezone(UTC)
        ordinal, at = _split(moment)
        wanted = self._elapsed(ordinal, at) + duration // timedelta(microseconds=1)
        return self._moment(wanted, ordinal)

    def roll(self, moment: datetime) -> datetime:
        """The moment on a worked day, else the close of the next worked day."""
        ordinal, _ = _split(moment)
        if self._windows(ordinal):
            return moment.astimezone(UTC)
        return self._close(self._find_worked(self._worked_before(ordinal) + 1, ordinal))

    # The tables behind it

    def _windows(self, ordinal: int) -> Windows:
        exception = self._exceptions.get(ordinal)
        return self._weekly[(ordinal - 1) % 7] if exception is None else exception[0]

    def _minutes_before(self, ordinal: int) -> int:
        """Opening minutes of all dates before this one. Ordinal 1 is a Monday."""
        weeks, rest = divmod(ordinal - 1, 7)
        changed = self._minute_changes[bisect_left(self._ordinals, ordinal)]
        return weeks * self._week_minutes[7] + self._week_minutes[rest] + changed

    def _worked_before(self, ordinal: int) -> int:
        """How many of all dates before this one are worked."""
        weeks, rest = divmod(ordinal - 1, 7)
        changed = self._day_changes[bisect_left(self._ordinals, ordinal)]
        return weeks * self._week_days[7] + self._week_days[rest] + changed

    def _elapsed(self, ordinal: int, at: int) -> int:
        """Opening microseconds before a local moment."""
        total = self._minutes_before(ordinal) * _MINUTE
        for start, end in self._windows(ordinal):
            total += min(max(at - start * _MINUTE, 0), (end - start) * _MINUTE)
        return total

    def _moment(self, wanted: int, near: int) -> datetime:
        """The earliest moment with this many opening microseconds before it."""
        minutes = -(-wanted // _MINUTE)
        first, last = self._bracket(near, minutes, self._minutes_before)
        ordinal = first + bisect_left(range(first, last), minutes, key=lambda n: self._minutes_before(n + 1))
        left = wanted - self._minutes_before(ordinal) * _MINUTE
        for start, end in self._windows(ordinal):
            if left <= (end - start) * _MINUTE:
                return _join(ordinal, start * _MINUTE + left)
            left -= (end - start) * _MINUTE
        raise AssertionError("the day found has the minutes it was found for")

    def _find_worked(self, number: int, near: int) -> int:
        """The date that is the `number`-th worked one of all."""
        first, last = self._bracket(near, number, self._worked_before)
        return first + bisect_left(range(first, last), number, key=lambda n: self._worked_before(n + 1))

    def _bracket(self, near: int, wanted: int, before: Callable[[int], int]) -> tuple[int, int]:
        """Two dates, the first with less than `wanted` before it, the second with no less."""
        first, last, step = near, near + 1, 8
        while before(first) >= wanted:
            first, step = first - step, step * 2
            _check_year(first)
        while before(last) < wanted:
            last, step = last + step, step * 2
            _check_year(last)
        return first, last

    def _close(self, ordinal: int) -> datetime:
        return _join(ordinal, self._windows(ordinal)[-1][1] * _MINUTE)


def check_windows(windows: Sequence[Window]) -> Windows:
    """The windows, if each ends after it begins and none begins before the last has ended; else Invalid."""
    last = 0
    for start, end in windows:
        if not last <= start < end <= 1440:
            raise Invalid(
                f"{write_minute(start)}–{write_minute(end)} does not fit: windows go from 00:00 to 24:00,"
                " in order, without overlap.",
                "windows",
            )
        last = end
    return tuple((start, end) for start, end in windows)


def write_minute(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _length(windows: Windows) -> int:
    return sum(end - start for start, end in windows)


def _split(moment: datetime) -> tuple[int, int]:
    """A moment as the ordinal of its local date and the microseconds since local midnight."""
    if moment.tzinfo is None:
        raise ValueError("working time counts aware moments: use clock.now()")
    local = moment.astimezone(ZONE)
    at = (local.hour * 60 + local.minute) * _MINUTE + local.second * 1_000_000 + local.microsecond
    return local.toordinal(), at


def _join(ordinal: int, at: int) -> datetime:
    midnight = datetime.combine(date.fromordinal(ordinal), time())
    return (midnight + timedelta(microseconds=at)).replace(tzinfo=ZONE).astimezone(UTC)


def _far(start: datetime, duration: timedelta) -> datetime:
    end = start.astimezone(UTC) + duration
    _check_year(end.toordinal())
    return end


def _check_year(ordinal: int) -> None:
    """A calendar that is hardly ever open must not be searched for ever."""
    if not date(_FIRST_YEAR, 1, 1).toordinal() <= ordinal <= date(_LAST_YEAR, 1, 1).toordinal():
        raise Invalid(f"The end lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}.", "target")
