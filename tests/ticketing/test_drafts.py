"""Two people at once: what changed meanwhile is named, a draft is never lost, a reply never doubled, a writer never overwritten."""

import asyncio

import pytest
from sqlalchemy import func, select

from core import clock
from core.errors import Conflict, Stale
from tests.ticketing.conftest import CLERK, OFFICER, SUBMISSION, SUPERVISOR
from ticketing import drafts, tickets
from ticketing.bodies import SaveDraft
from ticketing.model import Draft, Reply, Ticket, Transition
from ticketing.staff import Actor

COLLEAGUE = Actor("lu", frozenset({"officer"}), None)
WRITERS = 40
"""Ten thousand write in `python -m benchmarks writers`."""


async def save(desk, number: str, actor: Actor = OFFICER, read: int | None = None, **fields: str) -> int:
    async with desk.db.writing() as session:
        ticket = await tickets.find_visible(session, actor, number)
        draft = await drafts.save(session, actor, ticket, SaveDraft.model_validate(fields), read, clock.now())
        return draft.version


async def test_who_is_late_reads_who_changed_which_field_by_which_verb(desk):
    number = await desk.register()
    await desk.do(number, "accept")
    await desk.do(number, "amend", {"place": "5号楼", "urgency": "urgent"}, OFFICER)
    with pytest.raises(Stale) as refused:
        await desk.do(number, "amend", {"place": "6号楼"}, CLERK, if_match=1)
    assert [{**item, "at": None} for item in refused.value.changed] == [
        {"seq": 2, "verb": "accept", "actor": "cai", "at": None, "state": "accepted", "fields": ["state"]},
        {"seq": 3, "verb": "amend", "actor": "ou", "at": None, "state": "accepted", "fields": ["place", "urgency"]},
    ]
    assert "amend by ou" in refused.value.detail and "read it again" in refused.value.detail


async def test_a_colleague_s_draft_is_not_written_over(desk):
    number = await desk.bring_to("in_progress")
    assert await save(desk, number, reply="甲写的", read=0) == 1
    with pytest.raises(Stale) as first:
        await save(desk, number, COLLEAGUE, action_taken="乙也是第一个", read=0)
    assert first.value.changed[0]["fields"] == ["reply"]
    assert await save(desk, number, COLLEAGUE, reply="乙接着写", read=1) == 2
    with pytest.raises(Stale) as refused:
        await save(desk, number, reply="甲又写", action_taken="换了", read=1)
    assert [{**item, "at": None} for item in refused.value.changed] == [
        {"version": 2, "actor": "lu", "at": None, "fields": ["reply"]}]
    assert await save(desk, number, reply="甲又写") == 3  # without a version: on top, and the others stay
    async with desk.db.reading() as session:
        assert list(await session.scalars(select(Draft.reply).order_by(Draft.version))) == ["甲写的", "乙接着写", "甲又写"]


async def test_the_same_words_are_not_saved_twice(desk):
    number = await desk.bring_to("in_progress")
    assert [await save(desk, number, reply="一样") for _ in range(3)] == [1, 1, 1]


async def test_what_was_submitted_and_sent_back_is_the_draft_to_go_on_from(desk):
    number = await desk.bring_to("in_approval")
    await desk.do(number, "send_back", {"reason": "写清楚日期"}, SUPERVISOR)
    async with desk.db.reading() as session:
        ticket = await tickets.find_visible(session, OFFICER, number)
        draft = await drafts.find(session, ticket)
        assert draft and (draft.reply, draft.findings) == (SUBMISSION["reply"], "upheld")


async def test_there_is_nothing_to_draft_once_the_resident_has_his_reply(desk):
    number = await desk.bring_to("replied")
    with pytest.raises(Conflict, match="redo"):
        await save(desk, number, reply="补一句")


async def test_a_draft_keeps_the_resident_s_data_as_tokens(desk):
    number = await desk.register(description="我的电话13800551234，电梯坏了")
    await save(desk, number, reply="师傅会打13800551234。")
    async with desk.db.reading() as session:
        assert "13800551234" not in await session.scalar(select(Draft.reply))


async def test_of_two_who_submit_at_one_moment_one_reply_is_left(desk):
    for _ in range(5):
        number = await desk.bring_to("in_progress")
        done = await asyncio.gather(
            *(desk.do(number, "submit", SUBMISSION | {"reply": f"{who.name}的答复"}, who) for who in (OFFICER, COLLEAGUE)),
            return_exceptions=True,
        )
        assert sorted(isinstance(each, Conflict) for each in done) == [False, True], done
        ticket = await desk.find(number)
        async with desk.db.reading() as session:
            assert await session.scalar(select(func.count()).where(Reply.ticket_id == ticket.id)) == 1


async def test_of_two_who_approve_at_one_moment_the_resident_is_told_once(desk, tell):
    number = await desk.bring_to("in_approval")
    approvals = (desk.do(number, "approve", {}, Actor(name, frozenset({"supervisor"}), None)) for name in ("a", "b"))
    done = await asyncio.gather(*approvals, return_exceptions=True)
    assert sorted(isinstance(each, Conflict) for each in done) == [False, True], done
    assert [origin for _, origin, _ in tell.told].count("reply") == 1


async def count_up(desk, number: str) -> None:
    """Read a number off the ticket and write the next one, as often as it takes."""
    while True:
        ticket = await desk.find(number)
        try:
            await desk.do(number, "amend", {"happened_at": str(int(ticket.happened_at) + 1)}, if_match=ticket.version)
            return
        except Stale:
            continue


async def raise_once(desk, number: str) -> None:
    while True:
        try:
            await desk.do(number, "raise", {"reason": "催一催"}, SUPERVISOR)
            return
        except Conflict:
            continue


async def test_many_writers_at_once_on_one_ticket_lose_no_update(desk):
    number = await desk.register(happened_at="0")
    gate = asyncio.Semaphore(6)

    async def write(which: int) -> None:
        async with gate:
            await (count_up if which % 2 else raise_once)(desk, number)
            await save(desk, number, reply=f"第{which}个")

    await asyncio.gather(*(write(which) for which in range(WRITERS)))
    ticket = await desk.find(number)
    assert (ticket.happened_at, ticket.level, ticket.version) == (str(WRITERS // 2), WRITERS // 2, WRITERS + 1)
    async with desk.db.reading() as session:
        seqs = await session.scalars(select(Transition.seq).where(Transition.ticket_id == ticket.id))
        assert sorted(seqs) == list(range(1, WRITERS + 2))
        assert await session.scalar(select(func.count()).select_from(Draft)) == WRITERS
        assert await session.scalar(select(func.max(Draft.version))) == WRITERS
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 1
