"""Appointments: only free slots are offered, no time is guessed, and all is read back; move and cancel."""
from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from rasa_sdk import Tracker
from rasa_sdk.events import ActiveLoop, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.after import Withdraw
from actions.api import Api, ApiError
from actions.booking import (
    asks_free,
    choice_of,
    clock_of,
    is_dated,
    matching,
    moment,
    pick_appointment,
    pick_service,
    time_of,
    wants_soonest,
    write_time,
    write_when,
)
from actions.emergency import raise_alarm
from actions.form import say_aside
from actions.guides import SAID, answer, names_no_matter
from actions.handover import hand_over, reason_for_person
from actions.person import read_person
from actions.reading import KINDS, give_up, is_question, own_phone, reports_misconduct, substance
from actions.status import own_tickets, say_status
from actions.step import Events, Step, begins_matter, entities_of, intent_of, moment_of, sentence, text_of
from actions.visits import (
    OF_BOOKING,
    TICKET,
    VISIT,
    ask_ended,
    cannot_come,
    chosen_end,
    coming,
    find_ended,
    is_money_back,
    spoken_of,
    tell_own,
    told,
)

ACTS = {"book_appointment": "book", "move_appointment": "move", "cancel_appointment": "cancel"}
OFFERED = 4
ASKED_AT_MOST = 3
_OF_NUMBER = re.compile(r"[退改换](?:个|掉|一下)?号|号[^，。！？]{0,4}[退改换]|(?:格|的)号|挂(?:了|的|好|到)")
"""An outpatient number is none of the appointments that are kept here: the guides say how it is given back."""
_ASKS = re.compile(r"[能行可得开好][^，。！？]{0,4}[不没伐啵][？?]*$")
_KEEPS = re.compile(r"算了|[不别](?:要|用)?(?:取消|退|撤)|留着|不用了|还是[来去]")
_ENDS = re.compile(r"取消|退|撤|不要了")
_OTHERWISE = re.compile(r"改|换|[不别](?:要|用)?(?:取消|退|撤)")


