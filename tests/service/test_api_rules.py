"""The rules every call of the API keeps: codes and their order, lists, versions, idempotency, times, description."""

import asyncio
import re
from datetime import datetime

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from service import api
from ticketing.lifecycle import VERBS

NUMBER = r"HY\d{8}-\d{5,}"
NOBODY = "HY20261123-99999"


async def test_a_ticket_is_registered_with_location_etag_and_number(house):
    response = await house.call("POST", "/tickets", "clerk", {"kind": "complaint", "description": "楼道灯坏了"})
    ticket = await response.json()
    assert response.status == 201
    assert response.headers["ETag"] == '"1"'
    assert response.headers["Location"] == f"/api/v1/tickets/{ticket['number']}"
    assert re.fullmatch(NUMBER, ticket["number"]) and ticket["number"].startswith("HY20261125-")
    assert ticket["state"] == "registered" and ticket["version"] == 1 and ticket["level"] == 0
    assert ticket["transitions"][0] | {"at": None} == {
        "seq": 1, "verb": "register", "from_state": None, "to_state": "registered", "actor": "clerk", "at": None,
        "reason": None,
    }
    read = await house.client.get(response.headers["Location"], headers={"Authorization": "Bearer token-of-clerk"})
    assert read.headers["ETag"] == '"1"' and (await read.json())["number"] == ticket["number"]


async def test_every_time_has_an_offset(house):
    number = (await house.register())["number"]
    await house.work(number)
    ticket = await house.get(f"/tickets/{number}")
    times = [ticket["registered_at"]]
    times += [item["at"] for item in ticket["transitions"]]
    times += [item[name] for item in ticket["clocks"] for name in ("started_at", "due_at")]
    times += [item["approved_at"] for item in ticket["replies"]]
    assert len(times) > 6
    assert all(datetime.fromisoformat(text).utcoffset() is not None for text in times)


async def test_a_list_is_newest_first_and_pages_without_doubles_or_gaps_while_rows_arrive(house):
    there = [(await house.register())["number"] for _ in range(7)]
    seen, cursor = [], ""
    while cursor is not None:
        page = await house.get(f"/tickets?limit=2{cursor and '&after=' + cursor}")
        assert len(page["items"]) <= 2
        seen += [item["number"] for item in page["items"]]
        cursor = page["next"]
        await house.register(description="在翻页的时候又来了一件")
    assert seen == there[::-1]


LISTS = ("/tickets", "/inbox", "/outbox", "/conversations", "/tasks", "/call-backs", "/guides", "/notices", "/audit")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=abc", "limit=-1", "limit=0000000201", "limit=", "after=abc"])
async def test_a_wrong_limit_or_cursor_is_422(house, query):
    for path in LISTS:
        problem = await house.get(f"{path}?{query}", "auditor", 422)
        assert problem["status"] == 422 and problem["field"] == query.partition("=")[0], path


async def test_a_list_ends_with_null_even_when_its_last_page_is_full(house):
    for _ in range(2):
        number = (await house.register())["number"]
        await house.do(number, "accept")
        await house.post(f"/tickets/{number}/tasks", {"department": "security", "kind": "consult", "text": "请查监控"}, status=201)
    for path in ("/tickets", "/tasks", "/audit"):
        who = "auditor" if path == "/audit" else "clerk"
        total = len((await house.get(f"{path}?limit=200", who))["items"])
        assert (await house.get(f"{path}?limit={total}", who))["next"] is None, path


async def test_a_filter_that_cannot_be_one_is_422(house):
    for query in ["overdue=perhaps", "confidential=1", "promises=x", "resident=abc", "conversation=x"]:
        await house.get(f"/tickets?{query}", status=422)


async def test_tasks_and_call_backs_know_two_statuses(house):
    await house.get("/tasks?status=closed", status=422)
    await house.get("/call-backs?status=closed", status=422)


async def test_the_filters_of_tickets_find_what_they_name(house):
    one = await house.register(kind="request", category="repairs-plumbing", description="地下车库水管爆裂",
                               confidential=True, resident={"name": "何田田"})
    two = await house.register()
    await house.work(two["number"], until="assign")
    cases = {
        "state=registered": one, "kind=request": one, "category=repairs-plumbing": one, "confidential=true": one,
        f"resident={one['resident']['id']}": one, "q=水管": one, f"q={one['number']}": one,
        "state=in_progress": two, "department=service": two, "confidential=false": two, "q=停车": two,
    }
    for query, expected in cases.items():
        items = (await house.get(f"/tickets?{query}"))["items"]
        assert [item["number"] for item in items] == [expected["number"]], query
    assert (await house.get("/tickets?overdue=true"))["items"] == []
    house.move_clock("2027-03-01T10:00:00+08:00")
    assert len((await house.get("/tickets?overdue=true"))["items"]) == 2


