"""A client's real address, and how often it may try what can be guessed."""

import time
from collections import deque
from weakref import WeakKeyDictionary

from aiohttp import web

from core.errors import TooMany
from service.runtime import Runtime

WINDOW_S = 15 * 60
_tries: "WeakKeyDictionary[object, dict[tuple[str, str], deque[float]]]" = WeakKeyDictionary()


def client_of(request: web.Request, trusted_proxies: list[str]) -> str:
    """The address the request came from; what a proxy says counts only where we trust the proxy."""
    remote = request.remote or ""
    if remote in trusted_proxies:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        for hop in reversed(hops):
            if hop not in trusted_proxies:
                return hop
    return remote


def count_try(runtime: Runtime, request: web.Request, what: str) -> None:
    """Count one try of `progress`, `appointments` or `sign_in`. Raises TooMany past the limit of a quarter of an hour."""
    limits = runtime.settings.web.limits
    limit = {
        "progress": limits.progress_per_15_minutes,
        "appointments": limits.progress_per_15_minutes,
        "sign_in": limits.sign_in_per_15_minutes,
    }[what]
    client = client_of(request, runtime.settings.web.trusted_proxies)
    tries = _tries.setdefault(runtime.db, {}).setdefault((what, client), deque())
    now = time.monotonic()
    while tries and now - tries[0] > WINDOW_S:
        tries.popleft()
    if len(tries) >= limit:
        raise TooMany("尝试次数太多，请过一会儿再试。", int(WINDOW_S - (now - tries[0])) + 1)
    tries.append(now)
