"""After the ticket: progress, urging, supplement, correction, withdrawal, rating, 还没修好."""
from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.guides import answer, insists_in_vain
from actions.handover import Speaking, hand_over, reason_for_person
from actions.matter import describe_matter
from actions.moments import read_back, when_anew
from actions.person import confidence_in, own_name, wants_confidence
from actions.places import corrected_place
from actions.reading import is_question, own_phone, substance
from actions.replies import follow_up
from actions.slips import meant_ones, puts_right
from actions.status import (
    ANSWERED,
    LISTED,
    OPEN,
    asked_ticket,
    describe,
    meant,
    named_number,
    own_ticket,
    own_tickets,
    say_status,
)
from actions.step import Events, begins_matter, moment_of, sentence, text_of
from actions.unsolved import UNSOLVED, says_not_later
from actions.visits import VISIT, ask_ended, begin_cancelling, chosen_end, find_ended

ZONE = timezone(timedelta(hours=8))
_TAKES_BACK = re.compile(r"撤|取消|作废|收回|结案|算了|[不别甭]用?再?(?:来|修|管|查|处理|投诉|反映)[^，。！？]{0,4}了")
_GOES_ON = re.compile(r"(?<!不)(?<!不[想用要必再])(?<!别)(?:继续|接着)|[别不](?:要|能|可以)?(?:撤|取消|关|结案)")
PLAINLY = 0.75
"""Of the messages in the test sets that were rightly taken for a withdrawal all are surer than this, of the others none: what
is not, and says no word of it, is asked about, for it cannot be undone."""
TOLD = 20
"""Who has no ticket and says so much tells a new matter, whatever it sounds like."""


def tells_matter(tracker: Tracker) -> bool:
    """Long enough to be a matter, and no ticket is named."""
    return named_number(tracker) is None and len(substance(text_of(tracker)) or "") >= TOLD


_ASKS = re.compile(r"(?:咋|怎么|多少|几|哪|啥|什么)|[能行可得好][^，。！？]{0,6}[不没伐][？?]*$")
_OF_TICKETS = re.compile(r"工单|投诉|反映|报修|举报|进度|我的(?:建议|事)|单子|HY\d|受理|撤|催|结果")


