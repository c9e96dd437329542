"""To a person: asked for, or because the words call for one; with what he wants, the open draft and the line."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api
from actions.reading import give_up
from actions.replies import answers_reply
from actions.step import Events, Step, begins_matter, channel_of, intent_of, sentence, text_of
from actions.visits import has_something, speaks_of_visit

KIND_ON_CALL = {name: "complaint" for name in ("urge", "rate", "correct", "supplement", "inform")}
DISTRESS, MINOR = "居民情绪低落，需要关心", "可能是未成年人"
REASONS: list[tuple[bool, str, str]] = [
    (False, r"傻[逼比叉Xx缺]|他妈的?|你妈|妈的|滚蛋?(?![梯动筒])|(?:你们?|一群|一帮|都是)?(?:这[群帮])?(?:废物|饭桶)|去死|狗屁|狗东西|王八|畜生|混蛋|神经病|脑残|智障|垃圾(?:客服|机器|东西|玩意|物业)|操你|草泥马|尼玛|TMD|tmd|sb\b|SB\b|人渣|不要脸|白痴|蠢[猪货]|贱[人货]|(?:都是|你们?是|是)死人(?=[啊吗吧呀嘛哦的,，。!！?？]|$)|吃(?:干饭|白饭|屎)的?(?!店)|(?:眼)?瞎了(?:你们?|狗)?的?(?:狗)?眼|你们?(?:脑子)?有(?:毛)?病(?=[吧啊呀吗嘛!！]|$)|脑子(?:进水|有(?:毛)?病|被驴踢)", "居民言语激烈"),
    (True, r"崩溃|绝望|撑不(?:住|下去)|受不了了|走投无路|想哭|没人(?:帮|管|理)我|害怕|活着没意思|不想活|活不下去|想跳楼|想死(?!你|他|她|我|大家)|抑郁|喘不过气|熬不下去", DISTRESS),
    (False, r"我(?:今年|才|是|还是|只有)?(?:(?:[5-9]|1[0-7]|[七八九]|十[一二三四五六七]?)岁|(?:一个)?(?:小学|初中|高中|中学)生|未成年|(?:上|读|念)(?:小学|初[一二三中]|[一二三四五六]年级|高[一二]))"
            r"|我今年(?:[5-9]|1[0-7])(?![\d.:：号楼栋幢层月年万元块级个])", MINOR),
]
"""Why a person takes over although nobody said 转人工: (only where nothing else is asked, words, reason)."""


def reason_for_person(text: str, *, mild: bool = True) -> str | None:
    """The reason in the words. `mild`: also what counts only when the message asks for nothing else."""
    return next((reason for gentle, words, reason in REASONS if (mild or not gentle) and re.search(words, text)), None)


SHORT = 40
"""A longer text tells a matter too, and that is taken up first."""


def summary(tracker: Tracker) -> str:
    """What he wants in his last words, and the open draft, for the clerk; the transcript is the conversation itself."""
    said = [str(e["text"]) for e in tracker.events if e.get("event") == "user" and e.get("text")]
    names = {"what": "事由", "place": "位置", "happened": "时间", "phone": "电话"}
    draft = [f"{label}：{tracker.get_slot(slot)}" for slot, label in names.items() if tracker.get_slot(slot) not in (None, "-")]
    draft += [f"另一件事：{other['what']}" for other in (tracker.get_slot("extra") or {}).get("others") or [] if other.get("what")]
    lines = (["【未登记完】" + "；".join(draft)] if draft else []) + ["【居民说】" + " / ".join(dict.fromkeys(said[-5:]))]
    return "\n".join(lines)[:1500]


async def hand_over(
    say: CollectingDispatcher, tracker: Tracker, api: Api, reason: str, *, when_closed: bool = True
) -> Events:
    """Put the conversation into the hands of a person, and say how long the line is, or when somebody will be there.

    `when_closed`: whether anything is said where nobody is there before the morning.
    """
    place = await api.post("/hand-over", {"reason": reason, "summary": summary(tracker)})
    promise = place.get("promise") or ""
    if reason == DISTRESS:
        say.utter_message(text=sentence("utter_care"))
    if place.get("open"):
        ahead = max(int(place.get("position") or 1) - 1, 0)
        say.utter_message(text=sentence("utter_hand_over" if ahead else "utter_hand_over_first", ahead=ahead, promise=promise))
    elif when_closed:
        said = "utter_hand_over_waiting" if place.get("again") else "utter_hand_over_closed"
        say.utter_message(text=sentence(said, number=f" {place['ticket']}" if place.get("ticket") else "", promise=promise))
    return [SlotSet("offer", None), SlotSet("asked", None), SlotSet("misses", 0)]


class Speaking(Step):
    """An action that says something, unless the words call for a person; what was told on the telephone is a ticket."""

    mild = False
    """Whether distress counts here: in a message that asks for nothing else."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        """On the telephone nobody can be answered; elsewhere a person comes before whatever else was understood."""
        if channel_of(tracker) == "phone":
            return begins_matter(tracker, KIND_ON_CALL.get(intent_of(tracker), "consultation"))
        return await super().run(dispatcher, tracker, domain)

    async def start(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events | None:
        """The events of a hand-over that the words call for, of an answer to the office's reply, or of an own appointment."""
        text = text_of(tracker)
        reason = reason_for_person(text, mild=self.mild)
        if reason and len(text) <= SHORT:
            return await hand_over(say, tracker, api, reason)
        if (answered := await answers_reply(say, tracker, api)) is not None:
            return answered
        if give_up(text) and not await has_something(tracker, api):
            say.utter_message(text=sentence("utter_ok"))
            return [SlotSet("offer", None), SlotSet("choices", None)]
        return await speaks_of_visit(say, tracker, api)


class HandOver(Speaking):
    """转人工 in any words."""

    def name(self) -> str:
        """From anywhere, forms included."""
        return "action_hand_over"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Hand over because it was asked for, or because the words call for a person."""
        return await hand_over(say, tracker, api, reason_for_person(text_of(tracker)) or "居民要求人工")
