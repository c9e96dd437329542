"""The matter of the turn: what the service knows of it, whether its form is open, how long it was silent."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rasa_sdk import Tracker

from actions.api import Api, ApiError


async def describe_matter(api: Api) -> dict[str, Any]:
    """Channel, what is known of the resident, what was settled; empty when the service does not answer."""
    try:
        return await api.get("/matter")
    except ApiError:
        return {}


async def keep_form(api: Api, *, open: bool) -> None:
    """A matter with an open form is not over after a day of silence. A failure costs the draft's long life, no more."""
    try:
        await api.post("/matter", {"form_open": open})
    except ApiError:
        return


def silence_before(tracker: Tracker) -> timedelta:
    """How long nothing had been said before this message, by the service's clock."""
    moments = [str((e.get("metadata") or {}).get("received_at") or "") for e in tracker.events if e.get("event") == "user"]
    if len(moments) < 2 or not moments[-1] or not moments[-2]:
        return timedelta(0)
    try:
        return datetime.fromisoformat(moments[-1]) - datetime.fromisoformat(moments[-2])
    except (ValueError, TypeError):
        return timedelta(0)
