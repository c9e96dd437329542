"""The resident's own appointments: which are to come, whether he asks about them, and whether he ends one of them."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api
from actions.booking import asks_free, is_dated, moment, pick_service, time_of, write_when
from actions.matter import describe_matter
from actions.reading import is_question
from actions.status import OPEN, meant, named_number, own_tickets
from actions.step import Events, entities_of, intent_of, moment_of, sentence, text_of

VISIT, TICKET = "visit", "ticket"
BROUGHT_AT_MOST = 8
LOOKED_BACK = 4
"""Messages in which a service was named that a wish without one may mean."""
_WANTS = re.compile(r"我(?:们)?(?:想|要|打算|准备)|想[来去办约做]|帮我|给我")
_HOUR_SUITS = re.compile(r"(?:[点时半刻]|[:：]\d\d|[上下中]午)[^，。！？,\s]{0,6}?(?:可以|行|方便|成|中|好|来得及)(?:不(?:可以|行|方便)?|吗|么|嘛|伐|啵)")
_WANTS_TO_COME = re.compile(r"(?:我|替|帮|给|想|要)[^，。！？,]{0,8}?(?:[来去办]|过[来去])")
"""我替他来复印，周一下午三点可以吗: an hour is proposed."""
OF_BOOKING = re.compile(r"约|(?<![0-9０-９一二三四五六七八九十])号|挂|门诊|时段")
"""15号 is a day."""
_MONEY_BACK = re.compile(r"退(?:钱|款|费|还|给|押金|保证金)|给我(?:们)?退|(?:钱|款|费|押金|保证金)[^，。！？]{0,8}退")
"""退 of money cancels no appointment."""
_SHORT = 24
_ANSWER = 8
_PLACES = {VISIT: re.compile(r"第?[一1]|前[面一者]"), TICKET: re.compile(r"第?[二2]|后[面一者]")}
"""As utter_end_which names them."""
_SAYS_ONLY = {"inform", "nlu_fallback"}
_NAMED = {VISIT: re.compile(r"约|挂号|的号|门诊|时段|YY\d"), TICKET: re.compile(r"工单|投诉|报修|举报|HY\d")}
_HINTED = {VISIT: re.compile(r"(?:[来去到]|过[来去])不(?:了|成)|不(?:过)?[来去]了|赶不[上到及]|那[天日]|当天|没(?:空|时间)[来去]"),
           TICKET: re.compile(r"师傅|修|反映|登记|撤诉|解决|处理")}
"""Words that name one of the two, and words that only point to it."""
_CANNOT_COME = re.compile(r"(?:[来去到]|过[来去]|赶)不(?:了|成|上)(?:了|啦|咯|咧)|不(?:过)?[来去](?:了|啦|咯|咧)")
_NOT_HE = re.compile(r"师傅|人员|你们|水|电|气|快递|网")
"""Who or what else may fail to come."""
_ANOTHER_TIME = re.compile(r"改|换|挪|推|延|提前|晚[点一些]|早[点一些]|别的|另|再约|想约|要约|不行|也行|可以|能|之前|以前")
_OWN = r"我(?:们)?(?:[^，。！？,?约挂改换]{0,6})(?:约|挂)(?:的|了|好|上|到|在|成)|我[^，。！？,?想要改换取退]{0,6}(?:预约|挂号|的号)(?!码)|预约(?:号|成功)"
_ASKED = r"几[点号时]|哪[天一日儿里个]|什么时[候间]|啥时|啥[呀啊]?|来着|多少|(?:周|礼拜|星期)几|[没吗不么][有啊呀]?[？?。]*$|还在|成功|查|有没有|第几"
_ASKS_OWN = re.compile(f"(?:{_OWN})[^，。！？]{{0,12}}?(?:{_ASKED})|(?:查|看|问)[^，。！？]{{0,6}}?(?:{_OWN})"
                       r"|我[^，。！？]{0,4}(?:有没有|有无|还有)[^，。！？想]{0,6}(?:预约|挂号|号$)"
                       r"|(?:约|号)[^，。！？]{0,4}(?:取消|退|改)(?:掉|好|成功)?了?[吗没]有?[？?。]*$")
_ASKS_MORE = re.compile(r"能|可以|怎么|咋|如何|[改换退](?!掉?了?[吗没])|取消(?!(?:掉|成功)?了?[吗没])|推迟|提前|需要|想约|要约|想预约|要预约|投诉|带|准备")
"""Moving, cancelling and how to book are something else."""


async def coming(tracker: Tracker, api: Api) -> list[dict[str, Any]]:
    """What is booked and lies ahead, soonest first."""
    booked = (await api.get("/appointments?status=booked&limit=50")).get("items") or []
    said = moment_of(tracker)
    now = moment(said) if said else moment("2000-01-01T00:00:00+08:00")
    return sorted((item for item in booked if moment(item["starts_at"]) > now), key=lambda item: str(item["starts_at"]))


async def has_something(tracker: Tracker, api: Api) -> bool:
    """Whether there is anything that 算了 could take back."""
    return any(item.get("state") in OPEN for item in await own_tickets(api)) or bool(await coming(tracker, api))


# What he has


def asks_own(text: str) -> bool:
    """我约的几点: when, or whether, he has an appointment; nothing is to be booked."""
    return len(text) <= _SHORT and bool(_ASKS_OWN.search(text)) and not _ASKS_MORE.search(text)


async def tell_own(say: CollectingDispatcher, tracker: Tracker, api: Api) -> bool:
    """Service, day, hour and what to bring of each that is to come, or that there is none; false where nobody asked."""
    if named_number(tracker) or not asks_own(text_of(tracker)):
        return False
    items = await coming(tracker, api)
    if not items:
        say.utter_message(text=sentence("utter_no_appointment"))
    for item in items:
        say.utter_message(text=sentence("utter_own_appointment", number=item.get("number") or item["id"], **told(item)))
    return True


def told(item: dict[str, Any]) -> dict[str, str]:
    """An appointment's values for a sentence."""
    return {"service": str(item["service"]), "when": write_when(item), "bring": bring(item),
            "counter": f"，{item['counter']}" if item.get("counter") else ""}


