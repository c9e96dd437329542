"""Emergencies: the right number in the first line, before anything else, and a ticket that rings a clerk."""
from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from nlu.components.signs import put_right, see_danger
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.handover import MINOR, hand_over, reason_for_person
from actions.person import own_name
from actions.places import place_of
from actions.reading import SKIPPED, own_phone
from actions.replies import answers_reply
from actions.status import OPEN, own_tickets
from actions.step import Events, Step, is_here, moment_of, sentence, text_of

_WORDS = yaml.safe_load((Path(__file__).parent.parent / "nlu" / "components" / "danger.yml").read_text(encoding="utf-8"))
DANGERS: list[tuple[str, str]] = [(row["when"], row["say"]) for row in _WORDS["sentences"]]
"""Words that tell which sentence goes first, where the model cannot: the first that the text has."""
ANY_DANGER, SUICIDE = "utter_danger", "utter_suicide"
WANTS_TO_DIE = "居民可能有轻生念头"
LIKELY, CERTAIN = 0.4, 0.8
"""Shares of the model's danger from which it counts, and from which no other number is said beside it."""
FRESH = timedelta(hours=1)
"""So long after an alarm a question is still about the danger."""
_BODY = re.compile(r"血|伤|疼|痛|晕|昏|喘|倒|救|命|死|人(?:被|要|快|掉|卡)|火|烟|煤气|燃气|气味|电")
_CALLED = re.compile(
    r"(?:119|120|110|消防|救护车|警察?|燃气公司|急救)[^,，。]{0,4}(?:打|报|叫|联系|通知)[^,，。]{0,3}(?:了|过)|(?:打|报|叫|喊)(?:了|过)[^,，。]{0,3}(?:119|120|110|警|消防|救护车|急救)")
"""119也打了: he need not hear the number again."""


async def raise_alarm(say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
    """The number is said whether or not the ticket succeeds, in the same single message.

    Whether it is a ticket of its own or joins one about the same danger is the service's to say (service/alarms.py).
    """
    text, entities = text_of(tracker), list(tracker.latest_message.get("entities") or [])
    place = place_of(text, entities, broad=True) or _drafted(tracker, "place")
    phone = own_phone(text, entities) or _drafted(tracker, "phone")
    said = {"text": text, "drafted": _draft(tracker), "place": place, "phone": phone}
    danger = danger_of(tracker.latest_message)
    lines = [first_line(tracker.latest_message)]
    try:
        ticket = await api.post("/alarms", {name: value for name, value in said.items() if value}, 1)
        if name := own_name(text, entities):
            with suppress(ApiError):
                await api.post("/matter", {"name": name})
        if ticket.get("joined"):
            lines = [sentence("utter_emergency_called")] if _CALLED.search(text) else lines
            lines.append(sentence("utter_emergency_again", number=ticket["number"]))
        else:
            lines.append(sentence("utter_emergency_ticket", number=ticket["number"], promise=ticket.get("promise") or ""))
            if not place:
                lines.append(sentence("utter_suicide_place" if danger == SUICIDE else "utter_emergency_place"))
    except ApiError:
        lines.append(sentence("utter_emergency_failed"))
    say.utter_message(text="\n".join(lines))
    return await _bring_person(say, tracker, api, danger)


async def _bring_person(say: CollectingDispatcher, tracker: Tracker, api: Api, danger: str) -> Events:
    """Who speaks of dying, or is a child, is not left alone with a number: a person takes over where he writes.

    Out of hours he hears no more than that the desk was told: the emergency ticket rings it.
    """
    reason = WANTS_TO_DIE if danger == SUICIDE else reason_for_person(text_of(tracker), mild=False)
    if reason not in (WANTS_TO_DIE, MINOR) or not is_here(tracker):
        return []
    try:
        return await hand_over(say, tracker, api, reason, when_closed=False)
    except ApiError:
        return []


def first_line(message: dict[str, Any]) -> str:
    """What is said first: the number of this danger; in doubt all numbers after it."""
    danger, sure = _told(message)
    return sentence(danger) if sure else f"{sentence(danger)}{sentence(ANY_DANGER)}"


def danger_of(message: dict[str, Any]) -> str:
    """The kind of danger, named by the sentence that goes first."""
    return _told(message)[0]


def tells_danger(text: str) -> bool:
    """Whether a word of it does, or a body is spoken of: then it is no mere answer, whatever came before."""
    plain = put_right(text)
    return bool(see_danger(text) or _BODY.search(plain) or any(re.search(form, plain) for form, _ in DANGERS))


def _told(message: dict[str, Any]) -> tuple[str, bool]:
    """The danger and whether it is certain: the model's word, which knows twice as many as the words do; else theirs."""
    plain = put_right(str(message.get("text") or ""))
    words = next((name for form, name in DANGERS if re.search(form, plain)), ANY_DANGER)
    model = message.get("danger") or {}
    danger, share = f"utter_{model.get('name')}", float(model.get("confidence") or 0)
    if share < LIKELY:
        return words, True
    return danger, danger in (words, ANY_DANGER) or share >= CERTAIN


async def danger_before(tracker: Tracker, api: Api) -> str | None:
    """The danger that he reported within the hour and that is not over; None where there is none."""
    now = moment_of(tracker)
    fresh = (item for item in await own_tickets(api) if item.get("urgency") == "emergency" and item.get("state") in OPEN and (
        not now or datetime.fromisoformat(now) - datetime.fromisoformat(item["registered_at"]) < FRESH))
    return next((danger_of({"text": item.get("description") or item.get("title")}) for item in fresh), None)


def _drafted(tracker: Tracker, slot: str) -> str | None:
    value = tracker.get_slot(slot)
    return str(value) if value not in (None, SKIPPED) else None


def _draft(tracker: Tracker) -> str:
    """What he was telling when the danger came is not lost."""
    others = (tracker.get_slot("extra") or {}).get("others") or []
    drafts = [_drafted(tracker, "what"), *(other.get("what") for other in others)]
    return "；".join(str(draft) for draft in drafts if draft)


class Emergency(Step):
    """report_emergency outside a form."""

    def name(self) -> str:
        """Before everything else."""
        return "action_emergency"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """The alarm, and nothing beside it. 没修好，又渗出来了 to the office's reply only sounds like blood: no word tells a danger."""
        if not tells_danger(text_of(tracker)) and (answered := await answers_reply(say, tracker, api)) is not None:
            return answered
        return await raise_alarm(say, tracker, api)
