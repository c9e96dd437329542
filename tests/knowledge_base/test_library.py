"""The life of a guide in the database."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.db import Database
from knowledge_base import library, life
from knowledge_base.index import Index
from tests.knowledge_base.samples import markdown, sample

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hall").mkdir()
    (tmp_path / "hall" / "permit.md").write_text(markdown(), "utf-8")
    return tmp_path


async def test_shipped_guides_are_loaded_once_and_published_only_as_samples(db: Database, folder: Path) -> None:
    for samples, changed, state in [(True, ["permit"], "published"), (True, [], "published"), (False, ["permit"], "draft")]:
        assert changed == await library.load_shipped(db, ["hall"], samples, NOW, folder)
        async with db.reading() as session:
            found = await library.find(session, "hall", "permit")
            assert found is not None and state == found.state


async def test_a_changed_guide_is_a_new_version_and_an_unchanged_one_is_none(db: Database) -> None:
    async with db.writing() as session:
        first = await library.store(session, sample(), "published", "editor", NOW)
        assert 3 == first.version
        assert 3 == (await library.store(session, sample(), "published", "editor", NOW)).version
        assert 4 == (await library.store(session, sample(fee="10元"), "published", "editor", NOW)).version


async def test_an_editors_guide_is_not_overwritten_by_the_shipped_one(db: Database, folder: Path) -> None:
    async with db.writing() as session:
        await library.store(session, sample(fee="10元"), "published", "editor", NOW)
    assert [] == await library.load_shipped(db, ["hall"], True, NOW, folder)


async def test_a_withdrawn_guide_is_no_longer_searched(db: Database) -> None:
    index = Index(vectors=False)
    async with db.writing() as session:
        await library.store(session, sample(), "published", "editor", NOW)
    assert await index.refresh(db)
    assert ["permit"] == [hit.guide.slug for hit in await index.search("居住证", "hall")]
    assert not await index.refresh(db)
    async with db.writing() as session:
        row = await life.find_row(session, "hall", "permit")
        await life.move(session, row, "withdraw", "editor", NOW)
    assert await index.refresh(db)
    assert [] == await index.search("居住证", "hall")


async def test_a_withdrawn_sample_does_not_come_back_with_the_next_release(db: Database, folder: Path) -> None:
    await library.load_shipped(db, ["hall"], True, NOW, folder)
    async with db.writing() as session:
        await life.move(session, await life.find_row(session, "hall", "permit"), "withdraw", "editor", NOW)
    (folder / "hall" / "permit.md").write_text(markdown(fee="10元"), "utf-8")
    assert [] == await library.load_shipped(db, ["hall"], True, NOW, folder)
    async with db.reading() as session:
        found = await library.find(session, "hall", "permit")
        assert found is not None and "withdrawn" == found.state


async def test_an_edit_is_answered_while_the_vectors_of_what_stood_before_are_still_being_made(db: Database) -> None:
    index = Index(vectors=False)
    making, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(shelf: object) -> None:
        making.set()
        await go_on.wait()

    index._add_vectors = slowly  # type: ignore[method-assign]
    async with db.writing() as session:
        await library.store(session, sample(), "published", "editor", NOW)
    first = asyncio.create_task(index.refresh(db))
    await making.wait()
    async with db.writing() as session:
        await library.store(session, sample(fee="10元"), "published", "editor", NOW)
    second = asyncio.create_task(index.refresh(db))
    for _ in range(500):
        if index.version == 2:
            break
        await asyncio.sleep(0.01)
    assert ["10元"] == [guide.fields["fee"] for guide in index.shelves["hall"].guides]
    go_on.set()
    assert [True, True] == await asyncio.gather(first, second)


async def test_a_preset_that_did_not_change_keeps_its_shelf(db: Database) -> None:
    index = Index(vectors=False)
    async with db.writing() as session:
        await library.store(session, sample(), "published", "editor", NOW)
        await library.store(session, sample(preset="hospital"), "published", "editor", NOW)
    await index.refresh(db)
    before = dict(index.shelves)
    async with db.writing() as session:
        await library.store(session, sample(fee="10元"), "published", "editor", NOW)
    await index.refresh(db)
    assert before["hospital"] is index.shelves["hospital"] and before["hall"] is not index.shelves["hall"]
