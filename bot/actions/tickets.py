"""Tickets: the form that collects them, the receipt, and what residents do with them afterwards."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecutionRejected, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.reading import KINDS, SKIPPED, give_up, is_question, needed, read
from actions.step import Events, Step, entities_of, sentence, text_of

_BLANK = {"kind": None, "what": None, "place": None, "happened": None, "happened_at": None, "phone": None, "extra": None}
_LEAVES = {"ask_human", "report_emergency"}
_ASIDE = {"ask_guide", "ask_status", "greet", "chitchat", "thanks"}
_NAMES = {"what": "具体情况", "place": "位置", "happened": "发生时间", "phone": "联系电话"}
_URGENT = re.compile(r"老人|孩子.{0,6}(?:发烧|危险)|马上|立刻|紧急|急[!！。]|爆管|喷水|停电|停水|漏电|触电|砸到|坠落|掉下来|堵死")


def blank() -> Events:
    """Nothing is left of the draft."""
    return [SlotSet(name, value) for name, value in _BLANK.items()]


class ReadForm(Step):
    """After each message: take all that was said, then decide whether the form goes on or something comes between."""

    def name(self) -> str:
        """Rasa finds a form's validation by this name."""
        return "validate_ticket_form"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Slots of this message, then the next question; Rasa calls again after an interruption."""
        slots = dict(tracker.slots)
        message = tracker.latest_message
        starts = slots.get("kind") is None
        if slots.get("read_message") == api.message:
            if starts:   # Given up in this very turn.
                return [SlotSet("read_message", api.message), SlotSet("requested_slot", None)]
            return await self._ask_next(api, slots, {})
        intent = (message.get("intent") or {}).get("name")
        new: dict[str, Any] = {"read_message": api.message}
        if starts:
            new |= dict(_BLANK) | {"kind": KINDS.get(intent or "", "complaint")}
        if not starts and (give_up(text_of(tracker)) or intent == "withdraw"):
            return [*blank(), SlotSet("read_message", api.message), SlotSet("requested_slot", None)]
        requested = None if starts else slots.get("requested_slot")
        aside = not starts and comes_between(intent, text_of(tracker), requested, message)
        new |= read(slots | new, message, None if aside else requested)
        if aside:
            return [SlotSet(k, v) for k, v in new.items()] + [ActionExecutionRejected("ticket_form")]
        return await self._ask_next(api, slots | new, new)

    async def _ask_next(self, api: Api, slots: dict[str, Any], new: dict[str, Any]) -> Events:
        try:
            matter = await api.get("/matter")
        except ApiError:
            matter = {}
        missing = needed(slots["kind"], slots, bool((matter.get("known") or {}).get("phone")))
        if matter.get("interactive") is False:
            new["extra"] = dict(slots.get("extra") or {}) | {"missing": missing}
            missing = []
        for slot in ("what", "place", "happened", "phone"):
            if slot not in missing and slots.get(slot) is None:
                new[slot] = SKIPPED
        return [SlotSet(k, v) for k, v in new.items()] + [SlotSet("requested_slot", missing[0] if missing else None)]


def comes_between(intent: str | None, text: str, requested: str | None, message: dict[str, Any]) -> bool:
    """A person or an emergency always; a question only when it does not answer what was asked."""
    if intent in _LEAVES:
        return True
    answers = {"place": "place", "happened": "time", "phone": "phone"}.get(requested or "")
    if any(entity["entity"] == answers for entity in message.get("entities", [])) or requested == "what":
        return False
    return intent in _ASIDE and (intent not in {"ask_guide", "ask_status"} or is_question(text))


class Register(Step):
    """The complete draft becomes a ticket, and the resident gets one receipt."""

    def name(self) -> str:
        """Runs when the form is complete."""
        return "action_register"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """One POST /tickets, one message."""
        slots = dict(tracker.slots)
        if slots.get("kind") is None:
            say.utter_message(text=sentence("utter_cancelled"))
            return blank()
        ticket = await api.post("/tickets", body_of(slots))
        say.utter_message(text=receipt(slots, ticket))
        return blank()


def body_of(slots: dict[str, Any]) -> dict[str, Any]:
    """The ticket as the API wants it; what was not said is left out."""
    extra = slots.get("extra") or {}
    said = {k: slots.get(k) for k in ("what", "place", "happened_at", "phone") if slots.get(k) not in (None, SKIPPED)}
    what = said.get("what", "")
    if slots.get("happened") not in (None, SKIPPED) and not said.get("happened_at"):
        what = f"{what}（发生时间：{slots['happened']}）"
    resident = {"phone": said.get("phone"), "name": extra.get("name"), "on_behalf_of": extra.get("on_behalf_of")}
    body = {"kind": slots.get("kind") or "complaint", "description": what or "（未说明）", "place": said.get("place"),
            "happened_at": said.get("happened_at"), "confidential": extra.get("confidential"),
            "anonymous": extra.get("anonymous") or None, "urgency": "urgent" if _URGENT.search(what) else None}
    return {k: v for k, v in body.items() if v is not None} | {
        "resident": {k: v for k, v in resident.items() if v is not None}}


def receipt(slots: dict[str, Any], ticket: dict[str, Any]) -> str:
    """Number, promise, way to follow it, and everything read back once."""
    extra = slots.get("extra") or {}
    lines = [f"\n{_NAMES[k]}：{slots[k]}" for k in ("place", "happened", "phone") if slots.get(k) not in (None, SKIPPED)]
    lines += ["\n匿名处理，不留您的信息。"] if extra.get("anonymous") else []
    lines += ["\n已按保密件登记。"] if extra.get("confidential") else []
    missing = "、".join(_NAMES[name] for name in extra.get("missing") or [])
    return sentence(
        "utter_receipt", number=ticket["number"], promise=ticket.get("promise", ""), code=ticket.get("code", ""),
        what=slots.get("what") if slots.get("what") != SKIPPED else "（未说明）", details="".join(lines),
        missing=sentence("utter_missing", missing=missing) if missing else "")


async def own_ticket(tracker: Tracker, api: Api) -> dict[str, Any]:
    """The ticket that was named, else the resident's newest; 404 when there is none."""
    named = entities_of(tracker, "ticket_number")
    if named:
        return await api.get("/tickets/" + re.sub(r"\s", "", named[0]["value"]).upper())
    items = (await api.get("/tickets?limit=5")).get("items", [])
    if not items:
        raise ApiError(404)
    return dict(items[0])


