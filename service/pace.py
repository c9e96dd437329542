"""How fast the assistant works now: whether an answer can be ready within a platform's own request."""

import time


class Pace:
    """A running estimate: messages waiting × seconds a turn ÷ workers."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._turn_s = 0.3
        self._waiting = 0
        self._last_failure = 0.0

    def arrived(self) -> None:
        self._waiting += 1

    def answered(self, seconds: float) -> None:
        """One message was handled, in so many seconds."""
        self._waiting = max(0, self._waiting - 1)
        self._turn_s += 0.1 * (seconds - self._turn_s)

    def set_waiting(self, count: int) -> None:
        """What the database says waits; corrects the running count."""
        self._waiting = count

    def expected_wait_s(self) -> float:
        return (self._waiting + 1) * self._turn_s / self._workers + self._turn_s


def stopwatch() -> float:
    """Seconds on a clock that only runs forward."""
    return time.monotonic()
