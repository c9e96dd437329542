"""What is said to an office's reply: solved, not solved, a score; 没修好啊 opens the call-back whatever follows."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.booking import moment
from actions.status import ANSWERED, OPEN, meant, named_number, own_tickets
from actions.step import Events, entities_of, sentence, text_of
from actions.unsolved import AGAIN, NO, SAYS_NOT, SOLVED, TURNS, UNSOLVED, says_not_later

_AT_MOST = 120
"""A longer text tells a matter."""


async def answers_reply(say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events | None:
    """事情解决了吗 came with the reply: what answers it is the resident's own follow-up, whatever it sounded like."""
    text = text_of(tracker).strip()
    not_solved, solved = SAYS_NOT.match(text), SOLVED.fullmatch(text)
    bare, again = NO.match(text) and not TURNS.search(text), AGAIN.search(text)
    later = says_not_later(text)
    if len(text) > _AT_MOST or named_number(tracker) or not (not_solved or solved or bare or again or later):
        return None
    items = await own_tickets(api)
    replied = [item for item in items if item.get("state") in ANSWERED]
    working = [item for item in items if item.get("state") in OPEN]
    if not replied or (meant(working, text) and not meant(replied, text)):
        return None
    ticket = (meant(replied, text) or replied)[0]
    told = str(ticket.get("description") or ticket.get("title") or "")
    same = bool(again and again["what"][-1] in told)
    heard = ticket.get("state") != "followed_up" and _is_heard_last(tracker, ticket)
    later = later and heard and not _is_elsewhere(tracker, ticket)
    if not (later or (not_solved and (heard or not working)) or (same and (heard or meant([ticket], text))) or (heard and (bare or solved))):
        return None
    try:
        await follow_up(say, api, ticket, tracker, unsolved=not solved)
    except ApiError as problem:
        if problem.status == 409:
            return None
        raise
    return []


def _is_elsewhere(tracker: Tracker, ticket: dict[str, Any]) -> bool:
    """Whether a place is named that the ticket does not speak of."""
    told = f"{ticket.get('place') or ''} {ticket.get('title') or ''} {ticket.get('description') or ''}"
    places = [str(e["value"]) for e in entities_of(tracker, "place")]
    return any(not all(part in told for part in re.findall(r"\d+", place) or [place]) for place in places)


def _is_heard_last(tracker: Tracker, ticket: dict[str, Any]) -> bool:
    """Whether he has said nothing between the reply and this."""
    replied = [str(reply["approved_at"]) for reply in ticket.get("replies") or [] if reply.get("approved_at")]
    said = [str((e.get("metadata") or {}).get("received_at") or "") for e in tracker.events if e.get("event") == "user"][:-1]
    return bool(replied) and (not said or not said[-1] or moment(said[-1]) < moment(replied[-1]))


async def follow_up(
    say: CollectingDispatcher, api: Api, ticket: dict[str, Any], tracker: Tracker, unsolved: bool | None = None,
) -> None:
    """`reached` is true: it was he who wrote. Not solved, or a bad score, opens a call-back.

    `unsolved`: whether it is, where the caller knows; else the words tell.
    """
    text = text_of(tracker)
    score = score_of(text) if unsolved is None else 4 if not unsolved else None
    unsolved = bool(UNSOLVED.search(text)) if unsolved is None else unsolved
    bad = unsolved or (score is not None and score <= 2)
    if ticket.get("state") == "followed_up":
        # It was rated before: what he says now goes to a person, because there is no second rating.
        await api.post("/hand-over", {"reason": "回访后又来反映", "summary": f"{ticket['number']}：{text}"[:800]})
        say.utter_message(text=sentence("utter_rated_again", number=ticket["number"]))
        return
    body: dict[str, Any] = {"reached": True, "comment": text}
    if unsolved or score is not None:
        body["solved"] = not unsolved and (score is None or score >= 3)
    if score is not None:
        body["satisfied"] = score
    await api.post(f"/tickets/{ticket['number']}/follow_up", body)
    say.utter_message(text=sentence("utter_rated_bad" if bad else "utter_rated", number=ticket["number"]))


def score_of(text: str) -> int | None:
    """非常满意 5 … 非常不满意 1; 3分, 五星."""
    if found := re.search(r"([1-5一二三四五])\s?(?:分|星|颗星)(?!钟)", text):
        return "12345".find(found[1]) + 1 or "一二三四五".find(found[1]) + 1
    if re.search(r"满分|100分|10分|十分满意", text):
        return 5
    table = [("非常不满意|极不满意|太差|差评|很不满意|特别不满|零分|0分|垃圾", 1),
             ("不满意|不太满意|不行|不怎么样|失望|敷衍", 2), ("一般|还行|凑合|马马虎虎|中等", 3),
             ("非常满意|很满意|特别满意|十分满意|好评|超赞|点赞|太好了|完美", 5), ("满意|不错|可以|挺好|好的", 4)]
    return next((score for words, score in table if re.search(words, text)), None)
