"""Where a ticket stands: by number, or by who asks."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.reading import in_digits, is_meant
from actions.step import entities_of, sentence, text_of

OPEN = ("registered", "accepted", "in_progress", "in_approval", "approved")
ANSWERED = ("replied", "closed", "followed_up")
LISTED = 3
_SAYS_NOTHING = re.compile(
    r"<[A-Z]+_\d+>|工单|投诉|报修|反映|处理|解决|撤[销回掉]?|取消|催|补充|更正|评价|进度|结果|师傅|麻烦|请问|怎么|什么|时候|已经|还没|没有|可以"
    r"|[了吧吗呢的我你您他她它们那这个件是在有没不好要到来去就都也还再把被给让和说]")
"""Words that any two tickets may share."""


def named_number(tracker: Tracker) -> str | None:
    """The ticket number in this message, as the office writes it: 二零二六…杠… as it is read aloud is in digits."""
    named = entities_of(tracker, "ticket_number")
    return re.sub(r"\s", "", in_digits(str(named[0]["value"]))).upper() if named else None


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
    likely = [item for item in items if item.get("state") in states] or items[:1]
    return (meant(likely, text_of(tracker)) or likely)[0]


async def asked_ticket(tracker: Tracker, api: Api) -> dict[str, Any] | None:
    """The open ticket that the office asked something for, where a number was named that is none of his: a paper's, then."""
    number = named_number(tracker)
    if number is None or number.startswith("HY"):
        return None
    items = await own_tickets(api)
    if any(is_meant(str(item["number"]), number) for item in items):
        return None
    return next((item for item in items if item.get("state") in OPEN and item.get("missing")), None)


def meant(items: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Those of several tickets that share words with a text: 电梯那个 is the one about the lift. Empty when none does."""
    said = _pairs(text)
    shares = [len(said & _pairs(f"{item.get('title') or ''} {item.get('description') or ''}")) for item in items]
    best = max(shares, default=0)
    return [item for item, share in zip(items, shares, strict=True) if share == best] if best else []


def _pairs(text: str) -> set[str]:
    plain = _SAYS_NOTHING.sub(" ", text)
    return {plain[i:i + 2] for i in range(len(plain) - 1) if not re.search(r"[\W_]|\d\d", plain[i:i + 2])}


async def _by_end(api: Api, digits: str) -> dict[str, Any]:
    """Who reads only the last digits aloud means one of his own."""
    found = next((item for item in await own_tickets(api) if is_meant(str(item["number"]), digits)), None)
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
    shown = meant(open_ones, text_of(tracker))[:LISTED] or open_ones[:LISTED] or items[:1]
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
