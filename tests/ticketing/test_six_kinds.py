"""Every verb for every kind of ticket, by its row of the lifecycle table."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from core import clock
from tests.ticketing.conftest import CLERK, INSPECTOR, OFFICER, SUBMISSION, SUPERVISOR, Desk
from ticketing import sla, tickets
from ticketing.lifecycle import OPEN, VERBS
from ticketing.model import Measure
from ticketing.staff import SYSTEM, Actor

KINDS = ("consultation", "complaint", "request", "suggestion", "report", "praise")
ROLES = {"clerk": CLERK, "officer": OFFICER, "supervisor": SUPERVISOR}
OTHER_INSPECTOR = Actor("ji2", frozenset({"inspector"}), None)
BY_MACHINE = {"reply", "archive", "share_reply", "take_back"}
DEPARTMENT = "engineering"

# verb: the state it starts from, what goes before it there, its body, who does it, the state it ends in.
LATER = object()
EXAMPLES = {
    "confirm": ("registered", (), {"elements": [{"name": "place", "value": "5号楼"}]}, "clerk", "registered"),
    "amend": ("registered", (), {"place": "6号楼"}, "clerk", "registered"),
    "ask_supplement": ("registered", (), {"missing": ["照片"]}, "clerk", "registered"),
    "supplement": ("registered", (), {"text": "照片在附件里"}, "clerk", "registered"),
    "accept": ("registered", (), {}, "clerk", "accepted"),
    "decline": ("registered", (), {"code": "other", "reason": "不归这里管", "where_to": "社区"}, "clerk", "declined"),
    "answer_directly": ("registered", (), {"reply": "已办好。"}, "clerk", "approved"),
    "assign": ("accepted", (), {"department": DEPARTMENT}, "clerk", "in_progress"),
    "reassign": ("in_progress", (), {"assignee": "wu"}, "officer", "in_progress"),
    "sign_for": ("in_progress", (), {}, "officer", "in_progress"),
    "contact": ("in_progress", (), {"reached": True, "note": "约好了"}, "officer", "in_progress"),
    "progress": ("in_progress", (), {"text": "配件在路上"}, "officer", "in_progress"),
    "request_return": ("in_progress", (), {"reason": "不归我部门"}, "officer", "in_progress"),
    "grant_return": ("in_progress", ("request_return",), {}, "clerk", "accepted"),
    "refuse_return": ("in_progress", ("request_return",), {"reason": "归你们"}, "clerk", "in_progress"),
    "request_extension": ("in_progress", (), {"reason": "缺件", "due_at": LATER}, "officer", "in_progress"),
    "extend": ("in_progress", (), {"reason": "缺件", "due_at": LATER}, "supervisor", "in_progress"),
    "refuse_extension": ("in_progress", ("request_extension",), {"reason": "不行"}, "supervisor", "in_progress"),
    "submit": ("in_progress", (), SUBMISSION, "officer", "in_approval"),
    "send_back": ("in_approval", (), {"reason": "写清楚"}, "supervisor", "in_progress"),
    "approve": ("in_approval", (), {}, "supervisor", "approved"),
    "close": ("replied", (), {}, "officer", "closed"),
    "fulfil": ("replied", (), {"note": "装好了"}, "officer", "replied"),
    "follow_up": ("replied", (), {"reached": True, "solved": True, "satisfied": 5}, "clerk", "followed_up"),
    "redo": ("replied", (), {"reason": "没修好"}, "clerk", "in_progress"),
    "withdraw": ("registered", (), {"reason": "不用了"}, "clerk", "withdrawn"),
    "merge": ("registered", (), {}, "clerk", "merged"),
    "unmerge": ("registered", ("merge",), {}, "clerk", "registered"),
    "link": ("registered", (), {}, "clerk", "registered"),
    "unlink": ("registered", ("link",), {}, "clerk", "registered"),
    "urge": ("registered", (), {}, "clerk", "registered"),
    "raise": ("registered", (), {"reason": "急"}, "supervisor", "registered"),
    "exclude": ("registered", (), {"reason": "测试"}, "supervisor", "registered"),
    "note": ("registered", (), {"text": "看过了"}, "clerk", "registered"),
}
MEASURE = [{"what": "换新门机", "due_on": "2027-01-31"}]


def who(kind: str, role: str, verb: str) -> Actor:
    """On a report an inspector stands for all of them, and another one approves."""
    if kind != "report":
        return ROLES[role]
    return OTHER_INSPECTOR if verb in ("approve", "send_back") else INSPECTOR


class Case:
    """One ticket of a kind."""

    def __init__(self, desk: Desk, kind: str, number: str) -> None:
        self.desk, self.kind, self.number = desk, kind, number

    async def do(self, verb: str, **more: object) -> str:
        _, _, body, role, _ = EXAMPLES[verb]
        body = {name: await self.later() if value is LATER else value for name, value in body.items()} | more
        if verb in ("merge", "link"):
            other = await register(self.desk, self.kind)
            body["into" if verb == "merge" else "to"] = other.number
        if verb == "fulfil":
            async with self.desk.db.reading() as session:
                body["measure"] = await session.scalar(select(Measure.id).order_by(Measure.id.desc()).limit(1))
        return await self.desk.do(self.number, verb, body, who(self.kind, role, verb))

    async def later(self) -> str:
        """A little after it is due now."""
        async with self.desk.db.reading() as session:
            due = await sla.due_at(session, await tickets.find_visible(session, SYSTEM, self.number), "finish")
        return ((due or clock.now()) + timedelta(hours=1)).isoformat()

    async def bring_to(self, state: str) -> None:
        for verb, reached in (("accept", "accepted"), ("assign", "in_progress"), ("submit", "in_approval"),
                              ("approve", "approved")):
            if (await self.desk.find(self.number)).state == state:
                return
            await self.do(verb, **({"measures": MEASURE} if verb == "submit" else {}))
            assert (await self.desk.find(self.number)).state == reached
        if state == "replied":
            await self.desk.deliver(self.number)
        assert (await self.desk.find(self.number)).state == state


async def register(desk: Desk, kind: str) -> Case:
    actor = INSPECTOR if kind == "report" else CLERK
    return Case(desk, kind, await desk.register(actor, kind=kind))


def test_every_verb_that_a_person_does_has_its_example():
    assert set(EXAMPLES) == set(VERBS) - BY_MACHINE


@pytest.mark.parametrize("kind", KINDS)
async def test_every_verb_does_for_this_kind_what_its_row_says(desk: Desk, kind: str):
    desk.office = replace(desk.office, preset=desk.office.preset.model_copy(update={"sign_for": True}))
    for verb, (start, before, _, role, end) in EXAMPLES.items():
        row = VERBS[verb]
        case = await register(desk, kind)
        await case.bring_to(start)
        for step in before:
            await case.do(step)
        seen = await desk.find(case.number)
        assert seen.state in row.sources and role in row.who, verb
        assert end in (row.to or seen.state, *row.also_to), verb
        assert await case.do(verb) == end, (kind, verb)
        after = await desk.find(case.number)
        assert after.version == seen.version + 1 and after.kind == kind, (kind, verb)
        assert (after.state in OPEN) == (end in OPEN)
