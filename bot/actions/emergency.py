"""Emergencies: the right number in the first line, before anything else, and a ticket that rings a clerk."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.places import place_of
from actions.reading import SKIPPED, own_phone
from actions.step import Events, Step, sentence, text_of

_WORDS = yaml.safe_load((Path(__file__).parent.parent / "nlu" / "components" / "danger.yml").read_text(encoding="utf-8"))
DANGERS: list[tuple[str, str]] = [(row["when"], row["say"]) for row in _WORDS["sentences"]]
"""Which sentence goes first: the first whose words the text has decides."""


async def raise_alarm(say: CollectingDispatcher, tracker: Tracker, api: Api) -> None:
    """The number is said whether or not the ticket succeeds, in the same single message."""
    text, entities = text_of(tracker), list(tracker.latest_message.get("entities") or [])
    lines = [sentence(next((name for words, name in DANGERS if re.search(words, text)), "utter_danger"))]
    body: dict[str, Any] = {"kind": "request", "urgency": "emergency", "description": _with_draft(tracker, text),
                            "resident": {}}
    if place := place_of(text, entities, broad=True) or _drafted(tracker, "place"):
        body["place"] = place
    if phone := own_phone(text, entities) or _drafted(tracker, "phone"):
        body["resident"] = {"phone": phone}
    try:
        ticket = await api.post("/tickets", body)
        lines.append(sentence("utter_emergency_ticket", number=ticket["number"], promise=ticket.get("promise") or ""))
        if not place:
            lines.append(sentence("utter_emergency_place"))
    except ApiError:
        lines.append(sentence("utter_emergency_failed"))
    say.utter_message(text="\n".join(lines))


def _drafted(tracker: Tracker, slot: str) -> str | None:
    value = tracker.get_slot(slot)
    return str(value) if value not in (None, SKIPPED) else None


def _with_draft(tracker: Tracker, text: str) -> str:
    """What he was telling when the danger came is not lost."""
    draft = _drafted(tracker, "what")
    return f"{text}\n（此前正在反映：{draft}）" if draft else text


class Emergency(Step):
    """report_emergency outside a form."""

    def name(self) -> str:
        """Before everything else."""
        return "action_emergency"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """The alarm, and nothing beside it."""
        await raise_alarm(say, tracker, api)
        return []
