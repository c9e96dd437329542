"""Emergencies: the right number in the first line, before anything else, and a ticket that rings a clerk."""
from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.places import building_of, place_of
from actions.reading import SKIPPED, own_phone
from actions.status import OPEN
from actions.step import Events, Step, moment_of, sentence, text_of

_WORDS = yaml.safe_load((Path(__file__).parent.parent / "nlu" / "components" / "danger.yml").read_text(encoding="utf-8"))
DANGERS: list[tuple[str, str]] = [(row["when"], row["say"]) for row in _WORDS["sentences"]]
"""Which sentence goes first: the first whose words the text has decides."""
ANY_DANGER, INJURY = "utter_danger", "utter_injury"
_DRAFTED = "\n（此前正在反映："
SAME_DANGER = timedelta(minutes=30)
"""So long after an alarm the same resident's next cry may be about the same danger."""
JOINED_WITHIN = 4.0
"""Seconds. Nobody in danger waits for the office to look something up."""


async def raise_alarm(say: CollectingDispatcher, tracker: Tracker, api: Api) -> None:
    """The number is said whether or not the ticket succeeds, in the same single message."""
    text, entities = text_of(tracker), list(tracker.latest_message.get("entities") or [])
    place = place_of(text, entities, broad=True) or _drafted(tracker, "place")
    lines = [sentence(danger_of(text))]
    try:
        if number := await _reported_already(tracker, api, text, place):
            lines.append(sentence("utter_emergency_again", number=number))
        else:
            lines += await _register(tracker, api, text, entities, place)
    except ApiError:
        lines.append(sentence("utter_emergency_failed"))
    say.utter_message(text="\n".join(lines))


def danger_of(text: str) -> str:
    """The kind of danger, named by the sentence that goes first."""
    return next((name for words, name in DANGERS if re.search(words, text)), ANY_DANGER)


async def _register(
    tracker: Tracker, api: Api, text: str, entities: list[dict[str, Any]], place: str | None
) -> list[str]:
    body: dict[str, Any] = {"kind": "request", "urgency": "emergency", "description": _with_draft(tracker, text),
                            "resident": {}}
    if place:
        body["place"] = place
    if phone := own_phone(text, entities) or _drafted(tracker, "phone"):
        body["resident"] = {"phone": phone}
    ticket = await api.post("/tickets", body, 1)
    told = sentence("utter_emergency_ticket", number=ticket["number"], promise=ticket.get("promise") or "")
    return [told] if place else [told, sentence("utter_emergency_place")]


async def _reported_already(tracker: Tracker, api: Api, text: str, place: str | None) -> str | None:
    """The number of his emergency ticket about this danger, with the new words on it.

    None where there is none, or where the office does not tell it at once: then it is a ticket of its own.
    """
    try:
        return await asyncio.wait_for(_join(tracker, api, text, place), JOINED_WITHIN)
    except (ApiError, TimeoutError):
        return None


async def _join(tracker: Tracker, api: Api, text: str, place: str | None) -> str | None:
    found = await api.get("/tickets?urgency=emergency&limit=1")
    ticket = next(iter(found.get("items") or []), None)
    words, now = _with_draft(tracker, text), moment_of(tracker)
    if ticket is None or is_of_this_message(ticket, words, now) or not is_same_danger(ticket, text, place, now):
        return None
    await api.post(f"/tickets/{ticket['number']}/supplement", {"text": words}, 2)
    return str(ticket["number"])


def is_of_this_message(ticket: dict[str, Any], words: str, now: str) -> bool:
    """Whether a first try of this very message registered it: then it is told again as it was."""
    registered = _moment(ticket.get("registered_at"))
    received = _moment(now)
    return ticket.get("description") == words and None not in (registered, received) and registered >= received


def is_same_danger(ticket: dict[str, Any], text: str, place: str | None, now: str) -> bool:
    """Reported just now and still open, of one kind, and not in two buildings. Who is hurt is hurt by what he reported."""
    if ticket.get("state") not in OPEN or not _is_fresh(ticket.get("registered_at"), now):
        return False
    told = str(ticket.get("description") or "").partition(_DRAFTED)[0]
    before, after = danger_of(told), danger_of(text)
    here, there = building_of(place or text), building_of(str(ticket.get("place") or told))
    if here and there and here != there:
        return False
    return before == after or ANY_DANGER in (before, after) or after == INJURY


def _is_fresh(registered_at: Any, now: str) -> bool:
    registered, received = _moment(registered_at), _moment(now)
    return registered is not None and received is not None and abs(received - registered) <= SAME_DANGER


def _moment(written: Any) -> datetime | None:
    """None for what is no moment with its zone."""
    try:
        moment = datetime.fromisoformat(written)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else None


def _drafted(tracker: Tracker, slot: str) -> str | None:
    value = tracker.get_slot(slot)
    return str(value) if value not in (None, SKIPPED) else None


def _with_draft(tracker: Tracker, text: str) -> str:
    """What he was telling when the danger came is not lost."""
    others = (tracker.get_slot("extra") or {}).get("others") or []
    drafts = [_drafted(tracker, "what"), *(other.get("what") for other in others)]
    told = "；".join(str(draft) for draft in drafts if draft)
    return f"{text}{_DRAFTED}{told}）" if told else text


class Emergency(Step):
    """report_emergency outside a form."""

    def name(self) -> str:
        """Before everything else."""
        return "action_emergency"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """The alarm, and nothing beside it."""
        await raise_alarm(say, tracker, api)
        return []