async def test_codes_are_checked_in_their_order(house):
    number = (await house.register())["number"]
    wrong = {"surprise": 1}
    stale = {"If_Match": '"7"'}
    path = f"/tickets/{number}/assign"
    await house.post(path, wrong, None, 401, **stale)
    report = (await house.register("inspector", kind="report"))["number"]
    await house.post(f"/tickets/{report}/assign", wrong, "officer", 404, **stale)
    await house.post(f"/tickets/{NOBODY}/assign", wrong, "officer", 404, **stale)
    await house.post(f"/tickets/{NOBODY}/assign", b"{not json", "officer", 404, **stale)
    await house.post(path, wrong, "officer", 403, **stale)
    await house.post(path, b"{not json", "officer", 403, **stale)
    await house.post(path, wrong, "clerk", 422, **stale)
    await house.post(path, b"{not json", "clerk", 422, **stale)
    await house.post(path, {"department": "service"}, "clerk", 412, **stale)
    await house.post(path, {"department": "service"}, "clerk", 409)


async def test_a_refusal_is_problem_details_that_say_what_to_do(house):
    for who, path, status in ((None, "/tickets", 401), ("clerk", f"/tickets/{NOBODY}", 404), ("clerk", "/nothing", 404)):
        response = await house.call("GET", path, who)
        body = await response.json()
        assert response.status == status == body["status"]
        assert response.content_type == "application/problem+json"
        assert body["title"] and body["detail"] and body["type"]
    assert (await house.call("GET", "/tickets", None)).headers["WWW-Authenticate"] == "Bearer"


async def test_a_wrong_token_is_401(house):
    for header in ("Bearer nobody", "Basic token-of-clerk", "Bearer ", "token-of-clerk"):
        response = await house.client.get("/api/v1/tickets", headers={"Authorization": header})
        assert response.status == 401, header


async def test_a_stale_version_is_412_and_none_is_accepted(house):
    number = (await house.register())["number"]
    response = await house.call("POST", f"/tickets/{number}/note", "clerk", {"text": "先记一笔"}, If_Match='"1"')
    assert response.status == 200 and response.headers["ETag"] == '"2"'
    await house.post(f"/tickets/{number}/note", {"text": "再记一笔"}, status=412, If_Match='"1"')
    await house.post(f"/tickets/{number}/note", {"text": "再记一笔"}, status=412, If_Match="abc")
    ticket = await house.post(f"/tickets/{number}/note", {"text": "再记一笔"})
    assert ticket["version"] == 3


async def test_a_key_is_answered_once_and_replayed(house):
    body = {"kind": "complaint", "description": "垃圾三天没有人收"}
    first = await house.call("POST", "/tickets", "clerk", body, Idempotency_Key="k1")
    again = await house.call("POST", "/tickets", "clerk", body, Idempotency_Key="k1")
    assert (first.status, again.status) == (201, 201)
    assert "Idempotency-Replayed" not in first.headers and again.headers["Idempotency-Replayed"] == "true"
    assert await first.json() == await again.json()
    assert again.headers["Location"] == first.headers["Location"] and again.headers["ETag"] == '"1"'
    await house.post("/tickets", body | {"description": "另一件事"}, status=422, Idempotency_Key="k1")
    assert len((await house.get("/tickets"))["items"]) == 1


async def test_a_key_counts_for_its_token_and_path(house):
    body = {"kind": "complaint", "description": "垃圾三天没有人收"}
    numbers = {(await house.post("/tickets", body, who, 201, Idempotency_Key="k"))["number"] for who in ("clerk", "clerk2")}
    assert len(numbers) == 2
    for number in numbers:
        await house.post(f"/tickets/{number}/note", {"text": "记下"}, Idempotency_Key="k")
    assert all(item["version"] == 2 for item in (await house.get("/tickets"))["items"])


