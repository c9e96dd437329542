"""Working time against a minute-by-minute count: do they agree, and which is faster?

`python -m benchmarks.working_hours [intervals]` draws random intervals over two years of the property office's
calendar (lunch, holidays, 调休) and prints agreement and the ratio of the two speeds. The brute force shares no code
with the module: it marks every single minute open or closed, and counts the marks.
"""

import random
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

Windows = Sequence[tuple[int, int]]


class BruteForce:
    """One byte a minute: 1 while the office is open. Minutes count from the local midnight of `first`."""

    def __init__(
        self,
        weekly: Sequence[Windows],
        closed: Mapping[date, str],
        made_up: Mapping[date, int],
        special: Mapping[date, tuple[Windows, str]],
        *,
        first: date,
        days: int,
    ) -> None:
        self.open = bytearray(days * 1440)
        for number in range(days):
            on = first + timedelta(days=number)
            windows = weekly[on.weekday()]
            if on in closed:
                windows = ()
            if on in made_up:
                windows = weekly[made_up[on]] or weekly[on.weekday()]
            if on in special:
                windows = special[on][0]
            for minute in range(1440):
                if any(start <= minute < end for start, end in windows):
                    self.open[number * 1440 + minute] = 1

    def between(self, a: int, b: int) -> int:
        """Open minutes from minute a to minute b; negative when b comes first."""
        return -self.between(b, a) if b < a else self.open.count(1, a, b)

    def add(self, start: int, amount: int) -> int | None:
        """The minute after the `amount`-th open one from `start` on; None past the end of what is marked."""
        for minute in range(start, len(self.open)):
            amount -= self.open[minute]
            if not amount:
                return minute + 1
        return None


def main(intervals: int) -> None:
    from core.clock import ZONE
    from core.working_hours import WorkingHours

    office = ((540, 720), (840, 1050))
    weekly = [office] * 5 + [(), ()]
    closed = {date(2026, 10, day): "国庆节" for day in range(1, 8)} | {date(2026, 5, 1): "劳动节"}
    made_up = {date(2026, 10, 10): 2, date(2026, 5, 9): 1}
    special = {date(2026, 12, 31): (((540, 720),), "年终盘点")}
    first, days = date(2026, 1, 1), 730
    hours = WorkingHours(weekly, closed=closed, made_up=made_up, special=special)
    brute = BruteForce(weekly, closed, made_up, special, first=first, days=days)
    begin = datetime(first.year, first.month, first.day, tzinfo=ZONE)
    draw = random.Random(20261126)
    pairs = [(draw.randrange(days * 1440), draw.randrange(days * 1440)) for _ in range(intervals)]

    began = time.perf_counter()
    counted = [brute.between(a, b) for a, b in pairs]
    slow = time.perf_counter() - began
    moments = [(begin + timedelta(minutes=a), begin + timedelta(minutes=b)) for a, b in pairs]
    began = time.perf_counter()
    computed = [hours.between(a, b) for a, b in moments]
    fast = time.perf_counter() - began
    agreed = sum(x == timedelta(minutes=y) for x, y in zip(computed, counted, strict=True))
    print(f"between: {agreed} of {intervals} intervals agree")
    print(f"between: module {fast / intervals * 1e6:.1f} µs, brute force {slow / intervals * 1e6:.1f} µs each")
    print(f"between: the module is {slow / fast:.1f} times as fast")
    _compare_add(brute, hours, begin, [a for a, _ in pairs[: max(1, intervals // 1000)]], draw)


def _compare_add(brute: BruteForce, hours: object, begin: datetime, starts: list[int], draw: random.Random) -> None:
    cases = [(start, draw.randrange(1, 6000)) for start in starts]
    began = time.perf_counter()
    counted = [brute.add(start, amount) for start, amount in cases]
    slow = time.perf_counter() - began
    began = time.perf_counter()
    computed = [
        hours.shift(begin + timedelta(minutes=start), timedelta(minutes=amount))  # type: ignore[attr-defined]
        for start, amount in cases
    ]
    fast = time.perf_counter() - began
    known = [(x, y) for x, y in zip(computed, counted, strict=True) if y is not None]
    agreed = sum(x == begin + timedelta(minutes=y) for x, y in known)
    print(f"add: {agreed} of {len(known)} agree; the module is {slow / fast:.1f} times as fast")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
