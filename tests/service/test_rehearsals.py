"""Each night the guides are rehearsed: owners hear of what is new, and no figure counts it."""

import json

import pytest
from sqlalchemy import func, select, update

from core import clock
from knowledge_base import life
from knowledge_base.tables import GuideRow, Rehearsal, Unanswered
from service import rehearsals
from tests.knowledge_base.samples import markdown
from tests.service.test_api_guides import make
from tests.service.test_guide_calendar import words_to
from tests.service.test_guide_commands import huiyin, put  # noqa: F401
from ticketing import staff


async def stale(house):
    """A published guide whose standing text was changed behind the record, and an editor who is told."""
    await make(house)
    await house.post("/guides/sauna/publish", {}, "editor")
    async with house.db.writing() as session:
        row = await life.find_row(session, "property", "sauna")
        content = {**row.content, "fields": {**row.content["fields"], "fee": "每次2000元。"}}
        await session.execute(update(GuideRow).where(GuideRow.id == row.id).values(content=content))
        await staff.add(session, "chen", ["editor"], None, None, clock.now())


async def test_what_fails_is_a_list_for_the_owner_told_once_and_counted_nowhere(house):
    await stale(house)
    before = len((await house.get("/tickets", "clerk"))["items"])
    for _ in range(2):
        await rehearsals.run(house.runtime, "system", clock.now())
    last, first = (await house.get("/rehearsals", "editor"))["items"]
    assert first["guides"] == 1 and first["questions"] == 12 and last["failures"] == first["failures"]
    assert {"altered"} <= {each["kind"] for each in first["failures"]}
    assert {each["owner"] for each in first["failures"]} == {"活动窗口"}
    assert (await house.get("/rehearsals?owner=nobody", "editor"))["items"][0]["failures"] == []
    [told] = await words_to(house, "chen")
    assert "《汗蒸房预约》" in told and "例行检查" in told
    async with house.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Unanswered)) == 0
    assert len((await house.get("/tickets", "clerk"))["items"]) == before


async def test_an_editor_can_ask_for_one_and_others_cannot(house):
    await make(house)
    await house.post("/guides/sauna/publish", {}, "editor")
    await house.post("/rehearsals", {}, "clerk", 403)
    await house.get("/rehearsals", "clerk", 403)

    async def is_there():
        # The worker may not wait yet when it is asked for the first time.
        await house.post("/rehearsals", {}, "editor", 202)
        return (await house.get("/rehearsals", "editor"))["items"]

    assert (await house.until(is_there))[-1]["guides"] == 1


@pytest.mark.parametrize(
    ("moment", "ran_at", "due"),
    [
        pytest.param("2026-11-25T02:59:00+08:00", None, False, id="before its time"),
        pytest.param("2026-11-25T03:00:30+08:00", None, True, id="at its time"),
        pytest.param("2026-11-25T03:00:30+08:00", "2026-11-24T03:00:20+08:00", True, id="last night was another"),
        pytest.param("2026-11-25T03:30:00+08:00", "2026-11-25T03:00:20+08:00", False, id="done tonight"),
        pytest.param("2026-11-25T10:00:00+08:00", None, False, id="by day"),
    ],
)
async def test_it_runs_once_a_night(house, moment, ran_at, due):
    if ran_at:
        house.move_clock(ran_at)
        async with house.db.writing() as session:
            session.add(Rehearsal(preset="property", at=clock.now(), by="system", guides=0, questions=0, failures=[]))
    house.move_clock(moment)
    assert await rehearsals.is_due(house.db, house.runtime.settings, clock.now()) is due


def test_the_command_rehearses_what_is_published_and_names_what_fails(huiyin, tmp_path):  # noqa: F811
    put(tmp_path, "permit.md", markdown(phone="0571-5551 0001、0571-5551"))
    environ = {"HUIYIN__UNDERSTANDING__VECTORS": "false"}
    code, told, _ = huiyin("rehearse", tmp_path / "permit.md", "--json", **environ)
    assert code == 1 and "位数不对" in " ".join(each["text"] for each in json.loads(told))
    huiyin("import", tmp_path / "permit.md", "--publish")
    code, told, _ = huiyin("rehearse", **environ)
    assert (code, told) == (0, "检查 0 篇指南，提问 0 次，发现 0 处问题\n")
