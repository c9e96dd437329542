"""What is true today only (停水, 停诊): put up, found for a question and a place, gone by itself."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import places
from core.errors import Invalid, NotFound
from core.segment import fold, terms
from knowledge_base.asking import asking
from knowledge_base.guide import PRESETS
from knowledge_base.shelf import synonyms
from knowledge_base.tables import Notice


async def put_up(session: AsyncSession, preset: str, title: str, text: str, where: Sequence[str],
                 valid_from: datetime, valid_to: datetime, by: str, now: datetime) -> Notice:
    """A notice that answers from `valid_from` until before `valid_to`; nowhere named means everywhere."""
    if preset not in PRESETS:
        raise Invalid(f"preset 应当是 {'、'.join(PRESETS)} 之一", "preset")
    if not title.strip() or not text.strip():
        raise Invalid("标题和内容都要写", "text" if title.strip() else "title")
    if valid_to <= valid_from:
        raise Invalid("结束时间应当晚于开始时间", "valid_to")
    if valid_to <= now:
        raise Invalid("结束时间已经过去，请改为将来的时间", "valid_to")
    notice = Notice(preset=preset, title=title.strip(), text=text.strip(),
                    places=[place.strip() for place in where if place.strip()],
                    valid_from=valid_from, valid_to=valid_to, created_at=now, created_by=by)
    session.add(notice)
    await session.flush()
    return notice


async def withdraw(session: AsyncSession, notice_id: int, by: str, now: datetime) -> Notice:
    """Take a notice down before its time; a second time changes nothing."""
    notice = await session.get(Notice, notice_id)
    if notice is None:
        raise NotFound("没有这条通知")
    if notice.withdrawn_at is None:
        notice.withdrawn_at, notice.withdrawn_by = now, by
    return notice


async def in_force(session: AsyncSession, preset: str, now: datetime) -> list[Notice]:
    """The notices that are true now, newest first."""
    found = await session.scalars(select(Notice).where(
        Notice.preset == preset, Notice.valid_from <= now, Notice.valid_to > now, Notice.withdrawn_at.is_(None),
    ).order_by(Notice.id.desc()))
    return list(found)


def fits(notice: Notice, question: str, place: str | None) -> bool:
    """Whether a notice answers this question at this place.

    The place fits when the notice is for everywhere, when the resident's place or the question names one of its
    places, or when nothing is known about where the resident is. The question fits when it shares a telling
    word with the notice's title, synonyms counted.
    """
    said, asked = fold(f"{place or ''} {question}"), places.read(place, question)
    somewhere = not notice.places or any(_is_there(each, said, asked) for each in notice.places)
    if not somewhere and (place or asked.building or asked.unit):
        return False
    return bool(_telling(question) & _telling(notice.title))


def _is_there(where: str, said: str, asked: places.Place) -> bool:
    """Whether the place is named, in whatever form; 13栋 does not name 3栋, though the letters stand in it."""
    agreement = places.compare(places.read(where), asked)
    return agreement == places.Agreement.SAME or (agreement == places.Agreement.UNKNOWN and fold(where) in said)


def _telling(text: str) -> set[str]:
    plain = fold(text)
    said = [text] + [other for word, others in synonyms().items() if word in plain for other in others]
    dull = set(asking()["empty"]) | {"通知", "公告", "临时", "关于", "期间", "部分", "暂停"}
    return {term for each in said for term in terms(each) if term not in dull and len(term) > 1
            and not term.isdigit()}
