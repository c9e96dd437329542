"""What was learnt about categories, over the API: the versions, another learning, what is in force."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.clock import write_time
from core.errors import Conflict
from service.api.endpoint import Call, Endpoint, Result, cut, page
from service.runtime import Runtime
from ticketing import weights
from ticketing.own_tickets import read_lessons
from ticketing.weights import Weights

KEEPERS = frozenset({"supervisor", "administrator"})
READERS = KEEPERS | {"auditor"}


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


async def list_weights(call: Call) -> Result:
    """Newest first. Version 0, what is shipped, stands in no row: it is in force where no other is."""
    limit, after = call.limit(), call.after()
    preset = call.runtime.office.preset.name
    query = select(Weights).where(Weights.preset == preset).order_by(Weights.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(Weights.id < after)
    rows, more = cut((await call.session.scalars(query)).all(), limit)
    current, _ = await weights.in_force(call.session, preset)
    return page([describe(row, current) for row in rows], rows[-1].id if rows else None, more)


def describe(row: Weights, current: int) -> dict[str, Any]:
    return {
        "version": row.id, "at": write_time(row.at), "by": row.by, "outcome": row.outcome, "figures": row.figures,
        "in_force": row.id == current, "replaced": row.replaced,
    }


async def learn(call: Call) -> Result:
    """Begin to learn from the office's own tickets; the version stands in the list when it is over."""
    call.body()
    await ask_to_learn(call.runtime, call.session, call.actor.name, call.now)
    call.after_commit.append("learn")
    return Result({"status": "started"}, 202)


async def ask_to_learn(runtime: Runtime, session: AsyncSession, by: str, now: datetime) -> None:
    """Put on record who asked. Conflict while a learning is under way, or where it would learn what it learnt before."""
    preset = runtime.office.preset
    await weights.must_be_free(session, preset.name, now)
    last = await weights.newest(session, preset.name)
    if last is not None and last.lessons == (await read_lessons(session, preset)).digest:
        raise Conflict(f"和第 {last.id} 版相比没有新的工单：有新办结或更正过类别的工单再学。")
    audit.record(session, now, by, "weights:learn", "weights")
    runtime.learning_for = by


async def put_in_force(call: Call) -> Result:
    version, preset = call.number("version"), call.runtime.office.preset.name
    if version != weights.SHIPPED:
        await weights.find(call.session, preset, version)
    call.require(*KEEPERS)
    call.body()
    await weights.put_in_force(call.session, preset, version, call.actor.name, call.now)
    call.after_commit.append("guides")
    return Result({"in_force": version})


async def roll_back(call: Call) -> Result:
    call.body()
    version = await weights.roll_back(call.session, call.runtime.office.preset.name, call.actor.name, call.now)
    call.after_commit.append("guides")
    return Result({"in_force": version})


ENDPOINTS = (
    Endpoint("GET", "/weights", list_weights, "What was learnt about categories, with its figures", roles=READERS,
             query=("limit", "after"), tag="office"),
    Endpoint("POST", "/weights", learn, "Learn from the office's own tickets", Nothing, KEEPERS, "write", status=202,
             tag="office"),
    Endpoint("POST", "/weights/roll_back", roll_back, "Put the version before in force again", Nothing, KEEPERS,
             "write", tag="office"),
    Endpoint("POST", "/weights/{version}/put_in_force", put_in_force, "Sort tickets by this version", Nothing,
             session="write", tag="office"),
)