async def test_a_key_with_another_body_is_422_even_where_the_ticket_is_gone_from_sight(house):
    number = (await house.register())["number"]
    await house.post(f"/tickets/{number}/amend", {"kind": "report"}, Idempotency_Key="k")
    kept = await house.get(f"/tickets/{number}")  # Who registered it keeps number and state, and nothing else.
    assert (kept["number"], kept["allowed"]) == (number, []) and "description" not in kept
    await house.post(f"/tickets/{number}/amend", {"kind": "praise"}, status=404, Idempotency_Key="another")
    await house.post(f"/tickets/{number}/amend", {"kind": "praise"}, status=422, Idempotency_Key="k")
    await house.post(f"/tickets/{number}/amend", {"kind": "report"}, Idempotency_Key="k")


async def test_two_at_once_with_one_key_make_one_ticket(house):
    body = {"kind": "complaint", "description": "垃圾三天没有人收"}
    answers = await asyncio.gather(*(house.post("/tickets", body, "clerk", 201, Idempotency_Key="same") for _ in range(4)))
    assert len({item["number"] for item in answers}) == 1
    assert len((await house.get("/tickets"))["items"]) == 1


async def test_a_refusal_is_not_kept_under_its_key(house):
    number = (await house.register())["number"]
    await house.post(f"/tickets/{number}/assign", {"department": "service"}, status=409, Idempotency_Key="k")
    await house.do(number, "accept")
    done = await house.post(f"/tickets/{number}/assign", {"department": "service"}, status=200, Idempotency_Key="k")
    assert (done["state"], done["department"]) == ("in_progress", "service")


async def test_two_at_once_on_one_version_are_decided_for_one(house):
    number = (await house.register())["number"]
    answers = await asyncio.gather(
        *(house.call("POST", f"/tickets/{number}/accept", "clerk", {}, If_Match='"1"') for _ in range(3))
    )
    assert sorted(answer.status for answer in answers) == [200, 412, 412]


ROLE_OF_VERB = {verb: next((r for r in ("clerk", "officer", "supervisor") if r in row.who), None) for verb, row in VERBS.items()}


async def test_every_verb_rejects_an_unknown_field(house):
    number = (await house.register())["number"]
    for verb, role in ROLE_OF_VERB.items():
        if role is not None:
            problem = await house.do(number, verb, role, 422, surprise="x")
            assert problem["detail"], verb
    assert (await house.get(f"/tickets/{number}"))["version"] == 1


async def test_every_other_body_rejects_an_unknown_field(house):
    for path, who in (("/tickets", "clerk"), ("/answers", "clerk"), ("/understand", "clerk"), ("/notices", "editor")):
        await house.post(path, {"surprise": "x"}, who, 422)


BODIES = [b"[]", b'"text"', b"null", b"7", b"{", b"\xff\xfe", b'{"kind":"complaint","description":"\\ud800"}']


async def test_a_body_that_is_none_is_422(house):
    for body in BODIES:
        await house.post("/tickets", body, status=422)
    assert (await house.get("/tickets"))["items"] == []


async def test_what_nobody_may_do_is_not_done(house):
    number = (await house.register())["number"]
    for verb in ("nonsense", "register", "archive", "reply", "close"):
        response = await house.call("POST", f"/tickets/{number}/{verb}", "clerk", {})
        assert response.status in (403, 404), verb
    assert (await house.get(f"/tickets/{number}"))["state"] == "registered"


async def test_the_description_is_valid_and_names_every_route_and_verb(house):
    response = await house.client.get("/api/v1/openapi.json")
    described = await response.json()
    assert described["openapi"].startswith("3.1")
    assert not list(OpenAPIV31SpecValidator(described).iter_errors())
    paths = described["paths"]
    for verb in VERBS:
        assert "post" in paths[f"/api/v1/tickets/{{number}}/{verb}"]
    for endpoint in api.ENDPOINTS:
        if "{verb}" not in endpoint.path:
            assert endpoint.method.lower() in paths["/api/v1" + endpoint.path]
    identities = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(identities) == len(set(identities))


async def test_what_is_described_is_routed(house):
    """Each described address reaches its own endpoint, none is hidden behind another."""
    router = house.client.server.app.router
    for endpoint in api.ENDPOINTS:
        path = "/api/v1" + re.sub(r"{(\w+)}", lambda m: "accept" if m[1] == "verb" else "7", endpoint.path)
        found = [r.canonical for r in router.resources() if r.get_info().get("path") == path
                 or ((p := r.get_info().get("pattern")) and p.fullmatch(path)
                 and any(route.method == endpoint.method for route in r))]
        assert found[0] == "/api/v1" + endpoint.path, (endpoint.method, endpoint.path, found)
