"""The form that collects a ticket: all that is said is taken, what comes between is answered, the form goes on."""
from __future__ import annotations

from datetime import timedelta
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import ActiveLoop, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.emergency import raise_alarm
from actions.guides import about_us, answer
from actions.handover import SHORT, hand_over, reason_for_person
from actions.matter import describe_matter, keep_form, silence_before
from actions.moments import tells_when_at_home
from actions.parts import FORM_KINDS, Part, read_other, read_parts, words_of
from actions.person import asks_for_confidence, confidence_in
from actions.places import is_vague
from actions.reading import (
    FIELDS,
    KINDS,
    SKIPPED,
    asks_for_repair,
    asks_of_us,
    demands_money_plainly,
    give_up,
    has_it_asked,
    is_question,
    kind_of_slip,
    mistyped_phone,
    needed,
    only_asks,
    read,
    short,
    speaks_of_before,
    substance,
    urges_to_register,
)
from actions.replies import answers_reply
from actions.several import answer_parts, find_other, find_parts
from actions.status import say_status
from actions.step import Events, Step, channel_of, intent_of, is_here, moment_of, sentence, text_of

_BLANK = {"kind": None, "what": None, "place": None, "happened": None, "happened_at": None, "phone": None,
          "extra": None, "begin": None}
_CHATTER = {"greet": "utter_greet", "chitchat": "utter_chitchat", "thanks": "utter_thanks"}
_ASIDE = {"ask_guide", "ask_status", *_CHATTER}
HURRY = 12
"""催一下 in the middle of a form is no more than that; a longer text that presses tells something too."""
_YES, _NO = {"affirm", "greet"}, {"deny", "goodbye"}
AWAY = timedelta(hours=6)
"""Who comes back after so long may have forgotten the draft: it is offered again."""
ASKED_AT_MOST = 2
TELLS_MORE = 24
"""An answer to where or when is shorter."""
CONTEXT = 60
"""Characters of the matter that go along with a question about it."""


def blank() -> Events:
    """Nothing is left of the draft."""
    return [SlotSet(name, value) for name, value in _BLANK.items()]


def ended() -> Events:
    """The form is over and nothing of it is registered."""
    return [*blank(), SlotSet("requested_slot", None), ActiveLoop(None)]


