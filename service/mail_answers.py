"""What the answer by mail to a ticket's receipt gives: telephone, name, place, and the wish not to be known."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from channels.transcripts import Turn
from core.conversation import Resident
from service.hearing import secrecy
from service.hearing.people import NAME, find_person, find_phone
from service.hearing.voices import hear
from ticketing import residents
from ticketing.bodies import ResidentBody
from ticketing.model import Ticket

_SIGNED = re.compile(rf"(?:^|[\n。！!]\s*)(?P<it>{NAME}[\u4e00-\u9fa5]{{1,2}})\s*[。.]?\s*$")

_MINE = re.compile(r"(?:我的?|本人|联系|新)[^，。\n]{0,4}(?:电话|手机|号码)")
"""Only so another number takes the place of one that is known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found; None where it says nothing of it."""

    phone: str | None = None
    name: str | None = None
    place: str | None = None
    confidential: bool = False


def read_answer(text: str, parse: Mapping[str, Any]) -> Answer:
    """Who and on which number, by the same rules as a call; a name alone at the end is the signature. `parse`: where."""
    pieces = hear([Turn("caller", None, None, line) for line in re.split(r"[。！!\n]+", text) if line.strip()])
    phone, person = find_phone(pieces, ""), find_person(pieces)
    signed = _SIGNED.search(text)
    name = person.value if person and len(person.value) > 1 else signed["it"] if signed else None
    return Answer(phone.value if phone else None, name, _place(parse), secrecy.wants_confidence(text))


def _place(parse: Mapping[str, Any]) -> str | None:
    """The first place, with what stands beside it: 心内科 and 12床 are one."""
    said, reached = "", -1
    for entity in parse.get("entities") or []:
        if entity.get("entity") not in ("place", "department"):
            continue
        if entity["start"] == reached or not said:
            said, reached = said + str(entity["value"]), int(entity["end"])
    return said if any(entity.get("entity") == "place" and entity["value"] in said for entity in parse.get("entities") or []) else None


def place_for(ticket: Ticket, answer: Answer) -> str | None:
    """The place where the ticket has none, or one that is nearer: 心内科, then 心内科12床."""
    known = ticket.place
    return answer.place if answer.place and (known is None or (answer.place != known and answer.place.startswith(known))) else None


async def learn(session: AsyncSession, ticket: Ticket, answer: Answer, text: str) -> str:
    """Keep what was not known of the resident, and say it back; empty where there was nothing."""
    resident = await session.get_one(Resident, ticket.resident_id)
    name = answer.name if not resident.name else None
    phone = answer.phone if not resident.phone or _MINE.search(text) else None
    residents.learn(session, resident, ResidentBody(phone=phone, name=name))
    said = {"位置": place_for(ticket, answer), "联系电话": phone, "称呼": name}
    return "".join(f"\n{called}：{value}" for called, value in said.items() if value)
