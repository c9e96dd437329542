"""Emergencies: the right number in the first line, before anything else, and a ticket that rings a clerk."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.places import place_of
from actions.reading import SKIPPED, own_phone
from actions.step import Events, Step, sentence, text_of

DANGERS: list[tuple[str, str]] = [
    (r"自杀|不想活|想死|跳楼|轻生|割腕|活不下去|结束生命|寻短见|吞.{0,4}(?:安眠)?药|遗书", "utter_suicide"),
    (r"燃气|煤气|天然气|瓦斯|液化气", "utter_gas"),
    (r"(?:电梯|轿厢).{0,12}(?:困|关|卡|出不来|出不去|停在)|(?:困|关|卡)在?.{0,4}(?:电梯|轿厢)", "utter_lift"),
    (r"着火|起火|火灾|失火|冒烟|烧起来|烧着|爆炸|火势|明火|浓烟|大火", "utter_fire"),
    (r"晕倒|昏迷|没呼吸|呼吸困难|喘不上|流血|出血|摔伤|骨折|心梗|中风|抽搐|触电|溺水|落水|掉.{0,4}(?:水|河|湖)里|受伤|砸伤|没意识|晕过去|中毒|胸口|不省人事|休克|倒地", "utter_injury"),
    (r"刀|砍人|杀人|抢劫|抢.{0,3}(?:包|钱|东西)|打人|打架|打起来|小偷|贼|入室|行凶|绑架|尾随|猥亵|强奸|斗殴|偷|家暴|撬|跟踪|被打", "utter_crime"),
]
"""The first that matches decides; gas before fire, because a spark is the danger there."""


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
