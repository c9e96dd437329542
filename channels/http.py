"""What all callbacks share: bounded bodies, counted refusals, problem details, limits on tries."""

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from prometheus_client import Counter

from core import log

REFUSED = Counter("huiyin_channel_refused_total", "Requests a channel refused", ["channel", "reason"])

_log = log.logger(__name__)


class TooLarge(Exception):
    """The body is larger than this door takes. Answer 413."""


async def read_body(request: web.Request, limit: int) -> bytes:
    """The whole body. Raises TooLarge as soon as it is clear, without keeping what is too much."""
    if request.content_length is not None and request.content_length > limit:
        raise TooLarge
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise TooLarge
    return bytes(body)


def refuse(
    channel: str,
    account: str,
    status: int,
    reason: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Count a refusal, write its one log line (never what was sent), and answer with problem details."""
    REFUSED.labels(channel, reason).inc()
    _log.warning("refused", channel=channel, account=account, reason=reason, status=status)
    return problem(status, reason, detail, headers)


def problem(
    status: int, title: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> web.Response:
    """An RFC 9457 answer whose `detail` says what to do next."""
    return web.json_response(
        {"status": status, "title": title, "detail": detail, **more},
        status=status,
        headers=headers,
        content_type="application/problem+json",
    )


def bearer(request: web.Request) -> str:
    """The token of the Authorization header, or ""."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


class Limiter:
    """At most so many tries a minute for each key, counted in this process."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._tries: dict[str, deque[float]] = {}

    def try_again_in(self, key: str, now: float) -> int:
        """0 when this try is allowed (it is counted); else the seconds to wait. `now` is the loop's time."""
        if len(self._tries) > 10_000:
            self._tries = {key: tries for key, tries in self._tries.items() if tries[-1] > now - 60}
        tries = self._tries.setdefault(key, deque())
        while tries and tries[0] <= now - 60:
            tries.popleft()
        if len(tries) < self._per_minute:
            tries.append(now)
            return 0
        return max(1, math.ceil(tries[0] + 60 - now))