class ReadForm(Step):
    """After each message: take all that was said, answer what comes between, and ask for what is missing."""

    def name(self) -> str:
        """Rasa finds a form's validation by this name."""
        return "validate_ticket_form"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """The first message of a form begins the draft; what ends it is looked at before it is read."""
        slots = dict(tracker.slots)
        if slots.get("kind") is None:
            return await self._begin(say, tracker, api, slots)
        leaving = await leave(say, tracker, api)
        if leaving is not None:
            return leaving
        returning = await self._come_back(say, tracker, api, slots)
        if returning is not None:
            return returning
        intent, text = intent_of(tracker), text_of(tracker)
        requested = slots.get("requested_slot")
        if asks_for_confidence(text):
            say.utter_message(text=sentence("utter_confidential_promise"))
        elif comes_between(intent, text, requested, tracker.latest_message):
            new = read(slots, tracker.latest_message, None, moment_of(tracker))
            kept = ("extra", "what") if any(tells_when_at_home(text, e) for e in _entities(tracker)) else ("extra",)
            await say_aside(say, tracker, api, "ask_guide" if asks_of_us(text) else intent)
            return await self._ask_next(say, api, slots, {name: new[name] for name in kept if name in new},
                                        tracker if intent == "urge" else None)  # Who only presses was asked in vain.
        if (found := await find_other(slots, tracker.latest_message, api)) is not None:
            other, apart = found
            what = short(words_of(tracker.latest_message, other))
            say.utter_message(text=sentence("utter_other_kept" if apart else "utter_joined", what=what))
            # What turns to something else is no answer: 另外水压也小 is not where he lives, and the question was not in vain.
            new = (read_other(slots, tracker.latest_message, other, requested, moment_of(tracker)) if apart
                   else read(slots, tracker.latest_message, None, moment_of(tracker)))
            return await self._ask_next(say, api, slots, new)
        new = read(slots, tracker.latest_message, requested, moment_of(tracker))
        if kind := kind_of_slip(text) or (KINDS.get(intent) if slots.get("what") is None else None):
            new["kind"] = kind  # Until the matter is told, the latest word says what it is.
        return await self._ask_next(say, api, slots, new, tracker)

    async def _begin(
        self, say: CollectingDispatcher, tracker: Tracker, api: Api, slots: dict[str, Any]
    ) -> Events:
        begin = slots.get("begin") or {}
        message = begin.get("message") or tracker.latest_message
        reason = reason_for_person(str(message.get("text") or ""))
        if reason and tells_nothing(message) and is_here(tracker):
            return [*await hand_over(say, tracker, api, reason), *ended()]
        if message.get("text") == text_of(tracker) and (answered := await answers_reply(say, tracker, api)) is not None:
            return [*answered, *ended()]
        kind = begin.get("kind") or KINDS.get(intent_of(tracker), "complaint")
        if kind == "complaint" and any(plainly(str(message.get("text") or "")) for plainly in (demands_money_plainly, asks_for_repair)):
            kind = "request"
        parts = await find_parts(message, api) if channel_of(tracker) != "phone" else []
        if any(part.kind in FORM_KINDS for part in parts):
            draft = read_parts(message, parts, slots, moment_of(tracker))
            await answer_parts(say, tracker, api, message, parts)
        else:
            draft = dict(_BLANK) | {"kind": kind}
            draft |= read(slots | draft, message, None, moment_of(tracker))
            if message.get("text") == text_of(tracker) and (before := question_before(tracker)) is not None:
                draft = tell_of_before(draft, before, moment_of(tracker))
                draft["kind"] = "consultation" if has_it_asked(text_of(tracker)) else kind
        first = dict(_BLANK) | {"kind": draft["kind"]}
        events = await self._ask_next(say, api, slots | first, draft, tracker)
        if events[-1]["value"] is not None:
            await keep_form(api, open=True)
            if others := (draft["extra"] or {}).get("others"):
                say.utter_message(text=sentence("utter_several", count=len(others) + 1, first=short(draft["what"])))
        return events

    async def _come_back(
        self, say: CollectingDispatcher, tracker: Tracker, api: Api, slots: dict[str, Any]
    ) -> Events | None:
        """A draft that was left lying is offered; a new matter said meanwhile waits for the answer."""
        extra, intent = dict(slots.get("extra") or {}), intent_of(tracker)
        waiting = extra.get("waiting")
        if waiting is not None or extra.get("offered"):
            extra.pop("waiting", None)
            extra.pop("offered", None)
            text = text_of(tracker)
            if waiting and (intent in _NO or any(word in text for word in ("新", "这件", "这次", "不用", "不要", "换"))):
                begin = {"message": waiting, "kind": KINDS.get((waiting.get("intent") or {}).get("name", ""), "complaint")}
                return await self._begin(say, tracker, api, slots | dict(_BLANK) | {"begin": begin})
            if intent in _NO:
                await keep_form(api, open=False)
                say.utter_message(text=sentence("utter_cancelled"))
                return ended()
            if intent in _YES or "接着" in text or "继续" in text or text.strip() in ("要", "登记", "嗯", "是"):
                return await self._ask_next(say, api, slots, {"extra": extra})
            slots["extra"] = extra
            return None
        if silence_before(tracker) < AWAY or len(_said(slots)) == 0:
            return None
        text = text_of(tracker)
        requested = slots.get("requested_slot")
        draft = str(slots.get("what") or "")[:60]
        if intent in KINDS and len(substance(text) or "") >= 6:
            extra["waiting"] = {"text": text, "intent": {"name": intent},
                                "entities": tracker.latest_message.get("entities") or []}
            say.utter_message(text=sentence("utter_draft_or_new", draft=draft),
                              buttons=[{"title": title, "payload": title} for title in ("接着登记", "登记新的")])
            return [SlotSet("extra", extra), SlotSet("requested_slot", "draft")]
        fits = {"place", "phone", "time"} if requested == "happened" else {"place", "phone"}
        if any(e["entity"] in fits for e in _entities(tracker)) and not is_question(text):
            return None
        extra["offered"] = True
        say.utter_message(text=sentence("utter_draft", draft=draft))
        if intent not in _CHATTER and comes_between(intent, text, requested, tracker.latest_message):
            await say_aside(say, tracker, api, intent)
        return await self._ask_next(say, api, slots, {"extra": extra})

    async def _ask_next(
        self, say: CollectingDispatcher, api: Api, slots: dict[str, Any], new: dict[str, Any],
        tracker: Tracker | None = None,
    ) -> Events:
        """Slots of this message, then the next question. What was asked for twice in vain is left open."""
        matter = await describe_matter(api)
        known = bool((matter.get("known") or {}).get("phone"))
        if new.get("place") == SKIPPED and is_vague(slots.get("place")):
            new = new | {"place": slots["place"], "extra": dict(new.get("extra") or slots.get("extra") or {}) | {"near_enough": True}}
        draft = slots | new
        kind, interactive = str(draft["kind"]), matter.get("interactive") is not False
        requested = slots.get("requested_slot")
        extra = dict(draft.get("extra") or {})
        missing = needed(kind, draft, known, everything=not interactive)
        if interactive and tracker is not None and requested in missing and slots.get("kind") is not None:
            asked = dict(extra.get("asked") or {})
            answering = [field for field in FIELDS if field != "what" or requested == "what"]
            in_vain = not any(new.get(field) not in (None, slots.get(field)) for field in answering) or (
                requested == "place" and is_vague(draft.get("place")))
            if in_vain:
                asked[requested] = asked.get(requested, 1) + 1
            extra["asked"] = asked
            if asked.get(requested, 0) > ASKED_AT_MOST:
                leave_open(requested, draft, new, extra)
                missing.remove(requested)
            elif requested == "phone" and mistyped_phone(text_of(tracker), _entities(tracker)):
                say.utter_message(text=sentence("utter_phone_unclear"))
            elif in_vain and requested == missing[0] and not _tells_something(tracker):
                _say_unclear(say, requested, draft, text_of(tracker))
        if not interactive:
            extra["missing"] = missing
            missing = []
        for field in FIELDS:
            if draft.get(field) is None and field not in missing:
                new.setdefault(field, SKIPPED)
                if new[field] is None:
                    new[field] = SKIPPED
        extra["last"] = next((f for f in FIELDS if f == requested and new.get(f) not in (None, SKIPPED)), extra.get("last"))
        new["extra"] = extra
        return [*(SlotSet(k, v) for k, v in new.items()), SlotSet("begin", None),
                SlotSet("requested_slot", missing[0] if missing else None)]


