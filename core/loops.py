"""Loops that must not end: what fails in one is logged, and it begins again."""

import asyncio
from collections.abc import Awaitable, Callable

from core import log

PAUSE_S = 1.0

logger = log.logger(__name__)


async def keep(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` until it returns or is cancelled; after an error it is begun anew.

    A loop that nobody waits for dies in silence: the service answers on, and nothing is worked off any more.
    """
    while True:
        try:
            return await work()
        except Exception:
            logger.exception("loop failed", loop=name)
            await asyncio.sleep(PAUSE_S)
