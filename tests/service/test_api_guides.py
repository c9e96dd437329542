"""Editors work on guides over the API; residents read what is published and nothing else."""

import asyncio

import pytest

from knowledge_base import library
from tests.knowledge_base.samples import SAID, sample

FIELDS = dict(sample().guide.fields)
WHOLE = {
    "slug": "sauna", "preset": "property", "title": "汗蒸房预约", "overview": "业主可以预约一楼汗蒸房。", "owner": "活动窗口",
    "aliases": ["桑拿房"], "valid_from": "2026-01-01", "valid_to": "2027-12-31", "checked_on": "2026-11-20",
    "fields": FIELDS | {"fee": "每次20元。"},
    "faq": [{"question": f"汗蒸房{words}", "answer": "可以。"} for words in ("能带孩子吗？", "要洗澡吗？", "要拖鞋吗？", "要预约吗？")],
}
assert SAID["fee"] == FIELDS["fee"]


async def make(house, **changed):
    return await house.post("/guides", WHOLE | changed, "editor", 201)


async def ask(house, question="汗蒸房预约"):
    return await house.post("/answers", {"question": question}, "clerk")


async def until_answered(house, words, question="汗蒸房预约"):
    async def found():
        return words in (await ask(house, question))["text"]

    await house.until(found)


async def test_a_guide_is_drafted_reviewed_and_published_and_then_answers(house):
    made = await make(house)
    assert (made["status"], made["version"], made["allowed"]) == ("draft", 1, ["submit", "publish", "withdraw"])
    assert (await ask(house))["status"] == "no_guide"
    assert (await house.post("/guides/sauna/submit", {}, "editor"))["status"] == "review"
    published = await house.post("/guides/sauna/publish", {}, "supervisor")
    assert (published["status"], published["draft"], published["faults"]) == ("published", None, [])
    await until_answered(house, "每次20元")


async def test_an_edit_waits_beside_what_stands_and_its_publishing_changes_the_answer(house):
    await make(house)
    await house.post("/guides/sauna/publish", {}, "editor")
    await until_answered(house, "每次20元")
    edited = await house.call("PUT", "/guides/sauna", "editor", {"fields": {"fee": "每次30元。"}})
    body = await edited.json()
    assert edited.status == 200 and edited.headers["ETag"] == '"2"'
    assert (body["status"], body["fields"]["fee"]) == ("published", "每次20元。")
    assert (body["draft"]["status"], body["draft"]["fields"]["fee"]) == ("draft", "每次30元。")
    await asyncio.sleep(0.3)
    assert "每次20元" in (await ask(house))["text"]
    await house.post("/guides/sauna/publish", {}, "editor")
    await until_answered(house, "每次30元")
    [new, old] = (await house.get("/guides/sauna/versions", "editor"))["items"]
    assert (new["version"], new["status"], new["changed_by"], old["status"]) == (2, "published", "editor", "earlier")
    assert [change["lines"] for change in new["changes"]] == [["- 每次20元。", "+ 每次30元。"]]
    assert (await house.get("/guides/sauna?version=1"))["fields"]["fee"] == "每次20元。"


async def test_a_withdrawn_guide_answers_no_longer_and_residents_do_not_find_it(house):
    await make(house)
    await house.post("/guides/sauna/publish", {}, "editor")
    await until_answered(house, "每次20元")
    assert (await house.client.get("/guides/sauna")).status == 200
    await house.post("/guides/sauna/withdraw", {"reason": "关门了"}, "editor")
    await until_answered(house, "没有")
    assert (await house.client.get("/guides/sauna")).status == 404
    assert (await house.get("/guides/sauna", "assistant", 404))["status"] == 404
    assert (await house.get("/guides/sauna", "clerk"))["status"] == "withdrawn"


async def test_a_version_can_be_published_at_a_later_moment_and_given_up(house):
    await make(house)
    await house.post("/guides/sauna/publish", {}, "editor")
    await house.call("PUT", "/guides/sauna", "editor", {"fields": {"fee": "每次30元。"}})
    planned = await house.post("/guides/sauna/publish", {"at": "2026-12-01T08:00:00+08:00"}, "editor")
    assert (planned["version"], planned["publish_at"][:16]) == (1, "2026-12-01T08:00")
    assert (await house.post("/guides/sauna/discard", {}, "editor"))["publish_at"] is None
    assert (await house.get("/guides/sauna", "editor"))["draft"] is None


