"""The categories learn from what officers put right, and an office can see, try and take back what was learnt."""

import asyncio
import io
import shutil
import zlib
from contextlib import asynccontextmanager
from itertools import product

import numpy as np
import pytest

from core import clock
from core.errors import Conflict
from service.learning import Office, teach
from service.weights_store import name_with, path_of
from tests.conftest import KEYS
from tests.service.house import WORKDAY, open_house
from tests.service.test_desk import sign_in
from ticketing import tickets, weights, weights_file
from ticketing.own_tickets import read_lessons
from ticketing.staff import Actor
from ticketing.weights import LEASE, Weights

HERE_IT_GOES = "repairs-public"
"""Where this office puts what is about its parcel lockers; nobody told the shipped examples."""
LOCKERS = ["快递柜取件码失效取不出包裹", "快递柜超时收费取件被扣钱", "快递柜屏幕黑了取件取不了", "快递柜柜门弹不开取件卡住",
           "快递柜满了放不进取件要等"]
WHEN = ["今天", "昨晚", "上午", "周末", "这几天", "刚才", "早上", "下班时"]
OTHERS = [("电梯又停运了老人爬楼", "lifts-fault"), ("垃圾桶满了没人清运", "cleaning-waste"),
          ("楼上装修电钻太吵", "noise-renovation")]
NEW = "三号门的快递柜取件码输了没反应"
CLERK, OFFICER = (Actor(role, frozenset({role}), None) for role in ("clerk", "officer"))


async def amend_all(house, rows, start=0, **fields):
    """Each registered by a resident of its own under a wrong category, and put right by an officer; all in one transaction."""
    office, now = house.runtime.office, clock.now()
    async with house.db.writing() as session:
        for number, (text, category) in enumerate(rows, start):
            resident = {"name": f"林{number}", "phone": f"1380055{number:04}"}
            body = {"kind": "complaint", "category": "other", "description": text, "resident": resident} | fields
            ticket = await tickets.register(session, office, CLERK, body, now)
            await tickets.perform(session, office, OFFICER, ticket.number, "amend", {"category": category}, None, now)


def lockers(times=8):
    return [(f"{when}{text}", HERE_IT_GOES) for text, when in product(LOCKERS, WHEN[:times])]


def usual(times=8):
    return [(f"{when}{text}", category) for (text, category), when in product(OTHERS, WHEN[:times])]


async def learn(house):
    """As a supervisor does it; the newest version once it is there."""
    before = len((await house.get("/weights", "supervisor"))["items"])
    await house.post("/weights", {}, "supervisor", 202)

    async def done():
        items = (await house.get("/weights", "supervisor"))["items"]
        return len(items) > before and items[0]

    return await house.until(done)


async def sorted_as(house, version):
    async def there():
        await house.runtime.categories.refresh(house.db)
        return house.runtime.categories.version == version

    await house.until(there)
    return (await house.runtime.categories.sort(NEW, "complaint")).category


async def part(house):
    return (await (await house.client.get("/readyz")).json())["parts"]["categories"]


def office_of(house, preset=None):
    return Office(house.db, KEYS, preset or house.runtime.office.preset, house.runtime.settings.data_dir, False)


@asynccontextmanager
async def opened(folder, before):
    """A house in this folder that goes on from where the one in `before` was closed."""
    shutil.copytree(before, folder, dirs_exist_ok=True)
    house, close = await open_house(folder, before / "huiyin.db")
    house.move_clock(WORKDAY)
    try:
        yield house
    finally:
        await close()


@pytest.fixture(scope="module")
def amended_before(tmp_path_factory, empty_database):
    """What a house leaves whose officers put 64 tickets right, made once."""
    shutil.copy(empty_database, (empty := tmp_path_factory.mktemp("empty")) / "huiyin.db")
    folder = tmp_path_factory.mktemp("amended")

    async def make():
        async with opened(folder, empty) as house:
            await amend_all(house, [*lockers(), *usual()])

    asyncio.run(make())
    return folder