def bring(item: dict[str, Any]) -> str:
    """What to bring, from the guide of the service; nothing is made up where there is none."""
    items = [str(each) for each in item.get("bring") or []]
    if not items:
        return ""
    more = "等" if len(items) > BROUGHT_AT_MOST else ""
    return sentence("utter_bring", materials="；".join(items[:BROUGHT_AT_MOST]) + more)


# What he ends


def cannot_come(tracker: Tracker) -> bool:
    """那天来不了了, and no word of another time: who wants one says it."""
    text = text_of(tracker)
    return (len(text) <= _SHORT and bool(_CANNOT_COME.search(text)) and not _ANOTHER_TIME.search(text)
            and not _NOT_HE.search(text) and not is_question(text) and len(entities_of(tracker, "time")) < 2)


async def find_ended(tracker: Tracker, api: Api) -> list[str]:
    """Which of the two is taken back: what is named, else what the words point to, else what there is.

    Empty where they point to what there is not: nothing else is taken back in its place.
    """
    text = text_of(tracker)
    if named_number(tracker) or is_money_back(text):
        return [TICKET]
    if chosen := chosen_end(tracker):
        return [chosen]
    named = [kind for kind, words in _NAMED.items() if words.search(text)]
    if len(named) == 1:
        return named
    visits = await coming(tracker, api)
    tickets = [item for item in await own_tickets(api) if item.get("state") in OPEN]
    there = [kind for kind, items in ((VISIT, visits), (TICKET, tickets)) if items]
    hinted = {kind for kind, words in _HINTED.items() if words.search(text)}
    hinted |= {VISIT} if pick_service(text, [str(item["service"]) for item in visits]) else set()
    hinted |= {TICKET} if meant(tickets, text) else set()
    return [kind for kind in there if kind in hinted] if hinted else there


def is_money_back(text: str) -> bool:
    """He wants money back, and speaks of no appointment."""
    return bool(_MONEY_BACK.search(text)) and not OF_BOOKING.search(text)


def ask_ended(say: CollectingDispatcher) -> Events:
    """He has both, and the words do not tell."""
    say.utter_message(text=sentence("utter_end_which"),
                      buttons=[{"title": label, "payload": label} for label in ("取消预约", "撤回工单")])
    return [SlotSet("offer", {"end": True})]


def chosen_end(tracker: Tracker) -> str | None:
    """Which of the two he takes back, where he was just asked: by its name or its place in the question."""
    text = text_of(tracker).strip()
    if not (tracker.get_slot("offer") or {}).get("end") or len(text) > _ANSWER:
        return None
    chosen = [kind for kind in (VISIT, TICKET) if _NAMED[kind].search(text) or _PLACES[kind].match(text)]
    return chosen[0] if len(chosen) == 1 else None


def begin_cancelling() -> Events:
    """The form of appointments takes it up."""
    return _begin("cancel")


def _begin(act: str) -> Events:
    return [SlotSet("offer", None), SlotSet("booking", {"act": act, "asked": 0, "begun": True}),
            FollowupAction("appointment_form")]


async def _wishes_visit(tracker: Tracker, api: Api) -> bool:
    """周三领结婚证，上午; 办居住证，明天能约吗: something that can be booked, and the day, is a wish although no verb says so."""
    text = text_of(tracker)
    asks = asks_free(text) or bool(_HOUR_SUITS.search(text) and _WANTS_TO_COME.search(text))
    says = intent_of(tracker) in _SAYS_ONLY and entities_of(tracker, "service") and not is_question(text)
    if not (asks or says):
        return False
    time, now = time_of(entities_of(tracker, "time")), moment_of(tracker)
    if time is None and not (asks and _WANTS.search(text)):
        return False
    if time is not None and not (asks or is_dated(time)):
        return False
    if time is not None and now and moment(time.get("to") or time["from"]) < moment(now):
        return False
    offered = (await api.get("/slots/services")).get("items") or []
    found = pick_service(text, [str(item["service"]) for item in offered])
    return len(found or (await spoken_of(tracker, api, offered) if asks else [])) == 1


async def spoken_of(tracker: Tracker, api: Api, offered: list[dict[str, Any]]) -> list[str]:
    """The service that was named before, else that of the guide last quoted, where the message itself names none.

    What was booked already is not meant once more.
    """
    services = [str(item["service"]) for item in offered]
    booked = max((n for n, event in enumerate(tracker.events) if event.get("event") == "slot" and event.get("name") == "booked"
                  and event.get("value")), default=-1)
    said = [event for event in tracker.events[booked + 1:] if event.get("event") == "user"]
    for event in reversed(said[-LOOKED_BACK - 1:-1]):
        named = " ".join(str(e["value"]) for e in (event.get("parse_data") or {}).get("entities") or [] if e.get("entity") == "service")
        if found := pick_service(named, services):
            return found if len(found) == 1 else []
    last = (await describe_matter(api)).get("last_guide") if booked < 0 else None
    return [str(item["service"]) for item in offered if last and item.get("guide") == last][:1]


async def speaks_of_visit(say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events | None:
    """An own appointment asked about, given up or wished for, whatever the message sounded like; None for all else."""
    if await tell_own(say, tracker, api):
        return []
    if cannot_come(tracker) and await find_ended(tracker, api) == [VISIT]:
        return begin_cancelling()
    return _begin("book") if await _wishes_visit(tracker, api) else None
