"""Signing in: one-time links and browser sessions of staff; only digests of their tokens are kept."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base, Id
from ticketing.staff import Staff

LINK_LASTS = timedelta(minutes=15)
SESSION_LASTS = timedelta(hours=12)
COOKIE = "huiyin_session"


class SignIn(Base):
    """A one-time link (`kind` link) or a signed-in browser (`kind` session); only the token's digest is kept."""

    __tablename__ = "sign_in"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    kind: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    staff: Mapped[str]
    form_token: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UTC)
    expires_at: Mapped[datetime] = mapped_column(UTC)
    used_at: Mapped[datetime | None] = mapped_column(UTC)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def make_link(session: AsyncSession, staff: str, now: datetime) -> str:
    """A new one-time sign-in token; older unused ones of the same person end."""
    await session.execute(
        update(SignIn)
        .where(SignIn.kind == "link", SignIn.staff == staff, SignIn.used_at.is_(None))
        .values(used_at=now)
    )
    return _add(session, "link", staff, now, LINK_LASTS)


async def enter(session: AsyncSession, token: str, now: datetime) -> str | None:
    """Use a one-time link: the token of a new session, or None when it is over, used or made up."""
    used = await session.execute(
        update(SignIn)
        .where(
            SignIn.kind == "link", SignIn.digest == digest(token), SignIn.used_at.is_(None), SignIn.expires_at > now
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    if not used.rowcount:  # type: ignore[attr-defined]
        return None
    link = await session.scalar(select(SignIn).where(SignIn.digest == digest(token)))
    assert link
    return await open_session(session, link.staff, now)


async def open_session(session: AsyncSession, staff: str, now: datetime) -> str:
    await session.execute(update(Staff).where(Staff.name == staff).values(signed_in_at=now))
    return _add(session, "session", staff, now, SESSION_LASTS)


async def find_session(session: AsyncSession, token: str, now: datetime) -> tuple[SignIn, Staff] | None:
    """The signed-in member of staff behind a cookie."""
    row = (
        await session.execute(
            select(SignIn, Staff)
            .join(Staff, Staff.name == SignIn.staff)
            .where(
                SignIn.kind == "session", SignIn.digest == digest(token), SignIn.expires_at > now,
                Staff.left_at.is_(None),
            )
        )
    ).first()
    return (row[0], row[1]) if row else None


async def close_session(session: AsyncSession, token: str, now: datetime) -> None:
    await session.execute(update(SignIn).where(SignIn.digest == digest(token)).values(expires_at=now))


def _add(session: AsyncSession, kind: str, staff: str, now: datetime, lasts: timedelta) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            kind=kind,
            digest=digest(token),
            staff=staff,
            form_token=secrets.token_urlsafe(16),
            created_at=now,
            expires_at=now + lasts,
        )
    )
    return token
