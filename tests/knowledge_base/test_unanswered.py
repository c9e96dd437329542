"""Questions that got no answer are kept for the editors, without the persons in them."""

from datetime import UTC, datetime

from sqlalchemy import select

from core.db import Database
from knowledge_base.answer import Answer, Candidate
from knowledge_base.tables import Unanswered
from knowledge_base.unanswered import remember_unanswered

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
NEAR = (Candidate("passport", "护照办理", 1.1), Candidate("permit", "居住证办理", 0.9))


PERSONS = {
    "我是13812345678，签证办好没": "我是138****5678，签证办好没",
    "１３８ １２３４ ５６７８ 打给我": "138****5678 打给我",
    "<PHONE_1>打不通": "<PHONE_1>打不通",
    "问" * 395 + "13812345678": "问" * 395 + "138**",
}
"""What is asked → what is kept; masked before it is cut, tokens stay."""


async def test_a_question_without_an_answer_is_kept_with_its_reason(db: Database) -> None:
    statuses = ["clarify", "no_guide", "expired", "out_of_scope", "error"]
    async with db.writing() as session:
        for status in statuses:
            found = Answer(status, "……", candidates=NEAR, reason="why")
            await remember_unanswered(session, "美国签证怎么办", found, "hall", NOW, matter_id=7)
    async with db.reading() as session:
        rows = (await session.scalars(select(Unanswered).order_by(Unanswered.id))).all()
    assert statuses == [row.status for row in rows]
    assert {("美国签证怎么办", "why", "passport", "hall", 7, NOW, None)} == {
        (row.question, row.reason, row.nearest, row.preset, row.matter_id, row.asked_at, row.settled_at) for row in rows}


async def test_only_what_was_asked_and_not_answered_is_kept_and_nobody_is_named(db: Database) -> None:
    async with db.writing() as session:
        assert await remember_unanswered(session, "居住证怎么办", Answer("answered", "……"), "hall", NOW) is None
        assert await remember_unanswered(session, "  ", Answer("no_guide", "……"), "hall", NOW) is None
        for question in PERSONS:
            await remember_unanswered(session, question, Answer("no_guide", "……"), "hall", NOW)
    async with db.reading() as session:
        kept = (await session.scalars(select(Unanswered.question).order_by(Unanswered.id))).all()
    assert list(PERSONS.values()) == list(kept)