@pytest.fixture(scope="module")
def taught_before(tmp_path_factory, amended_before):
    """And what it leaves once it has learnt from them."""
    folder = tmp_path_factory.mktemp("taught")

    async def make():
        async with opened(folder, amended_before) as house:
            await house.runtime.categories.refresh(house.db)
            assert await sorted_as(house, 0) != HERE_IT_GOES
            await learn(house)

    asyncio.run(make())
    return folder


@pytest.fixture
async def amended(tmp_path, amended_before):
    async with opened(tmp_path, amended_before) as house:
        yield house


@pytest.fixture
async def taught(tmp_path, taught_before):
    """The house that has learnt, and the version it learnt."""
    async with opened(tmp_path, taught_before) as house:
        yield house, (await house.get("/weights", "supervisor"))["items"][0]


async def test_what_officers_put_right_is_where_the_next_ticket_goes_without_a_restart(taught):
    house, version = taught
    assert version["in_force"] and version["outcome"] == "better" and version["by"] == "supervisor"
    figures = version["figures"]
    assert figures["tickets"] == figures["amended"] == 64 and figures["learnt_from"] < 64
    assert figures["held_out"]["after"] > figures["held_out"]["before"]
    assert figures["fixed"]["after"] >= figures["fixed"]["before"]
    assert await sorted_as(house, version["version"]) == HERE_IT_GOES
    ticket = await house.register(category=None, description=NEW)
    assert ticket["category"] == HERE_IT_GOES
    assert await part(house) == {"status": "ok", "detail": f"version {version['version']}"}


async def test_what_was_learnt_is_taken_back_and_put_in_force_again(taught):
    house, version = taught
    number = version["version"]
    assert await house.post("/weights/roll_back", {}, "administrator") == {"in_force": 0}
    assert await sorted_as(house, 0) != HERE_IT_GOES
    refused = await house.post("/weights/roll_back", {}, "administrator", 409)
    assert "没有可以退回" in refused["detail"]
    await house.post(f"/weights/{number}/put_in_force", {}, "supervisor")
    assert await sorted_as(house, number) == HERE_IT_GOES
    acts = [item["action"] for item in (await house.get("/audit?limit=200", "auditor"))["items"]]
    assert acts.count("weights:put_in_force") == 2 and acts.count("weights:roll_back") == 1


async def test_the_same_tickets_are_not_learnt_from_twice(taught):
    house, version = taught
    again = await teach(office_of(house), "cli", clock.now())
    assert (again.version, again.outcome, again.in_force) == (version["version"], "nothing_new", True)
    assert "没有新的工单" in (await house.post("/weights", {}, "supervisor", 409))["detail"]
    await amend_all(house, [("快递柜又坏了", HERE_IT_GOES)], 70)
    assert (await learn(house))["figures"]["tickets"] == 65


async def test_what_is_no_better_is_kept_for_a_person_to_decide(house):
    await amend_all(house, usual() + [(f"{when}{text}又发生了", category) for (text, category), when in product(OTHERS, WHEN)])
    version = await learn(house)
    assert version["outcome"] == "not_better" and not version["in_force"]
    assert await sorted_as(house, 0)
    await house.post(f"/weights/{version['version']}/put_in_force", {}, "supervisor")
    assert await sorted_as(house, version["version"])


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        pytest.param([], "too_few", id="none at all"),
        pytest.param(lockers(2), "too_few", id="ten"),
        pytest.param(lockers() + [(f"{text}二号楼", HERE_IT_GOES) for text, _ in lockers(1)], "one_category", id="one category"),
    ],
)
async def test_from_too_little_nothing_is_learnt_and_the_list_says_so(house, rows, outcome):
    await amend_all(house, rows)
    version = await learn(house)
    assert (version["outcome"], version["in_force"]) == (outcome, False)
    refused = await house.post(f"/weights/{version['version']}/put_in_force", {}, "supervisor", 409)
    assert "不能启用" in refused["detail"]