class Status(Step):
    """Where a ticket stands."""

    def name(self) -> str:
        """By number or by who asks."""
        return "action_status"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """State in plain words."""
        ticket = await own_ticket(tracker, api)
        say.utter_message(text=sentence(
            "utter_status", number=ticket["number"], title=ticket.get("title") or "",
            state_text=ticket.get("state_text") or ticket.get("state", "")))
        return []


class TicketVerb(Step):
    """One verb on the resident's own ticket, said back in one sentence."""

    verb = said = ""

    def name(self) -> str:
        """Named after its verb."""
        return f"action_{self.verb}"

    def body(self, tracker: Tracker) -> dict[str, Any]:
        """What the verb carries."""
        return {}

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Find the ticket, then one POST."""
        number = (await own_ticket(tracker, api))["number"]
        await api.post(f"/tickets/{number}/{self.path()}", self.body(tracker))
        say.utter_message(text=sentence(self.said, number=number))
        return []

    def path(self) -> str:
        """The verb of the API."""
        return self.verb


class Urge(TicketVerb):
    """催办."""

    verb, said = "urge", "utter_urged"


class Supplement(TicketVerb):
    """补充."""

    verb, said = "supplement", "utter_supplemented"

    def body(self, tracker: Tracker) -> dict[str, Any]:
        """The resident's own words."""
        return {"text": text_of(tracker)}


class Correct(Supplement):
    """不对，是6栋 after the receipt: the correction goes to the ticket."""

    verb = "correct"

    def path(self) -> str:
        """There is no verb of that name; a correction supplements."""
        return "supplement"


class Withdraw(TicketVerb):
    """撤回."""

    verb, said = "withdraw", "utter_withdrawn"

    def body(self, tracker: Tracker) -> dict[str, Any]:
        """The words are the reason."""
        return {"reason": text_of(tracker)}


class Rate(TicketVerb):
    """满意度: a score from words or digits, and the words themselves."""

    verb, said = "rate", "utter_rated"

    def path(self) -> str:
        """A rating is the resident's own follow-up."""
        return "follow_up"

    def body(self, tracker: Tracker) -> dict[str, Any]:
        """`reached` is true: it was he who wrote."""
        text = text_of(tracker)
        score, solved = score_of(text), not re.search(r"没(?:有)?(?:解决|修好|处理)|还是|又", text)
        return {"reached": True, "solved": solved, "comment": text} | ({"satisfied": score} if score else {})


def score_of(text: str) -> int | None:
    """非常满意 5 … 非常不满意 1; 3分, 五星."""
    if found := re.search(r"([1-5一二三四五])\s?(?:分|星|颗星)", text):
        return "12345".find(found[1]) + 1 or "一二三四五".find(found[1]) + 1
    table = [("非常不满意|极不满意|太差|差评|很不满意", 1), ("不满意|不太满意|不行|没解决|没修好", 2), ("一般|还行|凑合", 3),
             ("非常满意|很满意|特别满意|十分满意|好评", 5), ("满意|不错|可以", 4)]
    return next((score for words, score in table if re.search(words, text)), None)