def question_before(tracker: Tracker) -> dict[str, Any] | None:
    """The question just answered, where what he says now is only that it be registered; None where he tells his matter."""
    said = [e.get("parse_data") or {} for e in tracker.events if e.get("event") == "user"]
    if len(said) < 2 or silence_before(tracker) >= AWAY or not speaks_of_before(text_of(tracker), _entities(tracker)):
        return None
    return said[-2] if (said[-2].get("intent") or {}).get("name") == "ask_guide" else None


def tell_of_before(draft: dict[str, Any], before: dict[str, Any], now: str) -> dict[str, Any]:
    """The draft with the matter of a question, and its place and time where none is said anew."""
    told = read(_BLANK, before, None, now)
    gained = {name: told.get(name) for name in ("place", "happened", "happened_at") if draft.get(name) is None}
    return draft | gained | {"what": "\n".join(filter(None, (told.get("what"), draft.get("what")))) or None}


def leave_open(field: str, draft: dict[str, Any], new: dict[str, Any], extra: dict[str, Any]) -> None:
    """What was asked for in vain is not asked again; a vague place is better than none."""
    if field == "place" and is_vague(draft.get("place")):
        extra["near_enough"] = True
    else:
        new[field] = SKIPPED


def _tells_something(tracker: Tracker) -> bool:
    """Whoever presses, corrects or tells more of the story did not try to answer: he is not told that he failed."""
    intent = intent_of(tracker)
    return intent in ("urge", "correct") or intent in KINDS or len(text_of(tracker)) > TELLS_MORE


def _say_unclear(say: CollectingDispatcher, field: str, draft: dict[str, Any], text: str) -> None:
    """Why the same is asked once more."""
    if urges_to_register(text):
        say.utter_message(text=sentence("utter_registering"))
    elif field == "place" and is_vague(draft.get("place")):
        say.utter_message(text=sentence("utter_place_vague", place=draft["place"]))
    elif field in ("place", "happened"):
        say.utter_message(text=sentence(f"utter_{field}_unclear"))


