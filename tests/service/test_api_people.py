"""Who sees what over the API: roles, departments, reports, confidential residents, the assistant."""

from sqlalchemy import event

from core import clock, queues
from core.message import OutboundMessage
from core.queues import Inbox
from ticketing.model import Ticket

PHONE = "13800550177"


async def test_who_reads_what_by_role(house):
    readers = {
        "/audit": {"auditor"},
        "/inbox": {"clerk", "administrator", "auditor", "inspector"},
        "/outbox": {"clerk", "administrator", "auditor", "inspector"},
        "/conversations": {"clerk", "officer", "auditor", "inspector"},
    }
    for path, allowed in readers.items():
        for who in ("clerk", "officer", "supervisor", "inspector", "editor", "auditor", "administrator", "mail"):
            response = await house.call("GET", path, who)
            assert response.status == (200 if who in allowed else 403), (path, who)


async def test_the_auditor_writes_nothing_and_the_administrator_has_no_verb(house):
    number = (await house.register())["number"]
    for who in ("auditor", "administrator"):
        await house.post("/tickets", {"kind": "complaint", "description": "灯坏了"}, who, 403)
        response = await house.call("POST", f"/tickets/{number}/accept", who, {})
        assert response.status in (403, 404), who
    assert (await house.get(f"/tickets/{number}", "auditor"))["allowed"] == []


async def test_a_ticket_of_another_department_is_not_there(house):
    number = (await house.register())["number"]
    await house.work(number, "engineering", until="assign")
    await house.get(f"/tickets/{number}", "engineer")
    await house.get(f"/tickets/{number}", "guard", 404)
    assert (await house.get("/tickets", "guard"))["items"] == []
    await house.do(number, "sign_for", "guard", 404)


async def test_a_task_opens_the_ticket_to_its_department_until_it_is_answered(house):
    number = (await house.register())["number"]
    await house.work(number, "engineering", until="assign")
    body = {"department": "security", "kind": "joint", "text": "请调取监控"}
    await house.post(f"/tickets/{number}/tasks", body, "guard", 404)
    await house.post(f"/tickets/{number}/tasks", body, "supervisor", 403)
    await house.post(f"/tickets/{number}/tasks", body | {"department": "nowhere"}, "clerk", 422)
    task = await house.post(f"/tickets/{number}/tasks", body, "clerk", 201)
    assert task["status"] == "open" and task["ticket"] == number and task["due_at"]
    await house.get(f"/tickets/{number}", "guard")
    for query in (f"ticket={number}", "department=security", "status=open"):
        assert [item["id"] for item in (await house.get(f"/tasks?{query}", "guard"))["items"]] == [task["id"]]
    await house.do(number, "submit", "engineer", 409, findings="upheld", action_taken="查", reply="已处理")
    await house.post(f"/tasks/{task['id']}/answer", {"text": "已看过"}, "engineer", 403)
    await house.post("/tasks/999/answer", {"text": "已看过"}, "guard", 404)
    await house.post(f"/tasks/{task['id']}/answer", {}, "guard", 422)
    answered = await house.post(f"/tasks/{task['id']}/answer", {"text": "监控已交"}, "guard")
    assert answered["status"] == "done" and answered["answer"] == "监控已交"
    await house.post(f"/tasks/{task['id']}/answer", {"text": "再说一次"}, "officer", 409)
    await house.get(f"/tickets/{number}", "guard", 404)
    await house.do(number, "submit", "engineer", findings="upheld", action_taken="查", reply="已处理")


async def test_no_task_goes_to_the_unit_a_complaint_is_about(house):
    number = (await house.register(about={"unit": "security"}))["number"]
    body = {"department": "security", "kind": "consult", "text": "怎么回事"}
    await house.post(f"/tickets/{number}/tasks", body, "clerk", 409)
    assert (await house.get(f"/tickets/{number}"))["tasks"] == []


