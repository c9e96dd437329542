"""The service's API over HTTP, named after the matter and message of the turn."""
from __future__ import annotations

import os
from typing import Any

import aiohttp
from rasa_sdk import Tracker

TIMEOUT = aiohttp.ClientTimeout(total=8)


class ApiError(Exception):
    """A call did not succeed; `status` is 0 when nobody answered. Say so honestly and go on.

    `reason` is the word by which callers tell refusals apart, where the service gives one.
    """

    def __init__(self, status: int, detail: str = "", reason: str = "") -> None:
        super().__init__(f"{status} {detail}")
        self.status = status
        self.reason = reason


class Api:
    """Calls of one action in one turn; writes carry `message:action:ordinal`, so a repeat writes once."""

    def __init__(self, tracker: Tracker, action: str) -> None:
        metadata = tracker.latest_message.get("metadata") or {}
        self.message = str(metadata.get("message") or tracker.latest_message.get("message_id") or "")
        self.matter = str(metadata.get("matter") or tracker.sender_id)
        self._action = action
        self._writes = 0

    async def get(self, path: str) -> dict[str, Any]:
        """Read."""
        return await self._call("GET", path, None, {})

    async def post(self, path: str, body: dict[str, Any], ordinal: int | None = None) -> dict[str, Any]:
        """Write, once however often the turn is made.

        `ordinal` is given where a repeat may not make the turn's writes in the same order.
        """
        self._writes += 1
        key = f"{self.message}:{self._action}:{ordinal or self._writes}"
        return await self._call("POST", path, body, {"Idempotency-Key": key})

    async def _call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> dict[str, Any]:
        headers |= {"Authorization": f"Bearer {os.environ.get('HUIYIN_API_TOKEN', '')}",
                    "X-Huiyin-Matter": self.matter, "X-Huiyin-Message": self.message}
        url = os.environ["HUIYIN_API_URL"].rstrip("/") + path
        try:
            async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.request(
                    method, url, json=body, headers=headers) as response:
                said = await response.json(content_type=None)
                if response.status >= 400:
                    said = said or {}
                    raise ApiError(response.status, str(said.get("detail", "")), str(said.get("reason", "")))
                return dict(said or {})
        except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
            raise ApiError(0, str(problem)) from problem
