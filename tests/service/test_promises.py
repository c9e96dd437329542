"""What a reply promises: offered before it is sent, entered, reminded of, told when it is kept."""

import pytest

from tests.service.house import House

REPLY = "多收的停车费3个工作日内原路退回，收费员的培训12月10日前完成。"


async def bring_to_draft(house: House) -> str:
    number = (await house.register())["number"]
    await house.work(number, until="assign")
    return str(number)


async def test_the_promises_of_a_draft_are_offered_and_nothing_is_kept(house: House):
    number = await bring_to_draft(house)
    before = await house.get(f"/tickets/{number}")
    answer = await house.post(f"/tickets/{number}/promises", {"reply": REPLY}, "officer")
    assert answer == {
        "items": [
            {"what": "多收的停车费原路退回", "due_on": "2026-11-30", "quote": REPLY[:-1]},
            {"what": "收费员的培训完成", "due_on": "2026-12-10", "quote": REPLY[:-1]},
        ],
        "next": None,
    }
    assert await house.get(f"/tickets/{number}") == before


async def test_what_was_offered_can_be_submitted_as_it_is(house: House):
    number = await bring_to_draft(house)
    offered = (await house.post(f"/tickets/{number}/promises", {"reply": REPLY}, "officer"))["items"]
    measures = [{"what": item["what"], "due_on": item["due_on"]} for item in offered]
    ticket = await house.do(number, "submit", "officer", findings="upheld", action_taken="已核对", reply=REPLY,
                            measures=measures)
    assert [(item["what"], item["due_on"]) for item in ticket["measures"]] == [
        ("多收的停车费原路退回", "2026-11-30"), ("收费员的培训完成", "2026-12-10")]


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        pytest.param(None, {"reply": REPLY}, 401, id="nobody"),
        pytest.param("guard", {"reply": REPLY}, 404, id="another department"),
        pytest.param("auditor", {"reply": REPLY}, 403, id="who writes no replies"),
        pytest.param("officer", {}, 422, id="no draft"),
        pytest.param("officer", {"reply": ""}, 422, id="an empty draft"),
        pytest.param("officer", {"reply": REPLY, "text": "x"}, 422, id="a field that is none"),
        pytest.param("officer", [REPLY], 422, id="a list"),
    ],
)
async def test_who_may_not_or_asks_wrongly_is_told_so(house: House, who: str | None, body: object, status: int):
    number = await bring_to_draft(house)
    before = (await house.get(f"/tickets/{number}"))["version"]
    await house.post(f"/tickets/{number}/promises", body, who, status)
    assert (await house.get(f"/tickets/{number}"))["version"] == before


async def test_a_department_that_never_closes_counts_working_days_as_residents_do(house: House):
    number = (await house.register())["number"]
    await house.work(number, "security", until="assign")
    for text, due in (("3个工作日内修好。", "2026-11-30"), ("元旦后开放。", "2027-01-04")):
        (item,) = (await house.post(f"/tickets/{number}/promises", {"reply": text}, "guard"))["items"]
        assert item["due_on"] == due, text
