"""Questions go to the guides; what they do not say is not invented."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api
from actions.step import Events, text_of

SAID = frozenset({"answered", "expired", "out_of_scope"})
MEDICAL = frozenset({"diagnosis", "warning_sign"})
"""Reasons of a refusal that is said in its own words: 120, or that no opinion is given."""

_NUMBER = re.compile(r"^(?:第|选|选择)?([1-9一二三四五])(?:个|项|号|、|\.|。)?$")

_ABOUT_US: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"(?:照片|图片|视频|截图).{0,8}(?:发|传)|(?:发|传)(?:个|张|些)?(?:照片|图片|视频|截图)"), "utter_photographs"),
    (re.compile(r"身份证.{0,8}(?:要|需要|用|必须|提供|填|报)|(?:要|需要|用|必须|提供|填|报).{0,6}身份证"), "utter_no_id"),
]
"""Questions about this conversation itself, asked where no guide knows an answer."""


_ASPECTS = re.compile(
    r"带|准备|材料|东西|证件|什么|啥|哪些|哪[里儿]?|怎么|咋|几点|多久|多长|时间|时候|多少|钱|费用?|收|停车|地址|地方|窗口|位置|本人|自己|亲自|代办|别人|家人"
    r"|可以|[能行要去来到办过需用在有得必须我你您们的了吗呢啊呀吧那么都还就是不没这个先说一下请问些？?，。！\s]")


def names_no_matter(question: str) -> bool:
    """本人去要带啥 asks about what is spoken of; it names no matter of its own."""
    return len(_ASPECTS.sub("", question)) <= 1


_BRINGS = re.compile(r"带(?:些|点)?(?:什么|啥|哪些|东西|哪几样)|要带|(?:身份证|证件|户口[本簿]|材料|委托书|资料)[^，。！？]{0,6}(?:够|行|可以|全|齐)|还[要需](?:什么|啥|哪些)")


def asks_to_bring(question: str) -> bool:
    """我要带什么过去，就我爸身份证够不够: after a booking these are the papers of what was booked."""
    return len(question) <= 40 and bool(_BRINGS.search(question))


def about_us(text: str) -> str | None:
    """Our own answer to a short question about how this conversation goes."""
    return next((said for words, said in _ABOUT_US if words.search(text)), None) if len(text) <= 24 else None


def chosen(tracker: Tracker) -> str | None:
    """The guide that was just chosen of those offered before, by its title or its number."""
    text = text_of(tracker).strip()
    choices = tracker.get_slot("choices") or []
    if found := _NUMBER.match(text):
        place = int(found[1]) if found[1].isdigit() else "一二三四五".index(found[1]) + 1
        return choices[place - 1]["guide"] if place <= len(choices) else None
    return next((c["guide"] for c in choices if c["title"] == text), None)


async def answer(
    say: CollectingDispatcher, tracker: Tracker, api: Api, question: str | None = None, *, ask_back: bool = True,
) -> tuple[str, Events]:
    """Say the guides' answer → its status and the events; silent for no_guide and error.

    `question`: the part of the message that asks, where the rest is about something else. `ask_back`: not in the middle
    of a form, which would take the choice for its own answer.
    """
    asked = (tracker.get_slot("offer") or {}).get("question")
    guide = chosen(tracker)
    body: dict[str, Any] = {"question": asked if guide and asked else question or text_of(tracker)}
    if guide:
        body["chosen"] = guide
    found = await api.post("/answers", body)
    status = found.get("status", "error")
    booked = tracker.get_slot("booked")
    if booked and not guide and status not in SAID and (names_no_matter(body["question"]) or asks_to_bring(body["question"])):
        again = await api.post("/answers", {"question": f"{booked} {body['question']}"})
        if again.get("status") in SAID:
            found, status = again, again["status"]
    if status == "clarify" and not ask_back:
        return status, []
    if status == "clarify":
        choices = found.get("choices") or []
        say.utter_message(text=found.get("text") or "您想问的是哪一项？",
                          buttons=[{"title": c["title"], "payload": c["title"]} for c in choices])
        return status, [SlotSet("choices", choices), SlotSet("offer", {"question": body["question"]})]
    if found.get("text") and (status in SAID or found.get("reason") in MEDICAL):
        say.utter_message(text=found["text"])
        return status, [SlotSet("choices", None)]
    return status, []


_INSISTS = re.compile(r"我(?:刚才?|就|只|现在|想|要)?(?:是)?问的?(?:是|就是)|(?:不是|没)(?:问|回答|答)|答非所问|到底|究竟|你没(?:听|看)")
"""He asks the same again because the answer was none to him."""


def _said_just_before(tracker: Tracker, text: str) -> bool:
    """Whether the very same was said to his question before."""
    before = [e for e in tracker.events if e.get("event") in ("user", "bot")]
    while before and before[-1]["event"] == "bot":
        before.pop()
    spoken = []
    for event in reversed(before[:-1]):
        if event["event"] == "user":
            break
        spoken.append(str(event.get("text") or ""))
    return bool(text) and text in spoken


def insists_in_vain(say: CollectingDispatcher, tracker: Tracker) -> bool:
    """Whether he insists on his question, and all there is to say was said to him just before."""
    return bool(say.messages and _INSISTS.search(text_of(tracker))
                and _said_just_before(tracker, str(say.messages[-1].get("text") or "")))
