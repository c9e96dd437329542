"""The shared draft over the API, and what a stale version is answered."""

import pytest

from tests.service.house import House


async def test_a_draft_is_saved_read_and_gone_on_with(house: House):
    number = (await house.register())["number"]
    empty = await house.call("GET", f"/tickets/{number}/draft", "officer")
    assert empty.headers["ETag"] == '"0"' and (await empty.json())["reply"] == ""
    first = await house.call("PUT", f"/tickets/{number}/draft", "officer", {"reply": "已查看。"}, If_Match='"0"')
    assert (first.status, first.headers["ETag"]) == (200, '"1"')
    measures = [{"what": "换门机", "due_on": "2026-12-10"}]
    second = await house.call("PUT", f"/tickets/{number}/draft", "both", {"reply": "已查看，下周换。", "measures": measures},
                              If_Match='"1"')
    kept = await second.json()
    assert (kept["version"], kept["saved_by"], kept["measures"][0]["due_on"]) == (2, "both", "2026-12-10")
    assert (await house.get(f"/tickets/{number}/draft", "officer"))["reply"] == "已查看，下周换。"
    assert (await house.get(f"/tickets/{number}/draft?version=1", "officer"))["reply"] == "已查看。"


async def test_who_is_late_with_his_draft_reads_who_was_before_him(house: House):
    number = (await house.register())["number"]
    for who, text in (("officer", "甲"), ("both", "乙")):
        await house.call("PUT", f"/tickets/{number}/draft", who, {"reply": text})
    late = await house.call("PUT", f"/tickets/{number}/draft", "officer", {"reply": "丙"}, If_Match='"1"')
    problem = await late.json()
    assert late.status == 412 and problem["changed"][0]["actor"] == "both"
    assert problem["changed"][0]["fields"] == ["reply"] and "join" in problem["detail"]


async def test_a_stale_version_names_what_changed_meanwhile(house: House):
    number = (await house.register())["number"]
    await house.do(number, "accept")
    await house.do(number, "amend", "officer", place="5号楼")
    late = await house.call("POST", f"/tickets/{number}/amend", "clerk", {"place": "6号楼"}, If_Match='"1"')
    problem = await late.json()
    assert late.status == 412
    assert [(item["verb"], item["actor"], item["fields"]) for item in problem["changed"]] == [
        ("accept", "clerk", ["state"]), ("amend", "officer", ["place"])]


@pytest.mark.parametrize(
    ("who", "method", "query", "body", "status"),
    [
        pytest.param(None, "PUT", "", {"reply": "x"}, 401, id="nobody"),
        pytest.param("guard", "PUT", "", {"reply": "x"}, 404, id="another department"),
        pytest.param("guard", "GET", "", None, 404, id="another department reads"),
        pytest.param("auditor", "PUT", "", {"reply": "x"}, 403, id="who writes no replies"),
        pytest.param("officer", "PUT", "", {"answer": "x"}, 422, id="a field that is none"),
        pytest.param("officer", "PUT", "", {"findings": "perhaps"}, 422, id="a finding that is none"),
        pytest.param("officer", "PUT", "", {"reply": "长" * 20_001}, 422, id="too long"),
        pytest.param("officer", "GET", "?version=x", None, 422, id="a version that is no number"),
        pytest.param("officer", "GET", "?version=7", None, 404, id="a version that is not there"),
    ],
)
async def test_who_may_not_or_asks_wrongly_is_told_so(house, who, method, query, body, status):
    number = (await house.register())["number"]
    await house.work(number, until="assign")
    response = await house.call(method, f"/tickets/{number}/draft{query}", who, body)
    assert response.status == status, await response.text()


async def test_a_confidential_resident_stays_hidden_in_a_draft(house: House):
    number = (await house.register(confidential=True, description="我的电话13800551234，有人占道"))["number"]
    await house.call("PUT", f"/tickets/{number}/draft", "supervisor", {"reply": "已回电13800551234。"})
    assert "13800551234" not in (await house.get(f"/tickets/{number}/draft", "officer"))["reply"]
    assert "13800551234" in (await house.get(f"/tickets/{number}/draft", "supervisor"))["reply"]


async def test_a_report_s_draft_is_the_inspectors_alone(house: House):
    number = (await house.register("inspector", kind="report", description="有人收红包"))["number"]
    assert (await house.call("PUT", f"/tickets/{number}/draft", "inspector", {"reply": "正在核查。"})).status == 200
    assert "正在核查。" in str(await house.get(f"/tickets/{number}/draft", "inspector2"))
    await house.get(f"/tickets/{number}/draft", "supervisor", 404)
