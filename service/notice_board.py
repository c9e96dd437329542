"""The notices in force, as residents read them on the pages."""

from datetime import datetime

from core import clock
from service.runtime import Runtime


async def read(runtime: Runtime, now: datetime) -> list[dict[str, str]]:
    """What is true today only, newest first, with its places and its end."""
    from knowledge_base import notices  # Brings numpy with it: not at the start.

    async with runtime.db.reading() as session:
        found = await notices.in_force(session, runtime.settings.office.preset, now)
    return [
        {"title": row.title, "text": row.text, "places": "、".join(row.places), "until": _moment(row.valid_to)}
        for row in found
    ]


def _moment(at: datetime) -> str:
    local = clock.local(at)
    return f"{local.month}月{local.day}日 {local:%H:%M}"