def _entities(tracker: Tracker) -> list[dict[str, Any]]:
    return list(tracker.latest_message.get("entities") or [])


def tells_nothing(message: dict[str, Any]) -> bool:
    """Anger or grief alone: no place, no time, and too short to hold a matter."""
    return len(str(message.get("text") or "")) <= SHORT and not any(
        e["entity"] in ("place", "time", "phone") for e in message.get("entities") or [])


def _said(slots: dict[str, Any]) -> list[str]:
    return [field for field in FIELDS if slots.get(field) not in (None, SKIPPED)]


async def leave(say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events | None:
    """What ends a form: danger first, then a person, then 算了."""
    intent, text = intent_of(tracker), text_of(tracker)
    if intent == "report_emergency":
        return [*await raise_alarm(say, tracker, api), *ended()]
    if intent == "ask_human" or reason_for_person(text, mild=False):
        return [*await hand_over(say, tracker, api, reason_for_person(text) or "居民要求人工"), *ended()]
    if only_asks(text):
        await keep_form(api, open=False)
        return [*ended(), *await answer_instead(say, tracker, api)]
    if give_up(text) or (intent == "withdraw" and confidence_in(text) is None):
        await keep_form(api, open=False)
        say.utter_message(text=sentence("utter_cancelled"))
        return ended()
    return None


async def answer_instead(say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
    """Who did not want to complain gets what the guides say of his question, else of his matter; a person is offered else."""
    for question in (text_of(tracker), in_context(tracker.slots, text_of(tracker))):
        _, events = await answer(say, tracker, api, question, ask_back=False)
        if say.messages:
            return events
    say.utter_message(text=sentence("utter_only_asked"), buttons=[{"title": "转人工", "payload": "转人工"}])
    return [SlotSet("offer", {"person": True})]


def in_context(slots: dict[str, Any], question: str) -> str:
    """要收费吗 in the form about a lamp asks about that lamp."""
    what = slots.get("what")
    return question if what in (None, SKIPPED) else f"{str(what)[:CONTEXT]}，{question}"


def comes_between(intent: str, text: str, requested: str | None, message: dict[str, Any]) -> bool:
    """A question or a greeting in the middle, unless it holds what was asked for."""
    answers = {"place": "place", "happened": "time", "phone": "phone"}.get(requested or "")
    entities = message.get("entities") or []
    if any(entity["entity"] == answers and not tells_when_at_home(text, entity) for entity in entities):
        return False
    if asks_of_us(text):
        return requested != "what"
    if intent == "urge":
        return not entities and len(text) <= HURRY and requested != "what"
    if intent in _CHATTER:
        return requested != "what" or substance(text) is None or len(text) <= 4
    return intent in _ASIDE and is_question(text) and (requested != "what" or len(text) <= 20)


async def _answer_aside(say: CollectingDispatcher, tracker: Tracker, api: Api) -> None:
    """The question as it stands, then with the form's own matter; no guide is asked back about while a form is open."""
    text = words_of(tracker.latest_message, Part(0, len(text_of(tracker)), None, "", 0.0))
    for question in dict.fromkeys((text, in_context(tracker.slots, text))):
        status, _ = await answer(say, tracker, api, question, ask_back=False)
        if say.messages:
            return
    if status == "clarify":
        say.utter_message(text=sentence("utter_aside_later"))


async def say_aside(say: CollectingDispatcher, tracker: Tracker, api: Api, intent: str) -> None:
    """Answer what came between; nothing that fails here may stop the form."""
    before = len(say.messages)
    try:
        if intent == "ask_guide":
            await _answer_aside(say, tracker, api)
        elif intent == "ask_status":
            await say_status(say, tracker, api)
    except ApiError as problem:
        say.utter_message(text=sentence("utter_when_aside" if problem.status == 404 else "utter_aside_failed"))
    if len(say.messages) == before:
        ours = about_us(text_of(tracker)) or "utter_no_guide_aside"
        say.utter_message(text=sentence({**_CHATTER, "urge": "utter_when_aside"}.get(intent, ours)))