async def test_what_must_not_be_published_says_what_is_missing(house):
    await make(house, fields={"fee": "不收费。"})
    refused = await house.post("/guides/sauna/publish", {}, "editor", 422)
    assert "申请材料" in refused["detail"] and refused["field"]
    assert (await house.get("/guides/sauna", "editor"))["status"] == "draft"


async def test_html_in_a_guide_is_cleaned_and_a_heading_stays_a_line(house):
    made = await make(house, overview="<b>说明</b><script>alert(1)</script>\n## 收费标准\n一万元", note="")
    assert made["overview"] == "说明\n收费标准\n一万元"


@pytest.mark.parametrize(
    ("method", "path", "who", "body", "headers", "status"),
    [
        pytest.param("GET", "/guides/nothing", None, None, {}, 401, id="no token"),
        pytest.param("PUT", "/guides/nothing", "clerk", {}, {}, 404, id="not there, before the role"),
        pytest.param("PUT", "/guides/sauna", "clerk", {"colour": 1}, {}, 403, id="a clerk may not edit, before the body"),
        pytest.param("POST", "/guides", "clerk", {}, {}, 403, id="a clerk may not create"),
        pytest.param("PUT", "/guides/sauna", "editor", {"colour": 1}, {"If_Match": '"9"'}, 422,
                     id="an unknown field, before the version"),
        pytest.param("PUT", "/guides/sauna", "editor", {"fields": {"price": "1"}}, {}, 422, id="an unknown guide field"),
        pytest.param("PUT", "/guides/sauna", "editor", {"valid_to": "明年"}, {}, 422, id="a date that is none"),
        pytest.param("POST", "/guides", "editor", WHOLE | {"slug": "a/b"}, {}, 422, id="a slug that breaks addresses"),
        pytest.param("POST", "/guides/sauna/submit", "editor", {}, {"If_Match": '"9"'}, 412, id="changed meanwhile"),
        pytest.param("POST", "/guides", "editor", WHOLE, {}, 409, id="there already"),
        pytest.param("POST", "/guides/sauna/send_back", "editor", {"reason": "改"}, {}, 409, id="was not submitted"),
        pytest.param("POST", "/guides/sauna/send_back", "editor", {}, {}, 422, id="a reason is owed"),
        pytest.param("POST", "/guides/sauna/discard", "editor", {}, {}, 409, id="nothing to give up"),
        pytest.param("GET", "/guides/sauna?preset=bank", "editor", None, {}, 422, id="an unknown preset"),
        pytest.param("GET", "/guides/sauna?version=x", "editor", None, {}, 422, id="a version that is none"),
        pytest.param("GET", "/guides/sauna?version=7", "editor", None, {}, 404, id="a version that is not there"),
        pytest.param("GET", "/guides/sauna?preset=hall", "editor", None, {}, 404, id="another preset's guide"),
    ],
)
async def test_errors_come_in_the_order_of_the_contract(house, method, path, who, body, headers, status):
    await make(house)
    response = await house.call(method, path, who, body, **headers)
    assert response.status == status, await response.text()
    assert response.content_type == "application/problem+json"
    assert (await response.json())["detail"]


async def test_what_is_over_is_told_with_its_date_and_where_to_ask_and_never_quoted(house):
    await make(house, valid_to="2026-12-01")
    await house.post("/guides/sauna/publish", {}, "editor")
    await until_answered(house, "每次20元")
    house.move_clock("2026-12-02T10:00:00+08:00")
    found = await ask(house)
    assert (found["status"], found["citations"]) == ("expired", [])
    assert "2026-12-01" in found["text"] and "0571-5551 0001" in found["text"] and "20元" not in found["text"]
    async with house.db.reading() as session:
        guide = await library.find(session, "property", "sauna")
    assert guide is not None and guide.version == 1
