"""huiyin inbox and huiyin outbox: what arrived and what went out."""

from typing import Any

from sqlalchemy import select

from core import audit, clock, queues
from core.errors import HuiyinError
from core.queues import Inbox, Outbox
from service.commands.common import AsJson, new_group, opened, print_list, run

inbox_app = new_group("Messages that arrived.")
outbox_app = new_group("Messages that went out.")


@inbox_app.command("list")
def list_inbox(as_json: AsJson = False, status: str | None = None, limit: int = 50) -> None:
    """The newest messages; --status set_aside shows what waits for a person."""
    run(_list_rows(Inbox, status, limit, as_json))


@outbox_app.command("list")
def list_outbox(as_json: AsJson = False, status: str | None = None, limit: int = 50) -> None:
    """The newest outgoing messages."""
    run(_list_rows(Outbox, status, limit, as_json))


@inbox_app.command("replay")
def replay_inbox(row_id: int) -> None:
    """Put a message that was set aside back to work."""
    run(_replay(Inbox, row_id))


@outbox_app.command("retry")
def retry_outbox(row_id: int) -> None:
    """Put an outgoing message that was set aside back to work."""
    run(_replay(Outbox, row_id))


async def _list_rows(table: type[queues.Row], status: str | None, limit: int, as_json: bool) -> None:
    query = select(table).order_by(table.id.desc()).limit(limit)
    if status:
        query = query.where(table.status == status)
    async with opened() as db, db.reading() as session:
        rows = [_row_as_dict(row) for row in await session.scalars(query)]
    print_list(rows, as_json)


def _row_as_dict(row: Inbox | Outbox) -> dict[str, Any]:
    moment = row.received_at if isinstance(row, Inbox) else row.created_at
    return {
        "id": row.id,
        "status": row.status,
        "channel": row.channel,
        "account": row.account,
        "external_id" if isinstance(row, Inbox) else "recipient":
            row.external_id if isinstance(row, Inbox) else row.recipient,
        "at": clock.local(moment).isoformat(timespec="seconds"),
        "attempts": row.attempts,
        "text": row.text[:60],
        "last_error": row.last_error,
    }


async def _replay(table: queues.Queue, row_id: int) -> None:
    now = clock.now()
    async with opened() as db, db.writing() as session:
        if not await queues.replay(session, table, row_id, now):
            raise HuiyinError(f"{table.__tablename__} row {row_id} was not set aside: nothing to replay")
        audit.record(session, now, "cli", f"{table.__tablename__}:replay", f"{table.__tablename__}:{row_id}")
    print(f"{table.__tablename__} {row_id}: todo")