async def test_only_one_learns_at_a_time_and_one_that_was_killed_does_not_bar_the_next_for_long(house):
    now = clock.now()
    async with house.db.writing() as session:
        await weights.begin(session, "property", "killed:1", now)
    assert "正在学习" in (await house.post("/weights", {}, "supervisor", 409))["detail"]
    with pytest.raises(Conflict):
        await teach(office_of(house), "cli", now)
    later = await teach(office_of(house), "cli", now + LEASE * 1.1)
    assert later.outcome == "too_few"


async def test_a_learning_that_is_broken_off_leaves_nothing_behind(amended):
    house = amended
    reached = asyncio.Event()
    work = asyncio.create_task(teach(office_of(house), "cli", clock.now(), lambda done, of: reached.set()))
    await reached.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (await house.get("/weights", "supervisor"))["items"] == []
    assert (await teach(office_of(house), "cli", clock.now())).outcome == "better"


async def test_a_damaged_file_is_said_and_what_is_shipped_sorts_until_it_is_mended(taught):
    house, version = taught
    number = version["version"]
    assert await sorted_as(house, number) == HERE_IT_GOES
    async with house.db.reading() as session:
        path = path_of(house.runtime.settings.data_dir, (await session.get(Weights, number)).digest)
    content = path.read_bytes()
    path.write_bytes(content[:200] + b"\x00" + content[201:])
    await house.post(f"/weights/{number}/put_in_force", {}, "supervisor")
    assert await sorted_as(house, 0) != HERE_IT_GOES
    told = await part(house)
    assert told["status"] == "degraded" and f"huiyin train use {number}" in told["detail"]
    path.unlink()  # Another machine, or a new disk: the database has it too.
    await house.post(f"/weights/{number}/put_in_force", {}, "supervisor")
    assert await sorted_as(house, number) == HERE_IT_GOES
    assert path.read_bytes() == content and (await part(house))["status"] == "ok"


async def test_confidential_matters_reports_and_complaints_about_persons_teach_nothing(house):
    await amend_all(house, [("快递柜保密件", HERE_IT_GOES)], confidential=True)
    await amend_all(house, [("保安收钱放车", HERE_IT_GOES)], 1, about={"staff": "某甲"})
    report = await house.register("inspector", kind="report", category="other", description="经理收红包")
    await house.do(report["number"], "amend", "inspector", category=HERE_IT_GOES)
    open_one = await house.register(category="other", description="还没办完的快递柜")
    withdrawn = await house.register(category="other", description="撤回的快递柜")
    await house.do(withdrawn["number"], "amend", "officer", category=HERE_IT_GOES)
    await house.do(withdrawn["number"], "withdraw", "clerk")
    await amend_all(house, [("快递柜打不开，我的电话13800550199，工号123456", HERE_IT_GOES)], 2)
    async with house.db.reading() as session:
        lessons = await read_lessons(session, house.runtime.office.preset)
    assert [item.text for item in lessons.items] == ["快递柜打不开，我的电话，工号"] and open_one["state"] == "registered"


async def test_a_ticket_worked_to_its_end_teaches_its_category_without_any_amendment(house):
    number = (await house.register(resident={"phone": "13800550177"}))["number"]
    await house.work(number)

    async def call_back():
        return (await house.get("/call-backs?status=open"))["items"]

    (opened,) = await house.until(call_back)
    await house.post(f"/call-backs/{opened['id']}/done", {"reached": True, "note": "已告知"})
    await house.do(number, "close", "officer")
    async with house.db.reading() as session:
        (lesson,) = (await read_lessons(session, house.runtime.office.preset)).items
    assert (lesson.category, lesson.amended, lesson.weight) == ("fees-property", False, 1.0)


