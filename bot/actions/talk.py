"""Questions, small talk, yes and no, and what was not understood."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.after import Urge, Withdraw, supplement, tells_matter
from actions.api import Api
from actions.emergency import danger_before
from actions.form import question_before
from actions.guides import about_us, answer, chosen, insists_in_vain
from actions.handover import Speaking, hand_over
from actions.matter import describe_matter
from actions.parts import FORM_KINDS
from actions.reading import PETITION, is_question, only_place
from actions.several import find_parts
from actions.status import OPEN, asked_ticket, meant, named_number, own_tickets, say_status
from actions.step import Events, begins_matter, intent_of, sentence, text_of
from actions.visits import chosen_end

GUESSED = 0.5
"""Less sure than this, two of five messages are something else (docs/decisions/0006)."""
SURELY = 0.8
"""So sure that a message is no matter of ours, the guides are asked only where one was quoted before."""
SAME = 0.75
"""Two questions that share so much of their words are one question asked twice."""


class Answer(Speaking):
    """ask_guide."""

    def name(self) -> str:
        """Outside forms."""
        return "action_answer"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Answer, ask back, or say honestly that there is no guide; who must ask again gets a person."""
        text = text_of(tracker)
        if any(part.kind in FORM_KINDS for part in await find_parts(tracker.latest_message, api)):
            return begins_matter(tracker)  # The form takes the matter and answers the question beside it.
        if await tell_how_long(say, tracker, api):
            return []
        question = plain_question(text)
        if is_same(question, tracker.get_slot("asked")) and not chosen(tracker):
            return await hand_over(say, tracker, api, "同一问题问了两遍")
        status, events = await answer(say, tracker, api)
        if insists_in_vain(say, tracker):
            say.messages.clear()
            return await hand_over(say, tracker, api, "同一问题问了两遍")
        if not say.messages:
            matter = await describe_matter(api)
            if matter.get("interactive") is False or len(text) >= PETITION:
                # A letter, or a whole story, is not sent away: an office that has no guide for it answers it itself.
                return [*events, *begins_matter(tracker, "consultation")]
            if _STILL_NOT.search(text) and any(item.get("state") in OPEN for item in await own_tickets(api)):
                return [*events, *await Urge().act(say, tracker, api)]
            events = [*events, *await self._no_guide(say, tracker, api, matter)]
        return [*events, SlotSet("asked", None if status == "clarify" else question)]

    async def _no_guide(
        self, say: CollectingDispatcher, tracker: Tracker, api: Api, matter: dict[str, Any]
    ) -> Events:
        if ours := about_us(text_of(tracker)):
            say.utter_message(text=sentence(ours))
            return []
        if danger := await danger_before(tracker, api):
            say.utter_message(text=sentence("utter_danger_meanwhile", danger=sentence(danger)), buttons=[_PERSON])
            return [SlotSet("offer", {"person": True})]
        settled = matter.get("settled")
        heard = sentence("utter_settled", settled=settled) if settled else ""
        say.utter_message(text=heard + sentence("utter_no_guide"), buttons=[_PERSON])
        return [SlotSet("offer", {"person": True})]


_PERSON = {"title": "转人工", "payload": "转人工"}
_STILL_NOT = re.compile(r"^[^，。]{0,12}(?:(?:怎么|咋|为什么|为啥|为何)还?(?:没|不)|还没|还不)[^，。]{0,12}[？?。！!啊呀呢]*$")
"""怎么还没退 of who has a ticket is about his ticket."""


def plain_question(text: str) -> str:
    """A question without what may change when it is asked again."""
    return re.sub(r"[\W_]+|请问|您好|你好|我想(?:问|知道|了解)(?:一下)?|到底|吗|呢|啊|呀|吧|的|了|嘛|哦|麻烦|再?问(?:一下|下|一遍)", "", text)