async def answered_instead(say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events | None:
    """剩下的咋退 of who has no ticket asks the guides, whatever it sounded like; None where they do not know."""
    text = text_of(tracker)
    if named_number(tracker) or _OF_TICKETS.search(text) or not (is_question(text) or _ASKS.search(text)):
        return None
    status, events = await answer(say, tracker, api, ask_back=False)
    if insists_in_vain(say, tracker):
        say.messages.clear()
        return await hand_over(say, tracker, api, "同一问题问了两遍")
    if status == "answered":
        return events
    say.messages.clear()
    return None


class Status(Speaking):
    """Where a ticket stands."""

    def name(self) -> str:
        """By number or by who asks."""
        return "action_status"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """State in plain words; without a ticket, what a person settled, else a matter that only sounds like one."""
        try:
            await say_status(say, tracker, api)
        except ApiError as problem:
            if problem.status != 404:
                raise
            if (answered := await answered_instead(say, tracker, api)) is not None:
                return answered
            if tells_matter(tracker):
                return begins_matter(tracker)
            if reason := reason_for_person(text_of(tracker)):
                return await hand_over(say, tracker, api, reason)
            settled = (await describe_matter(api)).get("settled")
            if not settled or named_number(tracker):
                raise
            say.utter_message(text=sentence("utter_settled", settled=settled))
        return []


class TicketVerb(Speaking):
    """One verb on the resident's own ticket, said back in one sentence."""

    verb = said = ""
    states: tuple[str, ...] = OPEN

    def name(self) -> str:
        """Named after its verb."""
        return f"action_{self.verb}"

    def body(self, tracker: Tracker) -> dict[str, Any]:
        """What the verb carries."""
        return {}

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Find the ticket, then one POST; a state in which it cannot be is said as it is."""
        try:
            ticket = await self.find(tracker, api)
        except ApiError as problem:
            if problem.status == 404 and (answered := await answered_instead(say, tracker, api)) is not None:
                return answered
            if problem.status == 404 and tells_matter(tracker):
                return begins_matter(tracker)
            if problem.status == 404 and (reason := reason_for_person(text_of(tracker))):
                return await hand_over(say, tracker, api, reason)
            raise
        try:
            await self.do(say, tracker, api, ticket)
        except ApiError as problem:
            if problem.status != 409:
                raise
            say.utter_message(text=sentence("utter_not_now", number=ticket["number"],
                                            state_text=ticket.get("state_text") or ""))
        return []

    async def find(self, tracker: Tracker, api: Api) -> dict[str, Any]:
        """The ticket it is about; 404 where there is none."""
        return await own_ticket(tracker, api, self.states)

    async def do(self, say: CollectingDispatcher, tracker: Tracker, api: Api, ticket: dict[str, Any]) -> None:
        """The verb itself."""
        await api.post(f"/tickets/{ticket['number']}/{self.verb}", self.body(tracker))
        say.utter_message(text=sentence(self.said, number=ticket["number"]))


class Urge(TicketVerb):
    """催办: once a day it raises attention; more often it is not counted again."""

    verb, said = "urge", "utter_urged"

    async def do(self, say: CollectingDispatcher, tracker: Tracker, api: Api, ticket: dict[str, Any]) -> None:
        """Once a day."""
        if ticket.get("state") in ANSWERED and UNSOLVED.search(text_of(tracker)):
            await follow_up(say, api, ticket, tracker)
            return
        if urged_today(ticket, moment_of(tracker)):
            say.utter_message(text=sentence("utter_urged_today", number=ticket["number"],
                                            promise=ticket.get("promise") or ""))
            return
        await super().do(say, tracker, api, ticket)


def urged_today(ticket: dict[str, Any], moment: str) -> bool:
    """Whether this ticket was urged on the day of this message (both are written with the office's offset)."""
    days = [str(row.get("at") or "")[:10] for row in ticket.get("transitions") or [] if row.get("verb") == "urge"]
    return moment_day(moment) in days


def moment_day(moment: str) -> str:
    """The day of a moment in the office's time."""
    try:
        return datetime.fromisoformat(moment).astimezone(ZONE).date().isoformat()
    except ValueError:
        return "-"


class Supplement(TicketVerb):
    """补充."""

    verb, said = "supplement", "utter_supplemented"

    async def find(self, tracker: Tracker, api: Api) -> dict[str, Any]:
        """What the office asked for may have a number of its own: 付款截图一张，单子上是BY20261108-36."""
        return await asked_ticket(tracker, api) or await super().find(tracker, api)

    async def do(self, say: CollectingDispatcher, tracker: Tracker, api: Api, ticket: dict[str, Any]) -> None:
        """The resident's own words; 没修好 after the reply is no supplement."""
        if not await _opens_again(say, tracker, api, ticket):
            await supplement(say, tracker, api, ticket, self.said)


class Correct(Supplement):
    """不对，是6栋 after the receipt. There is no verb of that name; a correction supplements, and says the values anew."""

    verb, said = "correct", "utter_corrected"

    async def do(self, say: CollectingDispatcher, tracker: Tracker, api: Api, ticket: dict[str, Any]) -> None:
        """The words, and the values that they hold."""
        if not await _opens_again(say, tracker, api, ticket):
            await supplement(say, tracker, api, ticket, self.said, corrects=True)


async def _opens_again(say: CollectingDispatcher, tracker: Tracker, api: Api, ticket: dict[str, Any]) -> bool:
    """Whether it was a word about an answered ticket, that it is not solved: then it is the follow-up."""
    text = text_of(tracker)
    if ticket.get("state") not in ANSWERED or not (UNSOLVED.search(text) or says_not_later(text)):
        return False
    await follow_up(say, api, ticket, tracker, unsolved=True)
    return True


async def supplement(
    say: CollectingDispatcher, tracker: Tracker, api: Api, ticket: dict[str, Any], said: str = "utter_supplemented",
    *, corrects: bool = False,
) -> None:
    """More for an open ticket, with the right values where those it has were wrong; a telephone number is where he wants to be called."""
    text, entities = text_of(tracker), list(tracker.latest_message.get("entities") or [])
    values, told = corrected_values(ticket, text, entities, moment_of(tracker)) if corrects or puts_right(text) else ({}, [])
    await api.post(f"/tickets/{ticket['number']}/supplement", {"text": text} | values)
    own = {"phone": own_phone(text, entities), "name": own_name(text, entities)}
    if about_him := {name: value for name, value in own.items() if value}:
        await api.post("/matter", about_him)
        told += [f"{_CALLED[name]}记为“{value}”" for name, value in about_him.items()]
    if wants_confidence(text):
        await api.post("/matter", {"confidential": True})
        said, told = "utter_confidential_now", []
    elif ticket.get("confidential") and confidence_in(text) is False:
        said, told = "utter_confidential_stays", []  # Officers would read who he is at once: a person asks him first.
    if told:
        said = "utter_values_corrected" if values else "utter_values_added"
    say.utter_message(text=sentence(said, number=ticket["number"], values="，".join(told)))


_CALLED = {"phone": "联系电话", "name": "称呼"}


def corrected_values(
    ticket: dict[str, Any], text: str, entities: list[dict[str, Any]], now: str
) -> tuple[dict[str, Any], list[str]]:
    """What a correction changes on the ticket, and how each is said."""
    meant = meant_ones(text, entities)
    values, told = {}, []
    if place := corrected_place(ticket.get("place"), text, meant):
        values["place"] = place
        told.append(f"位置改为“{place}”")
    when = when_anew(text, meant, now)
    if when and when["happened_at"] != ticket.get("happened_at"):
        values["happened_at"] = when["happened_at"]
        told.append(f"发生时间改为“{read_back(when['happened'], when['happened_at'])}”")
    return values, told


class Withdraw(TicketVerb):
    """撤回."""

    verb, said = "withdraw", "utter_withdrawn"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Of several that are open none is taken back by guess, nor a ticket where an appointment is meant."""
        ended = await find_ended(tracker, api)
        if len(ended) > 1:
            return ask_ended(say)
        if ended == [VISIT]:
            return begin_cancelling()
        if not takes_back(tracker):
            return await self._ask(say, tracker, api)
        if (sure := await self.asked_about(tracker, api)) is not None:
            await self.do(say, tracker, api, sure)
            return [SlotSet("offer", None)]
        if named_number(tracker) is None:
            open_ones = [item for item in await own_tickets(api) if item.get("state") in OPEN]
            if len(open_ones) > 1 and len(meant(open_ones, text_of(tracker))) != 1:
                labels = [f"撤回 {item['number']}" for item in open_ones[:LISTED]]
                lines = "\n".join(f"{item['number']}（{item.get('title') or ''}）" for item in open_ones[:LISTED])
                say.utter_message(text=sentence("utter_which_ticket", tickets=lines),
                                  buttons=[{"title": label, "payload": label} for label in labels])
                return [SlotSet("offer", {"withdraw": [item["number"] for item in open_ones[:LISTED]]})]
        return [*await super().act(say, tracker, api), SlotSet("offer", None)]

    @staticmethod
    async def asked_about(tracker: Tracker, api: Api) -> dict[str, Any] | None:
        """The one ticket of which it was just asked whether he takes it back."""
        numbers = (tracker.get_slot("offer") or {}).get("withdraw") or []
        if len(numbers) != 1 or named_number(tracker) not in (None, *numbers):
            return None
        return next((item for item in await own_tickets(api) if item["number"] in numbers), None)

    async def _ask(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Who wants it to go on hears where it stands; else it is asked whether he takes it back."""
        try:
            ticket = await own_ticket(tracker, api, self.states)
        except ApiError as problem:
            if problem.status == 404 and tells_matter(tracker):
                return begins_matter(tracker)
            raise
        if _GOES_ON.search(text_of(tracker)) or ticket.get("state") not in OPEN:
            say.utter_message(text=describe(ticket))
            return []
        say.utter_message(text=sentence("utter_withdraw_sure", number=ticket["number"], title=ticket.get("title") or ""),
                          buttons=[{"title": label, "payload": label} for label in (f"撤回 {ticket['number']}", "不撤回")])
        return [SlotSet("offer", {"withdraw": [ticket["number"]]})]

    def body(self, tracker: Tracker) -> dict[str, Any]:
        """The words are the reason."""
        return {"reason": text_of(tracker)}


def takes_back(tracker: Tracker) -> bool:
    """Whether the words take something back: said, chosen where it was asked, or beyond doubt what the message is for."""
    text, intent = text_of(tracker), tracker.latest_message.get("intent") or {}
    if _GOES_ON.search(text):
        return False
    if chosen_end(tracker) or (tracker.get_slot("offer") or {}).get("withdraw"):
        return True
    return bool(_TAKES_BACK.search(text)) or (
        intent.get("name") in ("withdraw", "cancel_appointment") and float(intent.get("confidence") or 0) >= PLAINLY)


class Rate(TicketVerb):
    """满意度 and 还没修好: after a reply the resident's own follow-up; before it, the words go to who works on it."""

    verb, said = "rate", "utter_rated"
    states = ANSWERED

    async def do(self, say: CollectingDispatcher, tracker: Tracker, api: Api, ticket: dict[str, Any]) -> None:
        """A rating of what was not answered yet is a word to the department."""
        if ticket.get("state") in OPEN:
            said = "utter_not_answered_yet" if UNSOLVED.search(text_of(tracker)) else "utter_rate_later"
            await api.post(f"/tickets/{ticket['number']}/supplement", {"text": text_of(tracker)})
            say.utter_message(text=sentence(said, number=ticket["number"], promise=ticket.get("promise") or ""))
            return
        await follow_up(say, api, ticket, tracker)