async def test_a_report_is_invisible_to_all_but_inspectors(house):
    talk, _, row = await house.write_from("m1", "我要举报保安收钱")
    number = (await house.register("inspector", kind="report"))["number"]
    async with house.db.writing() as session:
        ticket = await session.scalar(Ticket.__table__.select().with_only_columns(Ticket.id).where(Ticket.number == number))
        stored = await session.get_one(Ticket, ticket)
        stored.conversation_id = talk
        message = OutboundMessage("webchat", "web", "x", "受理了", "receipt")
        queues.enqueue(session, message, clock.now(), ticket_id=ticket)
    for who in ("clerk", "officer", "supervisor", "auditor"):
        await house.get(f"/tickets/{number}", who, 404)
        assert number not in [item["number"] for item in (await house.get("/tickets", who))["items"]]
    for who in ("clerk", "administrator", "auditor"):
        assert row not in [item["id"] for item in (await house.get("/inbox", who))["items"]]
        assert (await house.get(f"/outbox?ticket={number}", who))["items"] == []
        assert (await house.get(f"/outbox?conversation={talk}", who))["items"] == []
    for who in ("clerk", "officer", "auditor"):
        assert (await house.get("/conversations", who))["items"] == []
        await house.get(f"/conversations/{talk}", who, 404)
        await house.get(f"/messages?conversation={talk}", who, 404)
    await house.post(f"/conversations/{talk}/take", {}, "clerk", 404)
    await house.post(f"/inbox/{row}/replay", {}, "clerk", 404)
    assert not [item for item in (await house.get("/audit?limit=200", "auditor"))["items"] if number in item["subject"]]
    assert (await house.get(f"/tickets/{number}", "inspector"))["kind"] == "report"
    assert row in [item["id"] for item in (await house.get("/inbox", "inspector"))["items"]]
    assert (await house.get(f"/outbox?ticket={number}", "inspector"))["items"]
    assert [item["id"] for item in (await house.get("/conversations", "inspector"))["items"]] == [talk]


async def test_a_report_is_worked_by_an_inspector_and_approved_by_another(house):
    number = (await house.register("inspector", kind="report"))["number"]
    await house.do(number, "accept", "inspector")
    await house.do(number, "assign", "inspector", department="service")
    body = {"findings": "upheld", "action_taken": "约谈", "reply": "已调查处理。"}
    await house.do(number, "submit", "officer", 404, **body)
    assert (await house.do(number, "submit", "inspector", **body))["state"] == "in_approval"
    await house.do(number, "approve", "inspector", 403)
    assert (await house.do(number, "approve", "inspector2"))["state"] != "in_approval"


async def test_a_confidential_resident_is_masked_for_the_officer_in_every_text(house):
    number = (await house.register(
        confidential=True, description=f"请打 {PHONE}，邻居半夜装修", resident={"name": "欧阳静", "phone": PHONE},
    ))["number"]
    await house.work(number, "engineering", until="assign")
    await house.post(f"/tickets/{number}/tasks", {"department": "engineering", "kind": "consult", "text": f"问 {PHONE}"}, "clerk", 201)
    await house.do(number, "note", "clerk", text=f"已回电 {PHONE}")
    for path in (f"/tickets/{number}", "/tickets", "/tasks", f"/tickets/{number}/clocks"):
        for who in ("engineer", "officer"):
            text = await (await house.call("GET", path, who)).text()
            assert PHONE not in text and "欧阳静" not in text, (who, path)
    assert PHONE in (await house.get(f"/tickets/{number}", "clerk"))["description"]


async def test_every_reading_of_a_confidential_resident_is_audited(house):
    number = (await house.register(confidential=True, resident={"name": "欧阳静"}))["number"]

    async def readings(who):
        items = (await house.get(f"/audit?action=resident:read&actor={who}", "auditor"))["items"]
        return [item["subject"] for item in items]

    await house.get(f"/tickets/{number}", "supervisor")
    assert await readings("supervisor") == [f"ticket:{number}"]
    await house.get("/tickets", "supervisor")
    assert len(await readings("supervisor")) == 2
    await house.get(f"/tickets/{number}", "officer")
    assert await readings("officer") == []


async def test_a_confidential_conversation_is_masked_for_the_officer_and_audited_for_the_clerk(house):
    talk, matter, _ = await house.write_from("m1", f"我的电话是{PHONE}，邻居太吵")
    headers = {"X_Huiyin_Matter": str(matter)}
    body = {"kind": "complaint", "category": "fees-property", "description": "邻居太吵", "confidential": True}
    number = (await house.post("/tickets", body, "assistant", 201, **headers))["number"]
    await house.work(number, "engineering", until="assign")
    seen = await house.get(f"/messages?conversation={talk}", "engineer")
    assert PHONE not in str(seen) and len(seen["items"]) >= 1
    assert (await house.get(f"/conversations/{talk}", "engineer"))["address"] == "webchat:****"
    for path in (f"/inbox?conversation={talk}", f"/outbox?conversation={talk}"):
        assert PHONE not in str(await house.get(path, "auditor"))
    assert PHONE in str(await house.get(f"/messages?conversation={talk}", "clerk"))
    read = await house.get(f"/audit?actor=clerk&subject=conversation:{talk}&action=resident:read", "auditor")
    assert read["items"]


