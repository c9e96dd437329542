"""The inspections of the guides over the API: what failed, and a new one on demand."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from core import audit
from core.clock import write_time
from knowledge_base.tables import Rehearsal
from service.api.endpoint import Call, Endpoint, Result, cut, page

READERS = frozenset({"editor", "supervisor", "auditor", "administrator"})
EDITORS = frozenset({"editor", "supervisor"})


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


async def list_rehearsals(call: Call) -> Result:
    """Newest first; `?owner=` keeps one owner's failures."""
    limit, after = call.limit(), call.after()
    query = select(Rehearsal).order_by(Rehearsal.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(Rehearsal.id < after)
    rows, more = cut((await call.session.scalars(query)).all(), limit)
    return page([_describe(row, call.query.get("owner")) for row in rows], rows[-1].id if rows else None, more)


def _describe(row: Rehearsal, owner: str | None) -> dict[str, Any]:
    return {
        "id": row.id, "preset": row.preset, "at": write_time(row.at), "by": row.by, "guides": row.guides,
        "questions": row.questions,
        "failures": [failure for failure in row.failures if owner is None or failure["owner"] == owner],
    }


async def start(call: Call) -> Result:
    """A rehearsal now, besides the nightly one; it stands in the list when it is over."""
    call.body()
    audit.record(call.session, call.now, call.actor.name, "guides:rehearse", "guides")
    call.after_commit.append("rehearse")
    return Result({"status": "started"}, 202)


ENDPOINTS = (
    Endpoint("GET", "/rehearsals", list_rehearsals, "Inspections of the guides and what failed", roles=READERS,
             query=("owner", "limit", "after"), tag="knowledge"),
    Endpoint("POST", "/rehearsals", start, "Inspect the guides now", Nothing, EDITORS, "write", status=202,
             tag="knowledge"),
)