def is_same(question: str, before: str | None) -> bool:
    """Whether two questions, without what may change, say the same."""
    ours, theirs = _pairs(question), _pairs(before or "")
    return bool(ours and theirs) and 2 * len(ours & theirs) / (len(ours) + len(theirs)) >= SAME


def _pairs(text: str) -> set[str]:
    return {text[i:i + 2] for i in range(len(text) - 1)} or ({text} if text else set())


_HOW_LONG = re.compile(r"^(?:那|我|大概|大约|还|要|得|需要|再|究竟|到底)*等(?:多久|多长时间|几天|到什么时候|到啥时候|到哪天)[了啊呀呢]?[？?。！!]*$"
                       r"|^(?:你们?|有人)?(?:有没有)?(?:收到|看到)(?:我的?[^，。]{0,6}|消息|了)?(?:没有?|吗)[啊呀]?[？?]*$")


async def tell_how_long(say: CollectingDispatcher, tracker: Tracker, api: Api) -> bool:
    """还要等多久, 收到没有 of who has an open ticket are answered with where it stands and what was promised."""
    if not _HOW_LONG.match(text_of(tracker).strip()) or not any(item.get("state") in OPEN for item in await own_tickets(api)):
        return False
    await say_status(say, tracker, api)
    return True


_DEMANDS = re.compile(r"(?:给|要|讨|有)(?:我们?|大家|居民|患者|家属)?(?:一?个)?(?:说法|交代|交待|解释|答复|回复|结果|公道)|负(?:起|全)?责|追究|[赔]偿|赔(?:我|钱)|没完|(?:这事|这件事|事情)[^，。]{0,6}(?:必须|一定|不能|不会)")


async def keeps_demand(say: CollectingDispatcher, tracker: Tracker, api: Api) -> bool:
    """好，我先带她去急诊，但这事你们必须给个说法: what he demands is put on his open ticket, although it began with 好."""
    text = text_of(tracker)
    open_ones = [item for item in await own_tickets(api) if item.get("state") in OPEN] if _DEMANDS.search(text) else []
    if not open_ones or is_question(text):
        return False
    await supplement(say, tracker, api, (meant(open_ones, text) or open_ones)[0])
    return True


