"""How often we may still speak to a follower: 5 times in 48 h, 3 times in the minute after an event.

Rules: https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from channels.wechat.tables import WeChatPart, WeChatWindow

WINDOWS = {"message": (5, timedelta(hours=48)), "event": (3, timedelta(minutes=1))}


async def open_windows(
    session: AsyncSession, account: str, windows: Mapping[tuple[str, str], datetime]
) -> None:
    """These followers acted at these moments: their windows, by openid and kind, are full again."""
    if not windows:
        return
    rows = [
        {"account": account, "openid": openid, "kind": kind, "closes_at": at + WINDOWS[kind][1],
         "left": WINDOWS[kind][0], "reminded": False}
        for (openid, kind), at in sorted(windows.items())
    ]
    await session.execute(_refill(session.get_bind().dialect.name), rows)


@lru_cache
def _refill(dialect: str) -> Any:
    """Made once, of the table and not the class: for each message this is done, and both cost more than the row."""
    statement = (sqlite if dialect == "sqlite" else postgresql).insert(WeChatWindow.__table__)
    fresh = {name: statement.excluded[name] for name in ("closes_at", "left", "reminded")}
    return statement.on_conflict_do_update(index_elements=["account", "openid", "kind"], set_=fresh)


async def left(session: AsyncSession, account: str, openid: str, now: datetime) -> int | None:
    """How many messages we may still send now; None when he was never seen, so that only the platform knows."""
    windows = (
        await session.scalars(
            select(WeChatWindow).where(WeChatWindow.account == account, WeChatWindow.openid == openid)
        )
    ).all()
    if not windows:
        return None
    return sum(window.left for window in windows if window.closes_at > now)


async def spend(
    session: AsyncSession, account: str, openid: str, outbox_id: int, part: int, platform_id: str, now: datetime
) -> None:
    """Record one accepted part, and take it from the window that closes first."""
    session.add(WeChatPart(outbox_id=outbox_id, part=part, platform_id=platform_id, at=now))
    for kind in ("event", "message"):
        changed = await session.execute(
            update(WeChatWindow)
            .where(
                WeChatWindow.account == account,
                WeChatWindow.openid == openid,
                WeChatWindow.kind == kind,
                WeChatWindow.closes_at > now,
                WeChatWindow.left > 0,
            )
            .values(left=WeChatWindow.left - 1)
            .execution_options(synchronize_session=False)
        )
        if changed.rowcount:  # type: ignore[attr-defined]
            return


async def sent_parts(session: AsyncSession, outbox_id: int) -> dict[int, str]:
    """Which parts of a row an earlier try already brought over, with the platform's ids."""
    rows = await session.scalars(select(WeChatPart).where(WeChatPart.outbox_id == outbox_id))
    return {row.part: row.platform_id for row in rows}


async def forget(session: AsyncSession, account: str, openid: str) -> None:
    await session.execute(
        delete(WeChatWindow).where(WeChatWindow.account == account, WeChatWindow.openid == openid)
    )
