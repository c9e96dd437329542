"""The demo office's people, and a ticket in every state, so that the console has something to show on its first day."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from service import scenes
from service.demo.town import ACCOUNT, SCENE
from service.runtime import Runtime
from ticketing import callbacks, tickets
from ticketing import staff as staff_table
from ticketing.model import Callback, Ticket
from ticketing.staff import Actor, Staff

PEOPLE: dict[str, tuple[tuple[str, ...], str | None, str]] = {
    "小周": (("clerk",), None, "坐席：接待会话，登记、受理、派单、回拨"),
    "老陈": (("officer",), "engineering", "工程维修部专员：办理派来的工单"),
    "吴主管": (("supervisor", "editor"), None, "主管：审批、督办，也写办事指南"),
    "郑纪检": (("inspector", "auditor"), None, "纪检：只有他看得到举报"),
}
"""Who can be played at the console: roles, department, what he is there for."""

ROLE = {"clerk": "小周", "officer": "老陈", "supervisor": "吴主管"}
RESULT: dict[str, Any] = {"findings": "upheld", "action_taken": "到现场查看并维修，已恢复正常"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One ticket: what was said, how many days ago, and what has been done with it since, as role, verb and body."""

    kind: str
    category: str
    text: str
    place: str
    who: str
    days_ago: float
    steps: tuple[tuple[str, str, dict[str, Any]], ...] = ()


def _step(role: str, verb: str, **body: Any) -> tuple[str, str, dict[str, Any]]:
    return (role, verb, body)


ACCEPT = (_step("clerk", "accept"),)
ASSIGN = (*ACCEPT, _step("clerk", "assign", department="engineering"),
          _step("officer", "contact", reached=True, note="已电话约好上门时间"))
SUBMIT = (*ASSIGN, _step("officer", "submit", reply="已经修好，请您留意，有问题随时再找我们。", **RESULT))
DELIVER = (*SUBMIT, _step("clerk", "call", reached=True, note="已电话告知本人"))

SAMPLES: tuple[Sample, ...] = (
    Sample("complaint", "lifts-fault", "3号楼电梯这周第三次停在半层，请彻底检修。", "3号楼", "王先生", 0.05),
    Sample("request", "repairs-plumbing", "厨房水管接头渗水，地板泡了。", "5号楼1202", "赵女士", 0.2, ACCEPT),
    Sample("request", "repairs-electric", "楼道声控灯不亮，晚上看不见台阶。", "2号楼4层", "孙阿姨", 1.2, ASSIGN),
    Sample("complaint", "fees-property", "物业费账单里多收了一个季度。", "云溪花园", "李先生", 2.1, (
        *ACCEPT, _step("clerk", "assign", department="engineering"),
        _step("officer", "submit", reply="多收部分已退回原账户，请查收。", **RESULT))),
    Sample("request", "repairs-public", "单元门禁坏了，谁都能进。", "1号楼", "周女士", 3.0, SUBMIT),
    Sample("complaint", "parking-blocked", "消防通道一直停着车。", "南门", "郭先生", 4.0, DELIVER),
    Sample("request", "repairs-door", "阳台门关不上，漏风。", "6号楼301", "何先生", 8.0,
           (*DELIVER, _step("officer", "close"))),
    Sample("complaint", "noise-renovation", "楼上周末装修，吵得没法休息。", "4号楼", "高女士", 9.0,
           (*DELIVER, _step("clerk", "follow_up", reached=True, solved=True, satisfied=5, comment="处理得很快"))),
    Sample("complaint", "noise-renovation", "隔壁小区的广场舞太吵。", "隔壁小区", "马先生", 5.0, (
        _step("clerk", "decline", code="out_of_area", reason="不在本小区范围", where_to="请向所在地社区居委会反映"),)),
    Sample("suggestion", "repairs", "建议在中庭加几条长椅。", "中庭", "罗阿姨", 6.0,
           (_step("clerk", "withdraw", reason="本人来电撤回"),)),
    Sample("complaint", "lifts-fault", "3号楼电梯又停了。", "3号楼", "徐女士", 0.04, (_step("clerk", "merge", into="3号楼"),)),
    Sample("request", "repairs-public", "健身器材螺丝松了。", "中庭", "胡先生", 60.0,
           (*DELIVER, _step("officer", "close"), _step("system", "archive"))),
)


async def furnish(runtime: Runtime) -> None:
    """People and tickets, once: an office that has anybody or anything already is left as it is."""
    now = clock.now()
    async with runtime.db.writing() as session:
        known = await session.scalar(select(func.count()).select_from(Staff).where(Staff.name.in_(PEOPLE)))
        if known or await session.scalar(select(func.count()).select_from(Ticket)):
            return
        for name, (roles, department, _) in PEOPLE.items():
            await staff_table.add(session, name, list(roles), department, None, now)
        await scenes.remember(session, ACCOUNT, SCENE, "3号电梯", "complaint", now)
        for sample in sorted(SAMPLES, key=lambda item: -item.days_ago):
            await _make(runtime, session, sample, now)
    runtime.news.notify("outbox")


async def _make(runtime: Runtime, session: AsyncSession, sample: Sample, now: datetime) -> None:
    """One ticket with its history, each step a while after the one before."""
    office, at = runtime.office, now - timedelta(days=sample.days_ago)
    known = {item.code for item in office.preset.categories}
    body: dict[str, Any] = {"kind": sample.kind, "description": sample.text, "place": sample.place}
    if sample.category in known:
        body["category"] = sample.category
    ticket = await tickets.register(session, office, _actor("clerk"), body | {"resident": {"name": sample.who}}, at)
    pause = timedelta(days=sample.days_ago) / (len(sample.steps) + 2)
    for role, verb, words in sample.steps:
        at = min(at + min(pause, timedelta(hours=20)), now)
        await session.refresh(ticket)
        await _do(runtime, session, ticket, role, verb, dict(words), at, now)
        await session.refresh(ticket)
        if ticket.state == "in_approval" and sample.category != "fees-property":
            await tickets.perform(session, office, _actor("supervisor"), ticket.number, "approve", {}, None, at)


async def _do(
    runtime: Runtime, session: AsyncSession, ticket: Ticket, role: str, verb: str, words: dict[str, Any],
    at: datetime, now: datetime,
) -> None:
    office = runtime.office
    if verb == "call":
        calls = select(Callback.id).where(Callback.ticket_id == ticket.id, Callback.done_at.is_(None))
        for callback_id in (await session.scalars(calls)).all():
            await callbacks.done(session, office, _actor(role), callback_id, words, at)
        return
    if verb == "archive":
        await tickets.archive_due(session, office, now)
        return
    if verb == "merge":
        words["into"] = await session.scalar(
            select(Ticket.number).where(Ticket.place == words["into"], Ticket.id != ticket.id).limit(1)
        )
    if verb == "assign" and not any(item.code == words["department"] for item in office.preset.departments):
        words["department"] = office.preset.departments[0].code
    await tickets.perform(session, office, _actor(role), ticket.number, verb, words, None, at)


def _actor(role: str) -> Actor:
    """The person of the demo office who does such things; departments are not looked at in its past."""
    name = ROLE[role]
    return Actor(name, frozenset(PEOPLE[name][0]), None)