class ReadAppointment(Step):
    """Each message of the appointment form. `booking` keeps the act, service, appointment and what was offered."""

    def name(self) -> str:
        """Rasa finds a form's validation by this name."""
        return "validate_appointment_form"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """What ends or interrupts comes first, then the choice, then the time."""
        booking = dict(tracker.get_slot("booking") or {})
        begun = booking.pop("begun", False)  # What is meant was settled by the action that began it.
        if not booking:
            booking = {"act": _act_of(tracker), "asked": 0}
            if booking["act"] != "book" and asks_free(text_of(tracker)) and not await coming(tracker, api):
                booking["act"] = "book"
            if (elsewhere := await self._begin(say, tracker, api, booking["act"])) is not None:
                return elsewhere
        elif begun:
            pass
        elif await _cancels_instead(tracker, api, booking["act"]):
            booking = {"act": "cancel", "asked": 0, "appointment": booking.get("appointment")}
        elif await tell_own(say, tracker, api):
            say.utter_message(text=sentence("utter_appointment_go_on"), buttons=_buttons(booking.get("labels") or []))
            return _goes_on(booking)
        elif (leaving := await self._leave(say, tracker, api, booking["act"])) is not None:
            return leaving
        elif self._comes_between(tracker):
            await say_aside(say, tracker, api, "ask_guide")
            say.utter_message(text=sentence("utter_appointment_go_on"), buttons=_buttons(booking.get("labels") or []))
            return _goes_on(booking)
        booking["who"] = _who(tracker, booking.get("who") or {})
        if booking["act"] == "cancel":
            return await self._change(say, tracker, api, booking)
        if booking["act"] == "move" and not booking.get("appointment"):
            return await self._change(say, tracker, api, booking)
        if not booking.get("service"):
            return await self._choose_service(say, tracker, api, booking)
        return await self._choose_time(say, tracker, api, booking)

    async def _begin(self, say: CollectingDispatcher, tracker: Tracker, api: Api, act: str) -> Events | None:
        """What is no booking, moving or cancelling, however it sounded."""
        if reports_misconduct(text_of(tracker)):
            return [*_over(), *begins_matter(tracker, "report")]
        if act == "cancel" and is_money_back(text_of(tracker)):
            return [*_over(), *begins_matter(tracker, "request")]
        if await tell_own(say, tracker, api):
            return _over()
        if act != "cancel" and asks_free(text_of(tracker)) and (answered := await self._answer_free(say, tracker, api)) is not None:
            return answered
        ended = await find_ended(tracker, api) if act == "cancel" else []
        if len(ended) > 1:
            return [*_over(), *ask_ended(say)]
        return [*_over(), *await Withdraw().act(say, tracker, api)] if ended == [TICKET] else None

    async def _answer_free(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events | None:
        """明天有号吗 of what is not booked here (a doctor, where the guides say how): the guides answer it."""
        offered = (await api.get("/slots/services")).get("items") or []
        if pick_service(text_of(tracker), [str(item["service"]) for item in offered]) or await spoken_of(tracker, api, offered):
            return None
        status, events = await answer(say, tracker, api, ask_back=False)
        if status == "answered":
            return [*events, *_over()]
        say.messages.clear()
        return None

    async def _leave(self, say: CollectingDispatcher, tracker: Tracker, api: Api, act: str) -> Events | None:
        intent, text = intent_of(tracker), text_of(tracker)
        if intent == "report_emergency":
            return [*await raise_alarm(say, tracker, api), *_over()]
        if intent == "ask_human" or reason_for_person(text, mild=False):
            return [*await hand_over(say, tracker, api, reason_for_person(text) or "居民要求人工"), *_over()]
        if act == "cancel":
            gives_up = bool(_KEEPS.search(text))  # 取消吧 is what he came for.
        else:
            dropped = intent == "cancel_appointment" and _ENDS.search(text) and not _OTHERWISE.search(text)
            gives_up = give_up(text) or bool(dropped) or (
                intent in ("deny", "goodbye", "cancel_appointment") and not entities_of(tracker, "time"))
        if gives_up:
            say.utter_message(text=sentence("utter_appointment_dropped"))
            return _over()
        if reports_misconduct(text):
            return [*_over(), *begins_matter(tracker, "report")]
        if intent in KINDS and not entities_of(tracker, "time") and len(substance(text) or "") >= 10:
            return [*_over(), *begins_matter(tracker, KINDS[intent])]
        return None

    def _comes_between(self, tracker: Tracker) -> bool:
        text = text_of(tracker)
        return intent_of(tracker) == "ask_guide" and is_question(text) and not entities_of(tracker, "time")

    # Which service

    async def _choose_service(
        self, say: CollectingDispatcher, tracker: Tracker, api: Api, booking: dict[str, Any]
    ) -> Events:
        free = (await api.get("/slots/services")).get("items") or []
        services = [str(item["service"]) for item in free]
        if not services:
            if not OF_BOOKING.search(text_of(tracker)) and (await answer(say, tracker, api))[0] == "answered":
                return _over()
            say.messages.clear()
            say.utter_message(text=sentence("utter_no_slots"), buttons=_buttons(["转人工"]))
            return [*_over(), SlotSet("offer", {"person": True})]
        text = text_of(tracker)
        chosen = choice_of(text, booking["labels"]) if booking.get("labels") else None
        found = [booking["labels"][chosen]] if chosen is not None else pick_service(text, services)
        if entity := _time_said(tracker, booking):
            booking["entity"] = entity
        named = [str(e["value"]) for e in entities_of(tracker, "service")]
        if len(found) != 1 and len(services) == 1 and not named:
            found = services
        if not found and not named and not booking.get("labels"):
            found = await spoken_of(tracker, api, free)
        if len(found) == 1:
            booking |= {"service": found[0], "labels": [], "asked": 0}
            return await self._choose_time(say, tracker, api, booking)
        if self._is_stuck(booking):
            return [*await hand_over(say, tracker, api, "预约没有谈成"), *_over()]
        offered = found or services
        said = "utter_service_unknown" if named and not found else "utter_ask_service"
        say.utter_message(text=sentence(said, services="、".join(offered)), buttons=_buttons(offered))
        return _goes_on(booking | {"labels": offered})

    # Which time

    async def _choose_time(
        self, say: CollectingDispatcher, tracker: Tracker, api: Api, booking: dict[str, Any]
    ) -> Events:
        offered, labels = booking.get("offered") or [], booking.get("labels") or []
        entity = _time_said(tracker, booking) or clock_of(text_of(tracker), offered)
        booking.pop("entity", None)
        chosen = choice_of(text_of(tracker), labels, timed=entity is not None) if offered and labels else None
        if chosen is not None:
            return await self._take(say, tracker, api, booking, offered[chosen])
        free = await self._free(api, booking["service"])
        if entity is None:
            return await self._offer(say, tracker, api, booking, free, "utter_ask_slot")
        if offered and not is_dated(entity):
            found = matching(offered, entity, by_clock=True) or matching(
                [s for s in free if _day(s) in {_day(o) for o in offered}], entity, by_clock=True)
        elif booking.get("day") and not is_dated(entity) and (
                same_day := matching([s for s in free if _day(s) == booking["day"]], entity, by_clock=True)):
            # 改到下午 is the afternoon of the day that was booked.
            found, entity = same_day, entity | {"from": same_day[0]["starts_at"], "to": same_day[-1]["ends_at"]}
        else:
            found = matching(free, entity)
        if found and ((len(found) == 1 and _is_exact(entity, offered)) or (offered and wants_soonest(text_of(tracker)))):
            return await self._take(say, tracker, api, booking, found[0])
        booking["heard"] = write_time(entity) if is_dated(entity) or not offered else str(entity.get("value") or "")
        if found:
            return await self._offer(say, tracker, api, booking, found, "utter_ask_slot_then")
        past = moment(entity["to"] if entity.get("to") else entity["from"]) < _now(tracker, entity)
        is_open = past or await self._is_open(api, booking["service"], entity)
        # On a day without any, the next ones: who wants to come tomorrow cannot come in an hour.
        later = [s for s in free if moment(s["starts_at"]) >= moment(entity["from"])] if not is_open else []
        near = sorted(later or free, key=lambda s: abs(moment(s["starts_at"]) - moment(entity["from"])))[:OFFERED]
        near.sort(key=lambda s: str(s["starts_at"]))
        none = "utter_slot_past" if past else "utter_slot_full" if is_open else "utter_slot_closed"
        return await self._offer(say, tracker, api, booking, near, none)

    async def _is_open(self, api: Api, service: str, entity: dict[str, Any]) -> bool:
        """Whether there is a slot at all, free or not, on the days that are meant."""
        first = moment(entity["from"]).date()
        last = max(first, (moment(entity.get("to") or entity["from"]) - timedelta(minutes=1)).date())
        return bool((await api.get(f"/slots?limit=1&service={quote(service)}&from={first}&to={last}")).get("items"))

    async def _free(self, api: Api, service: str) -> list[dict[str, Any]]:
        path = f"/slots?free=true&order=soonest&limit=200&service={quote(service)}"
        free = [s for s in (await api.get(path)).get("items") or [] if s.get("free", 1) > 0]
        return list({(s["starts_at"], s["ends_at"]): s for s in reversed(free)}.values())[::-1]  # Of two counters at one hour, one.

    async def _offer(
        self, say: CollectingDispatcher, tracker: Tracker, api: Api, booking: dict[str, Any],
        found: list[dict[str, Any]], said: str,
    ) -> Events:
        if not found:
            say.utter_message(text=sentence("utter_no_slots"), buttons=_buttons(["转人工"]))
            return [*_over(), SlotSet("offer", {"person": True})]
        if self._is_stuck(booking):
            return [*await hand_over(say, tracker, api, "预约没有谈成"), *_over()]
        shown = _spread(found)
        labels = [write_when(slot) for slot in shown]
        lines = "\n".join(f"{n}. {label}" for n, label in enumerate(labels, 1))
        say.utter_message(text=sentence(said, service=booking["service"], heard=booking.get("heard") or "", slots=lines),
                          buttons=_buttons(labels))
        keep = [{k: slot.get(k) for k in ("id", "service", "starts_at", "ends_at")} for slot in shown]
        return _goes_on(booking | {"offered": keep, "labels": labels})

    async def _take(
        self, say: CollectingDispatcher, tracker: Tracker, api: Api, booking: dict[str, Any], slot: dict[str, Any]
    ) -> Events:
        """Book it or move to it; who was quicker has it, and the next free ones are offered."""
        try:
            if booking["act"] == "move":
                made = await api.post(f"/appointments/{booking['appointment']}/move", {"slot": slot["id"]})
            else:
                made = await api.post("/appointments", {"slot": slot["id"]} | ({"resident": booking["who"]} if booking.get("who") else {}))
        except ApiError as problem:
            if problem.status != 409:
                raise
            if problem.reason in ("limit", "no_shows", "not_booked", "started", "same_slot"):
                say.utter_message(text=sentence(f"utter_appointment_{problem.reason}"))
                return _over()
            free = await self._free(api, booking["service"])
            return await self._offer(say, tracker, api, booking, free, "utter_slot_taken")
        said = "utter_appointment_moved" if booking["act"] == "move" else "utter_appointment_booked"
        say.utter_message(text=sentence(said, number=made.get("number") or made.get("id"), **told(slot | made)))
        await self._keep_guide(api, booking["service"])
        return [*_over(), SlotSet("booked", booking["service"])]

    async def _keep_guide(self, api: Api, service: str) -> None:
        """要空腹不 after booking is about what was booked. A failure costs that, no more."""
        try:
            offered = (await api.get("/slots/services")).get("items") or []
            guide = next((item.get("guide") for item in offered if item["service"] == service), None)
            if guide:
                await api.post("/matter", {"last_guide": guide}, ordinal=90)
        except ApiError:
            return

    # Which appointment

    async def _change(
        self, say: CollectingDispatcher, tracker: Tracker, api: Api, booking: dict[str, Any]
    ) -> Events:
        text = text_of(tracker)
        items = await coming(tracker, api)
        if not items:
            if (otherwise := await self._not_booked(say, tracker, api, booking)) is not None:
                return otherwise
            say.utter_message(text=sentence("utter_no_appointment"))
            return _over()
        chosen = choice_of(text, booking["labels"]) if booking.get("labels") else None
        found = [i for i in items if i["id"] == booking["candidates"][chosen]] if chosen is not None else pick_appointment(text, items)
        found = [item for item in items if item["id"] == booking.get("appointment")] or found
        if booking["act"] == "cancel" and len(found) > 1 and (entity := time_of(tracker.latest_message.get("entities") or [])):
            found = matching(found, entity) or found
        if len(found) != 1:
            if self._is_stuck(booking):
                return [*await hand_over(say, tracker, api, "没有分清是哪个预约"), *_over()]
            shown = (found or items)[:OFFERED]
            labels = [f"{item['service']} {write_when(item)}" for item in shown]
            say.utter_message(text=sentence("utter_which_appointment"), buttons=_buttons(labels))
            return _goes_on(booking | {"labels": labels, "candidates": [item["id"] for item in shown],
                                       "entity": time_of(tracker.latest_message.get("entities") or [])})
        item = found[0]
        if booking["act"] == "move":
            booking |= {"appointment": item["id"], "service": item["service"], "labels": [], "asked": 0, "day": _day(item)}
            return await self._choose_time(say, tracker, api, booking)
        try:
            await api.post(f"/appointments/{item['id']}/cancel", {})
        except ApiError as problem:
            if problem.status != 409:
                raise
            say.utter_message(text=sentence("utter_appointment_started"))
            return _over()
        say.utter_message(text=sentence("utter_appointment_cancelled", service=item["service"], when=write_when(item),
                                        number=item.get("number") or item["id"]))
        return _over()

    async def _not_booked(
        self, say: CollectingDispatcher, tracker: Tracker, api: Api, booking: dict[str, Any]
    ) -> Events | None:
        """Who has no appointment and speaks of none means his ticket, or the matter he asked about: 那礼拜六能办不."""
        text = text_of(tracker)
        asks = is_question(text) or bool(_ASKS.search(text))
        if not (asks or _OF_NUMBER.search(text)):
            return None
        # 养老金打进来了，要不要退回去 gives up no appointment: what names a matter is asked of the guides.
        if booking["act"] == "move" or OF_BOOKING.search(text) or _OF_NUMBER.search(text) or not names_no_matter(text):
            status, events = await answer(say, tracker, api, ask_back=booking["act"] == "move" and asks and not OF_BOOKING.search(text))
            if say.messages and (status in SAID or asks):
                return [*events, *_over()]
            say.messages.clear()
        if asks and not OF_BOOKING.search(text) and await own_tickets(api):
            await say_status(say, tracker, api)
            return _over()
        return None

    @staticmethod
    def _is_stuck(booking: dict[str, Any]) -> bool:
        """Nobody is asked for ever: after some questions without an answer a person arranges it."""
        booking["asked"] = int(booking.get("asked") or 0) + 1
        return bool(booking["asked"] > ASKED_AT_MOST)


def _act_of(tracker: Tracker) -> str:
    """What is wanted, by the intent; who cannot come, or was asked what to cancel, cancels."""
    cancels = cannot_come(tracker) or chosen_end(tracker) == VISIT
    return "cancel" if cancels else ACTS.get(intent_of(tracker), "book")


async def _cancels_instead(tracker: Tracker, api: Api, act: str) -> bool:
    """去不了了，帮我取消 in the middle of moving, 算了，取消掉 too. 算了 alone and 不改了 leave the appointment as it is.

    In the middle of booking only of who has one, and names it by the word or the day: 取消吧 drops what he was about to book.
    """
    text = text_of(tracker)
    if act == "cancel" or _OTHERWISE.search(text) or is_question(text):
        return False
    if act == "move":
        return bool(_ENDS.search(text)) or cannot_come(tracker)
    if not (_ENDS.search(text) or cannot_come(tracker)):
        return False
    time, items = time_of(entities_of(tracker, "time")), await coming(tracker, api)
    return bool(items and (OF_BOOKING.search(text) or (time and matching(items, time))))


def _who(tracker: Tracker, known: dict[str, Any]) -> dict[str, Any]:
    """Name, telephone and for whom he comes, from whichever message of the booking says so."""
    text, entities = text_of(tracker), list(tracker.latest_message.get("entities") or [])
    said = read_person(text, entities, {name: known[name] for name in ("name", "on_behalf_of") if name in known})
    who = {"phone": own_phone(text, entities) or known.get("phone"), "name": said.get("name"), "on_behalf_of": said.get("on_behalf_of")}
    return {name: value for name, value in who.items() if value}


def _spread(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A few of them: one of each half-day first, so that there is a choice, then the soonest."""
    first = {(_day(slot), moment(slot["starts_at"]).hour < 13): slot for slot in reversed(found)}
    shown = sorted(first.values(), key=lambda slot: str(slot["starts_at"]))[:OFFERED]
    shown += [slot for slot in found if slot not in shown][:OFFERED - len(shown)]
    return sorted(shown, key=lambda slot: str(slot["starts_at"]))


def _day(slot: dict[str, Any]) -> str:
    return moment(slot["starts_at"]).date().isoformat()


def _time_said(tracker: Tracker, booking: dict[str, Any]) -> dict[str, Any] | None:
    """The time of this message, on the day that was said before the service was known."""
    kept = [booking["entity"]] if booking.get("entity") else []
    return time_of([*kept, *(tracker.latest_message.get("entities") or [])])


def _is_exact(entity: dict[str, Any], offered: list[dict[str, Any]]) -> bool:
    """A clock time, or the only one left of those that were offered: that is a choice. A mere day is not."""
    return entity["from"] == (entity.get("to") or entity["from"]) or bool(offered)


def _now(tracker: Tracker, entity: dict[str, Any] | None = None) -> Any:
    said = moment_of(tracker)
    return moment(said) if said else moment((entity or {}).get("from") or "2000-01-01T00:00:00+08:00")


def _buttons(labels: list[str]) -> list[dict[str, str]]:
    return [{"title": label, "payload": label} for label in labels]


def _goes_on(booking: dict[str, Any]) -> Events:
    return [SlotSet("booking", booking), SlotSet("requested_slot", "appointment")]


def _over() -> Events:
    return [SlotSet("booking", None), SlotSet("requested_slot", None), ActiveLoop(None)]
