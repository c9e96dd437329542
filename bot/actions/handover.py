"""To a person: asked for, offered, or after two misses; and emergencies, which come before everything."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import ActiveLoop, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.guides import answer, chosen
from actions.step import Events, Step, entities_of, sentence, text_of
from actions.tickets import blank, own_ticket

DANGERS: list[tuple[str, str]] = [
    (r"自杀|不想活|想死|跳楼|轻生|割腕|活不下去|结束生命|寻短见", "utter_suicide"),
    (r"燃气|煤气|天然气|瓦斯|液化气", "utter_gas"),
    (r"(?:电梯|轿厢).{0,12}(?:困|关|卡|出不来|出不去|停在)|(?:困|关|卡)在?.{0,4}(?:电梯|轿厢)", "utter_lift"),
    (r"着火|起火|火灾|失火|冒烟|烧起来|爆炸|火势|明火|浓烟", "utter_fire"),
    (r"晕倒|昏迷|没呼吸|呼吸困难|喘不上|流血|大出血|摔伤|骨折|心梗|中风|抽搐|触电|溺水|受伤|砸伤|没意识|晕过去|中毒|胸口", "utter_injury"),
    (r"持刀|砍人|杀人|抢劫|打人|打架|小偷|入室|行凶|绑架|尾随|猥亵|强奸|斗殴|偷东西|家暴|撬", "utter_crime"),
]
"""The first that matches decides; gas before fire, because a spark is the danger there."""


def summary(tracker: Tracker) -> str:
    """The resident's last words and the open draft, for the clerk."""
    said = [e.get("text") for e in tracker.events if e.get("event") == "user" and e.get("text")]
    draft = [f"{k}={tracker.get_slot(k)}" for k in ("kind", "what", "place", "happened", "phone")
             if tracker.get_slot(k) not in (None, "-")]
    return "；".join([*dict.fromkeys(said[-5:]), *draft])[:800]


async def hand_over(say: CollectingDispatcher, tracker: Tracker, api: Api, reason: str) -> Events:
    """Put the conversation into the hands of a person, and say how long the line is."""
    place = await api.post("/hand-over", {"reason": reason, "summary": summary(tracker)})
    promise = place.get("promise") or ""
    if place.get("open"):
        say.utter_message(text=sentence(
            "utter_hand_over", ahead=max(int(place.get("position") or 1) - 1, 0), promise=promise))
    else:
        number = f" {place['ticket']}" if place.get("ticket") else ""
        say.utter_message(text=sentence("utter_hand_over_closed", number=number, promise=promise))
    return [ActiveLoop(None), *blank(), SlotSet("requested_slot", None), SlotSet("offer", None), SlotSet("misses", 0)]


class HandOver(Step):
    """转人工 in any words."""

    def name(self) -> str:
        """From anywhere, forms included."""
        return "action_hand_over"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Hand over because it was asked for."""
        return await hand_over(say, tracker, api, "居民要求人工")


class Emergency(Step):
    """The right number first, then an emergency ticket that rings a clerk."""

    def name(self) -> str:
        """Before everything else."""
        return "action_emergency"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """The number is said whether or not the ticket succeeds, in the same single message."""
        text = text_of(tracker)
        lines = [sentence(next((name for words, name in DANGERS if re.search(words, text)), "utter_danger"))]
        body: dict[str, Any] = {"kind": "request", "urgency": "emergency", "description": text, "resident": {}}
        if place := entities_of(tracker, "place"):
            body["place"] = place[0]["value"]
        if phone := entities_of(tracker, "phone"):
            body["resident"] = {"phone": phone[-1]["value"]}
        try:
            ticket = await api.post("/tickets", body)
            lines.append(sentence(
                "utter_emergency_ticket", number=ticket["number"], promise=ticket.get("promise") or ""))
        except ApiError:
            lines.append(sentence("utter_emergency_failed"))
        say.utter_message(text="\n".join(lines))
        return [ActiveLoop(None), *blank(), SlotSet("requested_slot", None)]


async def miss(say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
    """Not understood: once is said, twice in a row goes to a person."""
    misses = int(tracker.get_slot("misses") or 0) + 1
    if misses >= 2:
        return await hand_over(say, tracker, api, "连续两次没有听懂")
    say.utter_message(text=sentence("utter_missed"))
    return [SlotSet("misses", misses)]


class Missed(Step):
    """nlu_fallback: perhaps the guides know, else it is a miss."""

    def name(self) -> str:
        """Also Rasa's own last resort."""
        return "action_missed"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Guides first."""
        if len(text_of(tracker)) >= 4 or chosen(tracker):
            status, events = await answer(say, tracker, api)
            if status == "answered":
                return [*events, SlotSet("misses", 0)]
            say.messages.clear()
        return await miss(say, tracker, api)


class Affirm(Step):
    """好的: to the person that was offered, else just an acknowledgement."""

    def name(self) -> str:
        """Outside forms."""
        return "action_affirm"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Look at what was offered last."""
        if (tracker.get_slot("offer") or {}).get("person"):
            return await hand_over(say, tracker, api, "指南没有答案")
        say.utter_message(text=sentence("utter_ok"))
        return []


class Deny(Step):
    """不用了."""

    def name(self) -> str:
        """Outside forms."""
        return "action_deny"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Whatever was offered is off the table."""
        say.utter_message(text=sentence("utter_ok"))
        return [SlotSet("offer", None)]


class Inform(Step):
    """A bare fact outside a form: a choice that was offered, a detail of the newest ticket, or a miss."""

    def name(self) -> str:
        """Outside forms."""
        return "action_inform"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Choice, ticket number, detail, in this order."""
        if chosen(tracker):
            return (await answer(say, tracker, api))[1]
        try:
            ticket = await own_ticket(tracker, api)
        except ApiError as problem:
            if problem.status != 404:
                raise
            return await miss(say, tracker, api)
        if entities_of(tracker, "ticket_number"):
            say.utter_message(text=sentence("utter_status", number=ticket["number"], title=ticket.get("title") or "",
                                            state_text=ticket.get("state_text") or ticket.get("state", "")))
            return []
        await api.post(f"/tickets/{ticket['number']}/supplement", {"text": text_of(tracker)})
        say.utter_message(text=sentence("utter_supplemented", number=ticket["number"]))
        return []
