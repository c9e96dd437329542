"""Letters on their way to the resident: the page that is his alone, and the sheet that goes with a message."""

import hmac
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from channels.files import NotAllowed
from core import log
from core.message import Attachment
from core.queues import Outbox, Result
from service import letter_paper
from service.runtime import Runtime
from ticketing import letters
from ticketing.model import Letter

logger = log.logger(__name__)

LONGEST_ID = 18
WITHOUT_FILES = frozenset({"sms"})
"""Channels that carry words alone: there the progress page has the letter."""


def token(runtime: Runtime, letter_id: int) -> str:
    """The unguessable name of a letter's page."""
    return f"l{letter_id}-{runtime.db.keys.digest(f'letter/{letter_id}')}"


def link(runtime: Runtime, letter_id: int) -> str:
    return f"{runtime.settings.public_url}/r/{token(runtime, letter_id)}"


def read_token(runtime: Runtime, text: str) -> int | None:
    """Which letter a page's name stands for; None when it was made up, or names something else."""
    number = text.partition("-")[0].removeprefix("l")
    if not text.startswith("l") or not number.isascii() or not number.isdecimal() or len(number) > LONGEST_ID:
        return None
    right = token(runtime, int(number))
    return int(number) if hmac.compare_digest(right.encode(), text.encode("utf-8", "replace")) else None


async def attach(runtime: Runtime, row: Outbox) -> tuple[Attachment, ...]:
    """The sheet as a file of this message. A message is never kept back because its paper could not be made."""
    if row.letter_id is None or row.channel in WITHOUT_FILES:
        return ()
    async with runtime.db.reading() as session:
        letter = await session.get_one(Letter, row.letter_id)
        sheet = await letters.lay_out(session, runtime.office, letter)
    try:
        return (await runtime.files.keep(await letter_paper.draw(sheet), f"{sheet.file_name}.pdf"),)
    except (letter_paper.NotDrawn, NotAllowed) as error:
        logger.error("a letter goes without its sheet", letter=row.letter_id, reason=str(error))
        return ()


async def open_page(session: AsyncSession, letter_id: int, now: datetime) -> None:
    """What only announced this letter has delivered it, once its page was opened."""
    await session.execute(
        update(Outbox)
        .where(
            Outbox.letter_id == letter_id, Outbox.reply_id.is_(None), Outbox.result == Result.ANNOUNCED,
            Outbox.opened_at.is_(None),
        )
        .values(opened_at=now)
        .execution_options(synchronize_session=False)
    )
