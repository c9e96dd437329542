"""To which emergency ticket a cry for help belongs: the only place where this is decided, with the assistant or without it.

A second cry about one danger joins its ticket, and the desk hears of it at once. Another sort of danger, or another place, is
a ticket of its own; in doubt it is one too, since two tickets for one danger cost less than one ticket for two.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import places
from core.conversation import Conversation
from core.segment import fold
from service import danger
from ticketing import tickets
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket, Transition
from ticketing.office import Office
from ticketing.staff import Actor

SAME_DANGER = timedelta(minutes=30)
"""So long after an alarm the same resident's next cry may be about the same danger."""
BARE = 8
"""Who says no more than this beside calling for help tells of no other danger."""
_DRAFTED = "\n（此前正在反映："


@dataclass(frozen=True, slots=True)
class Cry:
    """What of a text tells one danger from another."""

    sorts: frozenset[str]
    where: dict[str, frozenset[str]]
    bare: bool
    another: bool


async def find_alarm(
    session: AsyncSession, conversation: Conversation, text: str, place: str | None, now: datetime
) -> Ticket | None:
    """His open emergency ticket about the danger he cries of now, the newest where there are several."""
    fresh = await session.scalars(
        select(Ticket)
        .where(
            Ticket.resident_id == conversation.resident_id,
            Ticket.urgency == danger.EMERGENCY,
            Ticket.state.in_(OPEN),
            Ticket.registered_at >= now - SAME_DANGER,
        )
        .order_by(Ticket.id.desc())
    )
    cry = read_cry(text, place)
    for ticket in fresh.all():
        if is_one(read_cry(await _told(session, ticket), ticket.place), cry):
            return ticket
    return None


async def join(
    session: AsyncSession, office: Office, conversation: Conversation, ticket: Ticket, text: str, now: datetime
) -> None:
    """His words go on a ticket of his, as his own."""
    resident = Actor("resident", frozenset({"resident"}), None, conversation.resident_id)
    await tickets.perform(session, office, resident, ticket.number, "supplement", {"text": text}, None, now)


def with_draft(text: str, drafted: str | None) -> str:
    """What he was telling when the danger came is not lost, and is no part of the cry."""
    return f"{text}{_DRAFTED}{drafted}）" if drafted else text


async def _told(session: AsyncSession, ticket: Ticket) -> str:
    """All that was cried so far: a place that was only said afterwards counts too."""
    added = await session.scalars(
        select(Transition.reason).where(Transition.ticket_id == ticket.id, Transition.verb == "supplement")
    )
    return "\n".join(words.partition(_DRAFTED)[0] for words in (ticket.description, *added.all()) if words)


def read_cry(text: str, place: str | None = None) -> Cry:
    """What danger a text tells of, and where. What was drafted before the danger is none of it."""
    told = text.partition(_DRAFTED)[0]
    return Cry(danger.sorts(told), _where(told, place), _is_bare(told), bool(_ANOTHER.search(fold(told))))


def is_one(before: Cry, after: Cry) -> bool:
    """Whether the second cry is about the danger of the first."""
    if after.another or _is_elsewhere(before.where, after.where):
        return False
    if not after.sorts:
        return after.bare
    # Who is hurt is hurt by what he reported; who only cried for help tells now what for.
    return after.sorts - {danger.HURT} <= before.sorts or (not before.sorts and before.bare)


_ANOTHER = re.compile(r"另一|另外一|又有?一[个栋部台辆]|还有一[个栋部台辆处](?!人|老|孩|小|女|男)|第[二三四]个地方|[旁隔]边[一那]栋|也(?:困|着火|起火|晕|倒|塌)")
_CALLS_FOR_HELP = re.compile(
    r"救(?:命|人|我们?|他|她|火|护车)?|帮|求|拜托|赶紧|马上|立刻|快|急|来|去|到|人|点|些|啊|呀|吧|了|呢|嘛|啦|的|是|就|还|都|不|没有?|我们?|你们?|他们?|她"
    r"|您|怎么|为什么|这[里边]?|那[里边]?|在|里面?|外面?|哪|真|要|死|打|叫|报警|警察|消防|喂|听|见|110|119|120|[啲嚟哋喺唔]|\W|\d")
