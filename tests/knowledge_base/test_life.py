"""Draft, review, published, expired, withdrawn: who reads what while a guide is being worked on."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.audit import Audit
from core.db import Database
from core.errors import Conflict, Invalid, NotFound, Stale
from knowledge_base import library, life
from knowledge_base.guide import Guide
from tests.knowledge_base.samples import sample

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)


async def put_up(db: Database, guide: Guide) -> None:
    async with db.writing() as session:
        await life.publish(session, await life.draft(session, guide, "chen", NOW), "chen", NOW)


async def standing(db: Database) -> tuple[str, int, str]:
    async with db.reading() as session:
        found = await library.find(session, "hall", "permit")
        assert found is not None
        return found.state, found.version, found.fields["fee"]


async def test_what_stands_goes_on_answering_until_the_next_version_is_published(db: Database) -> None:
    await put_up(db, sample().guide)
    async with db.writing() as session:
        row = await life.draft(session, sample(fee="10元").guide, "wu", NOW)
        assert ("published", 3, 4, "draft") == (row.state, row.version, row.pending, row.pending_state)
        await life.move(session, row, "submit", "wu", NOW)
    assert ("published", 3, "不收费。") == await standing(db)
    async with db.writing() as session:
        row = await life.find_row(session, "hall", "permit")
        await life.publish(session, row, "chen", NOW)
        assert (None, None) == (row.pending, row.pending_state)
    assert ("published", 4, "10元") == await standing(db)


async def test_each_version_tells_who_changed_what(db: Database) -> None:
    await put_up(db, sample().guide)
    async with db.writing() as session:
        row = await life.draft(session, sample(fee="10元", materials="身份证").guide, "wu", NOW)
        new, old = await life.describe_versions(session, row)
    assert [("wu", 4, "draft"), ("chen", 3, "published")] == [
        (each["changed_by"], each["version"], each["status"]) for each in (new, old)]
    assert {"fee", "materials"} == {each["field"] for each in new["changes"]}
    [fee] = [each for each in new["changes"] if each["field"] == "fee"]
    assert (["- 不收费。", "+ 10元"], "收费标准") == (fee["lines"], fee["heading"])
    async with db.reading() as session:
        acts = (await session.scalars(select(Audit.action).order_by(Audit.id))).all()
    assert ["guide:publish", "guide:edit"] == list(acts)


@pytest.mark.parametrize(
    ("state", "verb", "to"),
    [
        pytest.param("draft", "submit", "review", id="submit a draft"),
        pytest.param("draft", "send_back", None, id="a draft was not submitted"),
        pytest.param("review", "send_back", "draft", id="send back what is in review"),
        pytest.param("published", "submit", None, id="nothing to submit"),
        pytest.param("published", "withdraw", "withdrawn", id="withdraw"),
        pytest.param("expired", "withdraw", "withdrawn", id="withdraw what is over"),
        pytest.param("withdrawn", "withdraw", None, id="withdrawn already"),
    ],
)
async def test_only_the_moves_of_the_table_are_possible(db: Database, state: str, verb: str, to: str | None) -> None:
    async with db.writing() as session:
        row = await library.store(session, sample(), state, "chen", NOW)
        if to is None:
            with pytest.raises(Conflict):
                await life.move(session, row, verb, "chen", NOW)
        else:
            await life.move(session, row, verb, "chen", NOW)
        assert (to or state) == row.state


async def test_a_withdrawn_guide_comes_back_as_a_draft_only(db: Database) -> None:
    await put_up(db, sample().guide)
    async with db.writing() as session:
        row = await life.find_row(session, "hall", "permit")
        await life.move(session, row, "withdraw", "chen", NOW)
        with pytest.raises(Conflict):
            await life.publish(session, row, "chen", NOW)
        row = await life.draft(session, sample().guide, "wu", NOW)
        assert ("draft", 4) == (row.state, row.version)


async def test_what_must_not_be_published_is_refused_with_all_its_faults(db: Database) -> None:
    guide = sample(leave_out="fee", phone="0571-55510", materials="见[别处](guide:nowhere)").guide
    async with db.writing() as session:
        row = await life.draft(session, guide, "chen", NOW)
        with pytest.raises(Invalid) as refused:
            await life.publish(session, row, "chen", NOW)
        for told in ("收费标准", "位数不对", "nowhere"):
            assert told in refused.value.detail
        assert "draft" == row.state


async def test_a_scheduled_version_is_published_when_its_time_has_come(db: Database) -> None:
    await put_up(db, sample().guide)
    at = NOW + timedelta(days=2)
    async with db.writing() as session:
        row = await life.draft(session, sample(fee="10元").guide, "wu", NOW)
        await life.publish(session, row, "wu", NOW, at)
        assert [] == await life.run_calendar(session, at - timedelta(minutes=1))
    assert ("published", 3, "不收费。") == await standing(db)
    async with db.writing() as session:
        assert ["permit"] == await life.run_calendar(session, at)
        assert [] == await life.run_calendar(session, at)
    assert ("published", 4, "10元") == await standing(db)


async def test_what_is_over_expires_by_itself_and_stays_so(db: Database) -> None:
    async with db.writing() as session:
        await library.store(session, sample(front="valid_to: 2026-10-01"), "published", "chen", NOW)
        assert ["permit"] == await life.run_calendar(session, NOW)
        assert [] == await life.run_calendar(session, NOW)
        found = await library.find(session, "hall", "permit")
        assert found is not None and "expired" == found.state


async def test_of_two_who_act_on_one_guide_the_second_is_told(db: Database) -> None:
    await put_up(db, sample().guide)
    async with db.reading() as session:
        seen = await life.find_row(session, "hall", "permit")
    async with db.writing() as session:
        await life.move(session, await life.find_row(session, "hall", "permit"), "withdraw", "chen", NOW)
    async with db.writing() as session:
        with pytest.raises(Stale):
            await life.move(session, seen, "withdraw", "wu", NOW)


async def test_an_unknown_guide_or_version_is_not_found(db: Database) -> None:
    await put_up(db, sample().guide)
    async with db.reading() as session:
        with pytest.raises(NotFound):
            await life.find_row(session, "hall", "nothing")
        row = await life.find_row(session, "hall", "permit")
        with pytest.raises(NotFound):
            await life.find_version(session, row, 99)


async def test_an_import_is_a_draft_beside_what_stands_and_the_same_again_no_change(db: Database) -> None:
    changed = sample(fee="10元")
    async with db.writing() as session:
        found = [(await life.take_in(session, [each], "chen", NOW))[0] for each in (sample(), sample(), changed)]
        assert [("added", "draft"), ("unchanged", "draft"), ("updated", "draft")] == [
            (each.change, each.state) for each in found]
        told = [(await life.take_in(session, [each], "chen", NOW, publish_it=True))[0]
                for each in (changed, changed, sample("other", leave_out="fee"))]
        assert [("unchanged", "published"), ("unchanged", "published"), ("added", "draft")] == [
            (each.change, each.state) for each in told]


async def test_imported_guides_that_name_each_other_are_published_together(db: Database) -> None:
    many = [sample("a", fee="见[乙](guide:b)"), sample("b", fee="见[甲](guide:a)"), sample("c", fee="见[丁](guide:d)")]
    async with db.writing() as session:
        taken = await life.take_in(session, many, "chen", NOW, publish_it=True)
    assert ["published", "published", "draft"] == [each.state for each in taken]
