"""Where a ticket stands: by number, or by who asks."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.step import entities_of, sentence

OPEN = ("registered", "accepted", "in_progress", "in_approval", "approved")
ANSWERED = ("replied", "closed", "followed_up")
LISTED = 3


def named_number(tracker: Tracker) -> str | None:
    """The ticket number in this message, as the office writes it."""
    named = entities_of(tracker, "ticket_number")
    return re.sub(r"\s", "", str(named[0]["value"])).upper() if named else None


async def own_tickets(api: Api) -> list[dict[str, Any]]:
    """The resident's own, newest first; an emergency or a withdrawn one among them."""
    return list((await api.get("/tickets?limit=20")).get("items") or [])


async def own_ticket(tracker: Tracker, api: Api, states: tuple[str, ...] = ()) -> dict[str, Any]:
    """The ticket that was named, else the newest in one of these states, else the newest; 404 when there is none."""
    if number := named_number(tracker):
        if number.startswith("HY"):
            return await api.get(f"/tickets/{number}")
        return await _by_end(api, number)
    items = await own_tickets(api)
    if not items:
        raise ApiError(404)
    return next((item for item in items if item.get("state") in states), items[0])


async def _by_end(api: Api, digits: str) -> dict[str, Any]:
    """Who reads only the last digits aloud means one of his own."""
    plain = digits.rsplit("-", 1)[-1]
    found = next((item for item in await own_tickets(api) if str(item["number"]).endswith(plain)), None)
    if found is None:
        raise ApiError(404)
    return found


async def say_status(say: CollectingDispatcher, tracker: Tracker, api: Api) -> None:
    """State in plain words; with several open and none named, each of them. 404 when there is none."""
    if named_number(tracker):
        say.utter_message(text=describe(await own_ticket(tracker, api)))
        return
    items = await own_tickets(api)
    if not items:
        raise ApiError(404)
    open_ones = [item for item in items if item.get("state") in OPEN]
    shown = open_ones[:LISTED] or items[:1]
    say.utter_message(text="\n".join(describe(item) for item in shown))


def describe(ticket: dict[str, Any]) -> str:
    """工单 …：正在办理。 With the promise while it is open, and the reply once there is one."""
    text = sentence("utter_status", number=ticket["number"], title=ticket.get("title") or "",
                    state_text=ticket.get("state_text") or ticket.get("state", ""))
    replies = [str(reply.get("text") or "") for reply in ticket.get("replies") or [] if reply.get("approved_at")]
    if ticket.get("state") in ANSWERED and replies:
        return text + sentence("utter_status_reply", reply=replies[-1])
    promise = str(ticket.get("promise") or "")
    return text + promise if ticket.get("state") in OPEN else text
