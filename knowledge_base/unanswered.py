"""Questions that got no answer, kept for the editors with personal data masked."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.privacy import mask
from knowledge_base.answer import LONGEST, Answer
from knowledge_base.tables import Unanswered


async def remember_unanswered(
    session: AsyncSession, question: str, answer: Answer, preset: str, now: datetime, *, matter_id: int | None = None
) -> Unanswered | None:
    """Keep a question whose answer is not `answered`; None, and nothing kept, for one that was answered.

    The session must be one that may write: the row is committed with what else the caller does. What follows the
    part of the question that was looked at is left out.
    """
    if answer.status == "answered" or not question.strip():
        return None
    row = Unanswered(
        preset=preset,
        question=mask(question.strip())[:LONGEST],
        status=answer.status,
        reason=answer.reason,
        nearest=answer.candidates[0].guide if answer.candidates else None,
        matter_id=matter_id,
        asked_at=now,
        settled_at=None,
        settled_by=None,
    )
    session.add(row)
    await session.flush()
    return row