async def miss(say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
    """Not understood: once is said, twice in a row goes to a person."""
    misses = int(tracker.get_slot("misses") or 0) + 1
    if misses >= 2:
        return await hand_over(say, tracker, api, "连续两次没有听懂")
    say.utter_message(text=sentence("utter_missed"))
    return [SlotSet("misses", misses)]


async def withdraw_chosen(say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events | None:
    """The answer to which of several tickets is taken back, by its place in the list or its words; None where none is."""
    if chosen_end(tracker):
        return await Withdraw().act(say, tracker, api)
    numbers = (tracker.get_slot("offer") or {}).get("withdraw") or []
    if not numbers:
        return None
    text = text_of(tracker).strip()
    found = re.fullmatch(r"第?([1-3一二三])(?:个|件|项|条)?(?:吧|的)?[。]?", text)
    offered = [item for item in await own_tickets(api) if item["number"] in numbers]
    offered.sort(key=lambda item: numbers.index(item["number"]))
    at = (int(found[1]) if found[1].isdigit() else "一二三".index(found[1]) + 1) if found else 0
    picked = offered[at - 1:at] if found else meant(offered, text)
    if len(picked) != 1:
        return None
    await Withdraw().do(say, tracker, api, picked[0])
    return [SlotSet("offer", None), SlotSet("misses", 0)]


class Missed(Speaking):
    """nlu_fallback: perhaps the guides know, else it is a matter if it is long, else a miss."""

    mild = True

    def name(self) -> str:
        """Also Rasa's own last resort."""
        return "action_missed"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """The guides first."""
        text = text_of(tracker)
        if await tell_how_long(say, tracker, api):
            return [SlotSet("misses", 0)]
        if (withdrawn := await withdraw_chosen(say, tracker, api)) is not None:
            return withdrawn
        if len(text) >= 4 or chosen(tracker):
            status, events = await answer(say, tracker, api)
            if status == "answered":
                return [*events, SlotSet("misses", 0)]
            say.messages.clear()
        if len(text) >= PETITION or (tells_matter(tracker) and (await describe_matter(api)).get("interactive") is False):
            return begins_matter(tracker)
        return await miss(say, tracker, api)


class Chat(Speaking):
    """Greetings, small talk and what is not ours: abuse, distress and minors among it get a person."""

    mild = True

    said = {name: f"utter_{name}" for name in ("greet", "goodbye", "thanks", "chitchat", "out_of_scope")}

    def name(self) -> str:
        """One action for all that asks for nothing."""
        return "action_chat"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """A sentence, or a person. What was only guessed to be small talk was not understood."""
        if await tell_how_long(say, tracker, api) or await keeps_demand(say, tracker, api):
            return []
        sure = float((tracker.latest_message.get("intent") or {}).get("confidence") or 1)
        # What sounds like no matter of ours may be about what was just answered: 那押金是多少.
        if intent_of(tracker) == "out_of_scope" and (sure < SURELY or (await describe_matter(api)).get("last_guide")):
            status, events = await answer(say, tracker, api, ask_back=False)
            if status == "answered":
                return events
            say.messages.clear()
        if sure < GUESSED:
            return await miss(say, tracker, api)
        say.utter_message(text=sentence(self.said.get(intent_of(tracker), "utter_chitchat")))
        return []


class Affirm(Speaking):
    """好的: to the person that was offered, 那你帮我登记一下 of what was asked, else just an acknowledgement."""

    def name(self) -> str:
        """Outside forms."""
        return "action_affirm"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Look at what was offered last. 要带啥 agrees to nothing."""
        if is_question(text_of(tracker)) and len(text_of(tracker)) >= 3:
            return await Answer().act(say, tracker, api)
        if question_before(tracker) is not None:
            return begins_matter(tracker)
        if await keeps_demand(say, tracker, api):
            return []
        if (tracker.get_slot("offer") or {}).get("person"):
            return await hand_over(say, tracker, api, "指南没有答案")
        if (ticket := await Withdraw.asked_about(tracker, api)) is not None:
            await Withdraw().do(say, tracker, api, ticket)
            return [SlotSet("offer", None)]
        say.utter_message(text=sentence("utter_ok"))
        return []


class Deny(Speaking):
    """不用了."""

    def name(self) -> str:
        """Outside forms."""
        return "action_deny"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Whatever was offered is off the table."""
        if await tell_how_long(say, tracker, api) or await keeps_demand(say, tracker, api):
            return []
        say.utter_message(text=sentence("utter_ok"))
        return [SlotSet("offer", None)]


class Inform(Speaking):
    """A bare fact outside a form: a detail of the newest open ticket, or a miss."""

    def name(self) -> str:
        """Outside forms."""
        return "action_inform"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Choice, ticket number, detail, in this order."""
        if chosen(tracker):
            return (await answer(say, tracker, api))[1]
        if (withdrawn := await withdraw_chosen(say, tracker, api)) is not None:
            return withdrawn
        if (asked := await asked_ticket(tracker, api)) is not None:
            await supplement(say, tracker, api, asked)
            return []
        if named_number(tracker):
            await say_status(say, tracker, api)
            return []
        open_ones = [item for item in await own_tickets(api) if item.get("state") in OPEN]
        if not open_ones and is_question(text_of(tracker)):
            return await Answer().act(say, tracker, api)
        if not open_ones:
            place_alone = only_place(text_of(tracker), tracker.latest_message.get("entities") or [])
            return begins_matter(tracker) if place_alone or tells_matter(tracker) else await miss(say, tracker, api)
        await supplement(say, tracker, api, (meant(open_ones, text_of(tracker)) or open_ones)[0])
        return []