async def test_the_assistant_acts_as_its_matters_resident_only(house):
    _, mine = await house.open_conversation("guest-1")
    _, other = await house.open_conversation("guest-2")
    body = {"kind": "complaint", "description": "电话13800550199，楼道灯坏了"}
    ticket = await house.post("/tickets", body, "assistant", 201, X_Huiyin_Matter=str(mine))
    assert ticket["code"] and ticket["promise"] and ticket["registered_by"] == "assistant"
    path = f"/tickets/{ticket['number']}"
    assert (await house.get(path, "assistant", X_Huiyin_Matter=str(mine)))["number"] == ticket["number"]
    await house.get(path, "assistant", 404, X_Huiyin_Matter=str(other))
    await house.get(path, "assistant", 404)
    await house.get(path, "assistant", 404, X_Huiyin_Matter="999")
    assert (await house.get("/tickets", "assistant", X_Huiyin_Matter=str(other)))["items"] == []
    await house.post(f"{path}/urge", {}, "assistant", 404, X_Huiyin_Matter=str(other))
    urged = await house.post(f"{path}/urge", {}, "assistant", X_Huiyin_Matter=str(mine))
    assert urged["transitions"][-1]["actor"] == "resident"
    await house.post(f"{path}/accept", {}, "assistant", 403, X_Huiyin_Matter=str(mine))
    for secret in ("/tasks", "/call-backs", "/inbox", "/outbox", "/conversations", "/audit"):
        await house.get(secret, "assistant", 403, X_Huiyin_Matter=str(mine))


async def test_tokens_in_what_the_assistant_sends_are_resolved(house):
    _, matter, _ = await house.write_from("m1", f"我的电话是{PHONE}")
    assert "<PHONE_1>" in house.rasa.turns[0]["message"] and PHONE not in house.rasa.turns[0]["message"]
    body = {"kind": "complaint", "description": "请打 <PHONE_1>", "resident": {"phone": "<PHONE_1>"}}
    number = (await house.post("/tickets", body, "assistant", 201, X_Huiyin_Matter=str(matter)))["number"]
    ticket = await house.get(f"/tickets/{number}")
    assert ticket["resident"]["phone"].endswith(PHONE) and PHONE in ticket["description"]
    async with house.db.reading() as session:
        stored = await session.scalar(Ticket.__table__.select().with_only_columns(Ticket.description))
    assert PHONE not in stored


async def test_a_message_set_aside_is_seen_and_tried_again_by_a_clerk(house):
    _, _, row = await house.write_from("m1")
    await house.post(f"/inbox/{row}/replay", {}, "clerk", 409)
    await house.post(f"/inbox/{row}/replay", {}, "officer", 404)
    await house.post("/inbox/999/replay", {}, "clerk", 404)
    async with house.db.writing() as session:
        (await session.get_one(Inbox, row)).status = "set_aside"
    assert [item["id"] for item in (await house.get("/inbox?status=set_aside", "administrator"))["items"]] == [row]
    assert (await house.post(f"/inbox/{row}/replay", {}, "clerk"))["status"] == "todo"


async def test_who_reads_a_page_of_confidential_tickets_stands_on_record_for_each_by_one_insert(house):
    numbers = [(await house.register(confidential=True))["number"] for _ in range(4)]
    said: list[tuple[str, bool]] = []
    event.listen(house.db.engine.sync_engine, "before_cursor_execute", lambda *given: said.append((given[2], given[5])))
    await house.get("/tickets", "supervisor")
    assert [together for statement, together in said if statement.startswith("INSERT INTO audit")] == [True]
    acts = (await house.get("/audit?limit=50", "auditor"))["items"]
    read = [item for item in acts if item["action"] == "resident:read" and item["actor"] == "supervisor"]
    assert {item["subject"] for item in read} == {f"ticket:{number}" for number in numbers} and len(read) == 4