async def test_the_file_of_weights_holds_no_word_and_is_worth_nothing_without_the_key(taught):
    house, version = taught
    async with house.db.reading() as session:
        row = await session.get(Weights, version["version"])
    content = path_of(house.runtime.settings.data_dir, row.digest).read_bytes()
    names = np.load(io.BytesIO(content))["names"].tolist()
    assert len(names) > 500 and all(len(name) == 16 for name in names)
    held = content + b"".join(np.load(io.BytesIO(content))[key].tobytes() for key in ("names", "parents"))
    for word in ("快递柜", "电梯", "林1", "13800550001"):
        assert word.encode() not in held and word.encode("utf-32-le") not in held
    preset = house.runtime.office.preset
    other = weights_file.read(content, preset, lambda term: "0" * 16)
    assert other.guess(NEW, None)[0].category == "other"
    assert weights_file.read(content, preset, name_with(KEYS)).guess(NEW, None)[0].category == HERE_IT_GOES


async def test_weights_outlive_a_category_that_was_given_up_but_not_one_that_is_new(taught):
    house, version = taught
    async with house.db.reading() as session:
        row = await session.get(Weights, version["version"])
    content = path_of(house.runtime.settings.data_dir, row.digest).read_bytes()
    preset = house.runtime.office.preset
    fewer = preset.model_copy(update={"categories": tuple(c for c in preset.categories if c.code != HERE_IT_GOES)})
    guesses = {each.category for each in weights_file.read(content, fewer, name_with(KEYS)).guess(NEW, None)}
    assert HERE_IT_GOES not in guesses and "lifts" in {code.partition("-")[0] for code in guesses}
    new = preset.categories[0].model_copy(update={"code": "lockers", "name": "快递柜"})
    more = preset.model_copy(update={"categories": (*preset.categories, new)})
    with pytest.raises(weights_file.Unusable, match="类别表"):
        weights_file.read(content, more, name_with(KEYS))
    async with house.db.reading() as session:
        lessons = await read_lessons(session, fewer)
    assert lessons.of_lost_categories == 40 and len(lessons.items) == 24


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"x" * 500, zlib.compress(b"abc")])
def test_whatever_lies_in_the_file_is_an_error_that_says_so(content):
    from ticketing.preset import load_preset

    with pytest.raises(weights_file.Unusable, match="损坏"):
        weights_file.read(content, load_preset("property"), str)


@pytest.mark.parametrize("who", ["clerk", "officer", "editor", "inspector"])
async def test_only_supervisors_and_administrators_decide_what_tickets_are_sorted_by(house, who):
    assert (await house.call("GET", "/weights", who)).status == 403
    assert (await house.call("POST", "/weights", who, {})).status == 403
    assert (await house.call("POST", "/weights/0/put_in_force", who, {})).status == 403
    assert (await house.call("POST", "/weights/roll_back", who, {})).status == 403


async def test_an_unknown_version_or_a_wrong_body_is_refused(house):
    assert (await house.call("POST", "/weights/99/put_in_force", "supervisor", {})).status == 404
    assert (await house.call("POST", "/weights/x/put_in_force", "supervisor", {})).status == 404
    assert (await house.call("POST", "/weights", "supervisor", {"now": True})).status == 422


async def test_a_supervisor_learns_puts_in_force_and_rolls_back_on_a_page(taught):
    house, version = taught
    number = version["version"]
    cookies, token = await sign_in(house, "supervisor")
    page = await (await house.client.get("/staff/weights", cookies=cookies)).text()
    assert f"第 {number} 版" in page and "正在使用" in page and "更正过类别的 64 件" in page
    for path, in_force in (("/staff/weights/roll_back", 0), (f"/staff/weights/{number}", number)):
        done = await house.client.post(path, data={"form_token": token}, cookies=cookies)
        assert done.status == 200
        async with house.db.reading() as session:
            assert (await weights.in_force(session, "property"))[0] == in_force
    wrong = await house.client.post("/staff/weights/99", data={"form_token": token}, cookies=cookies)
    assert "没有第 99 版" in await wrong.text()


async def test_a_clerk_finds_no_such_page(house):
    cookies, _ = await sign_in(house, "clerk")
    assert (await house.client.get("/staff/weights", cookies=cookies)).status == 403
    assert "类别学习" not in await (await house.client.get("/staff/", cookies=cookies)).text()
