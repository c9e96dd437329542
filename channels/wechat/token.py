"""The access token: one owner among many processes, renewed before its end, never a storm of renewals."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from prometheus_client import Counter
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import TemporaryFailure
from channels.wechat.settings import WeChatAccount
from channels.wechat.tables import WeChatToken
from core import clock
from core.db import Database

RENEWED = Counter("huiyin_wechat_token_renewed_total", "Access tokens fetched", ["account"])

OWNER_FOR = timedelta(seconds=30)
"""How long one process may take to fetch a token before another tries."""
NOT_SOONER = timedelta(seconds=5)
"""A token refused this soon after its renewal is no reason for another renewal: something else is wrong."""
_EPOCH = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and which renewal it came from."""

    value: str
    generation: int


class Post(Protocol):
    """One call of the platform's API without a token; gives the status and the JSON, or raises TemporaryFailure."""

    async def __call__(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]: ...


class Tokens:
    """Gives the token of one account. The table is the truth; nothing is kept in memory."""

    def __init__(self, name: str, account: WeChatAccount, db: Database, post: Post, get: Post) -> None:
        self._name = name
        self._account = account
        self._db = db
        self._post = post
        self._get = get
        self._stable = True
        self._one_at_a_time = asyncio.Lock()

    async def current(self) -> Token:
        """A token that is good for now, as far as we know."""
        row = await self._row()
        if row is None or row.renew_at <= clock.now():
            return await self._renew(row.generation if row else 0, force=False)
        return Token(row.access_token, row.generation)

    async def after_refusal(self, refused: Token, *, force: bool) -> Token:
        """The platform refused this token: the newer one if somebody has renewed it already, else a new one."""
        row = await self._row()
        if row is not None and row.generation == refused.generation:
            if clock.now() - row.renewed_at < NOT_SOONER:
                raise TemporaryFailure("WeChat refuses a token it has just given: look at app_id and the IP list")
        return await self._renew(refused.generation, force=force)

    async def _renew(self, seen: int, *, force: bool) -> Token:
        async with self._one_at_a_time:
            for _ in range(60):
                row = await self._row()
                if row is not None and row.generation > seen:
                    return Token(row.access_token, row.generation)
                if await self._become_owner(seen):
                    return await self._fetch_as_owner(seen, force)
                await asyncio.sleep(0.25)
        raise TemporaryFailure("another process is renewing the WeChat token and does not finish")

    async def _row(self) -> WeChatToken | None:
        async with self._db.reading() as session:
            row = await session.scalar(select(WeChatToken).where(WeChatToken.account == self._name))
            session.expunge_all()  # what is read stays readable after the transaction
            return row

    async def _become_owner(self, seen: int) -> bool:
        now = clock.now()
        async with self._db.writing() as session:
            await self._make_row(session)
            changed = await session.execute(
                update(WeChatToken)
                .where(
                    WeChatToken.account == self._name,
                    WeChatToken.generation == seen,
                    (WeChatToken.owner_until.is_(None)) | (WeChatToken.owner_until < now),
                )
                .values(owner_until=now + OWNER_FOR)
                .execution_options(synchronize_session=False)
            )
            return bool(changed.rowcount)  # type: ignore[attr-defined]

    async def _make_row(self, session: AsyncSession) -> None:
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        empty = {"access_token": "", "generation": 0, "renew_at": _EPOCH, "renewed_at": _EPOCH}
        await session.execute(
            dialect.insert(WeChatToken).values(account=self._name, **empty).on_conflict_do_nothing()
        )

    async def _fetch_as_owner(self, seen: int, force: bool) -> Token:
        try:
            value, lifetime = await self._fetch(force)
        except TemporaryFailure:
            await self._write(seen, owner_until=None)
            raise
        now = clock.now()
        await self._write(
            seen,
            access_token=value,
            generation=seen + 1,
            renewed_at=now,
            renew_at=now + timedelta(seconds=lifetime - min(300, lifetime / 10)),
            owner_until=None,
        )
        RENEWED.labels(self._name).inc()
        return Token(value, seen + 1)

    async def _write(self, seen: int, **values: Any) -> None:
        try:
            async with self._db.writing() as session:
                await session.execute(
                    update(WeChatToken)
                    .where(WeChatToken.account == self._name, WeChatToken.generation == seen)
                    .values(**values)
                    .execution_options(synchronize_session=False)
                )
        except SQLAlchemyError as error:
            raise TemporaryFailure("the WeChat token could not be stored: look at disk and database") from error

    async def _fetch(self, force: bool) -> tuple[str, float]:
        """`stable_token` does not invalidate what others hold; older gateways only know `token`."""
        app = {"appid": self._account.app_id, "secret": self._account.app_secret.get_secret_value()}
        if self._stable:
            status, answer = await self._post(
                "/cgi-bin/stable_token", grant_type="client_credential", force_refresh=force, **app
            )
            self._stable = status not in (404, 405)
        if not self._stable:
            status, answer = await self._get("/cgi-bin/token", grant_type="client_credential", **app)
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            code = answer.get("errcode", status)
            raise TemporaryFailure(f"WeChat gives no access token ({code}): check app_id, app_secret, IP list")
        return token, float(answer.get("expires_in") or 7200)
