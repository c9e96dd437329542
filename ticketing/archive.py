"""A finished case in the archive: its number (档号) and the index of its papers (卷内目录).

The number is built as DA/T 13 (档号编制规则) has it: class of papers, year, how long they are kept, what they are about,
and the piece's place in that row. It is given once; a paper that comes later is added to the case, none is exchanged.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import local, write_time
from ticketing.model import CallAttempt, Callback, Letter, Measure, Reply, Task, Ticket, TicketNumber, Transition

CLASS = "GD"
"""工单: the class of papers."""
SUBJECTS = {"consultation": "ZX", "complaint": "TS", "request": "QZ", "suggestion": "JY", "report": "JB", "praise": "BY"}
KEPT_YEARS = {"report": 30, "complaint": 30}
"""How long a case is kept, 定期; what touches somebody's rights longer than the rest, which is kept for ten years."""
KEPT_ELSE = 10

Entry = tuple[datetime, str]


async def file(session: AsyncSession, ticket: Ticket, now: datetime) -> dict[str, Any]:
    """`{number, at, index: [{seq, at, title}]}`; the titles name papers and nobody."""
    papers = sorted([*await _list_steps(session, ticket), *await _list_papers(session, ticket)])
    index = [{"seq": seq, "at": write_time(at), "title": title} for seq, (at, title) in enumerate(papers, 1)]
    return {"number": await _next_number(session, ticket, now), "at": write_time(now), "index": index}


async def _next_number(session: AsyncSession, ticket: Ticket, now: datetime) -> str:
    """GD·2026-D10-QZ-00012: one counter for each row, raised by one statement."""
    row = f"{CLASS}·{local(now).year}-D{KEPT_YEARS.get(ticket.kind, KEPT_ELSE)}-{SUBJECTS[ticket.kind]}"
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(TicketNumber).values(day=row, last=1)
    statement = statement.on_conflict_do_update(index_elements=["day"], set_={"last": TicketNumber.last + 1})
    last = (await session.execute(statement.returning(TicketNumber.last))).scalar_one()
    return f"{row}-{last:05d}"


_STEPS = {
    "register": "登记", "supplement": "补充材料", "contact": "联系记录", "extend": "延期", "exclude": "剔除", "merge": "并单",
    "withdraw": "撤回", "redo": "重办", "follow_up": "回访记录", "decline": "不予受理", "close": "办结",
}
"""The steps that are papers of their own; the whole record is the last one."""


async def _list_steps(session: AsyncSession, ticket: Ticket) -> list[Entry]:
    query = select(Transition).where(Transition.ticket_id == ticket.id).order_by(Transition.seq)
    rows = list(await session.scalars(query))
    found = [(row.at, _STEPS[row.verb]) for row in rows if row.verb in _STEPS]
    return [*found, (rows[-1].at, f"办理过程（{len(rows)} 项）")] if rows else found


async def _list_papers(session: AsyncSession, ticket: Ticket) -> list[Entry]:
    """Letters by their number, replies, other departments' answers, kept promises, calls."""
    found: list[Entry] = []
    for letter in await session.scalars(select(Letter).where(Letter.ticket_id == ticket.id)):
        void = "（作废）" if letter.void_at else ""
        found.append((letter.made_at, f"{letter.title} {letter.number}{void}"))
    for reply in await session.scalars(select(Reply).where(Reply.ticket_id == ticket.id)):
        files = f"，附件 {len(reply.attachments)} 件" if reply.attachments else ""
        found.append((reply.submitted_at, f"答复{'（已驳回）' if reply.withdrawn_at else ''}{files}"))
    for task in await session.scalars(select(Task).where(Task.ticket_id == ticket.id, Task.answer.is_not(None))):
        found.append((task.answered_at or ticket.moved_at, "协办答复" if task.kind == "joint" else "征求意见的答复"))
    kept = select(Measure).where(Measure.ticket_id == ticket.id, Measure.fulfilled_at.is_not(None))
    for measure in await session.scalars(kept):
        found.append((measure.fulfilled_at or ticket.moved_at, "承诺兑现的说明"))
    calls = select(CallAttempt).join(Callback, Callback.id == CallAttempt.callback_id)
    for call in await session.scalars(calls.where(Callback.ticket_id == ticket.id)):
        found.append((call.at, "通话记录"))
    return found