"""What a call for help is made of: it says that something is wrong, not what."""


def _is_bare(text: str) -> bool:
    return len(_CALLS_FOR_HELP.sub("", places.without_numbers(text))) <= BARE


_NUMERAL = r"(?:\d{1,3}|[一二三四五六七八九十]{1,3})"
_ZONE = re.compile(rf"([a-z东南西北中]|{_NUMERAL})区(?![别分间域号])")
_BED = re.compile(rf"({_NUMERAL})\s*号?床")
_BLOCK = re.compile(r"住院[部楼]|门诊楼|外科楼|内科楼|行政楼|综合楼|教学楼|宿舍楼|办公楼|裙楼|东楼|西楼|南楼|北楼|[主附]楼")
_ROOM_BY_NAME = re.compile(
    r"急诊|抢救室|手术室|产房|icu|病房|候诊|(?:儿|内|外|骨|妇|产|眼|口腔|神经|皮肤|放射|检验|妇产)科|药房|门诊(?!楼)|大厅|等候区|会议室|办公室|食堂"
    r"|厕所|卫生间|洗手间|茶水间|阅览室|活动室|值班室|机房")
_EVERYWHERE = frozenset(("电梯", "楼道", "大堂", "天台"))
"""What every building has: said beside a building, they are nearer, not elsewhere."""
_LEVELS = (("names",), ("phase", "zone"), ("building", "gate", "block", "ground"), ("unit",), ("inside",), ("floor", "room_name"),
           ("room", "window"), ("bed",))
"""From wide to near; what stands on one level lies side by side."""
_ONE_IN_COMMON = frozenset(("names", "ground", "inside", "room_name"))
"""Told in many words: one in common is enough. Of numbers, none may be new."""


def _where(text: str, place: str | None) -> dict[str, frozenset[str]]:
    read = places.read(text, place)
    plain = fold(f"{text}\n{place or ''}")
    zones = frozenset(places.number_of(each) for each in _ZONE.findall(plain))
    return {
        "names": read.names, "phase": read.phase, "building": read.building, "gate": read.gate, "unit": read.unit,
        "floor": read.floor, "room": read.room, "window": read.window, "zone": zones,
        "bed": frozenset(places.number_of(each) for each in _BED.findall(plain)),
        "block": frozenset(_BLOCK.findall(plain)),
        "room_name": frozenset(_ROOM_BY_NAME.findall(plain)),
        "inside": frozenset(each for each in read.spot if each in _EVERYWHERE or each.endswith("号电梯")),
        "ground": read.spot - _EVERYWHERE - {"急诊", "门诊", "药房"} - {each for each in read.spot if each.endswith("号电梯")},
    }


def _is_elsewhere(before: dict[str, frozenset[str]], after: dict[str, frozenset[str]]) -> bool:
    """Whether the second names a place that the first does not lie in. Nothing said is no other place."""
    shared = False
    for level in _LEVELS:
        mine, theirs = {kind for kind in level if before[kind]}, {kind for kind in level if after[kind]}
        if mine and theirs and not mine & theirs:
            return True
        for kind in mine & theirs:
            if not _agrees(kind, before[kind], after[kind]):
                return True
            shared = True
    deepest, widest = _depths(before), _depths(after)
    # Nothing in common: 二单元 after 三栋 is nearer; 三栋 after 二单元 may be another house.
    return not shared and bool(deepest and widest) and min(widest) <= max(deepest)


def _depths(where: dict[str, frozenset[str]]) -> list[int]:
    return [depth for depth, level in enumerate(_LEVELS) if any(where[kind] for kind in level)]


def _agrees(kind: str, before: frozenset[str], after: frozenset[str]) -> bool:
    if kind == "names":
        return any(one in other or other in one for one in before for other in after)
    return bool(before & after) if kind in _ONE_IN_COMMON else after <= before
