"""A reply written in the console: what it promises, what a colleague wrote, what other departments answered."""

import re

from tests.service.house import House
from tests.service.test_desk import sign_in

REPLY = "多收的停车费3个工作日内原路退回。"
WRITTEN = {"findings": "upheld", "action_taken": "已核对账单", "reply": REPLY}


class Desk:
    """An officer at one ticket's page."""

    def __init__(self, house: House, number: str, cookies: dict[str, str], token: str) -> None:
        self.house, self.path, self.cookies, self.token = house, f"/staff/tickets/{number}", cookies, token
        self.page = ""

    async def look(self) -> str:
        self.page = await (await self.house.client.get(self.path, cookies=self.cookies)).text()
        return self.page

    def hidden(self) -> dict[str, str]:
        """What the form sends that nobody types: versions, and the rows that are ticked."""
        form = self.page[self.page.index(f'action="{self.path}/submit"'):]
        form = form[:form.index("</form>")]
        fields = re.findall(r"<input[^>]*>", form)
        values = {re.search(r'name="([^"]+)"', item)[1]: (re.search(r'value="([^"]*)"', item) or ["", ""])[1]
                  for item in fields}
        return {name: value for name, value in values.items() if value}

    async def send(self, deed: str = "submit", **fields: str) -> str:
        """The page that comes of it."""
        data = {**self.hidden(), "form_token": self.token, **fields}
        response = await self.house.client.post(f"{self.path}/{deed}", data=data, cookies=self.cookies)
        self.page = await response.text()
        return self.page


async def sit_down(house: House, until: str = "assign") -> tuple[Desk, str]:
    number = (await house.register())["number"]
    await house.work(number, until=until)
    desk = Desk(house, number, *await sign_in(house, "officer", "clerk"))
    await desk.look()
    return desk, number


async def test_what_a_reply_promises_is_shown_before_it_is_sent_and_entered(house: House):
    desk, number = await sit_down(house)
    page = await desk.send(**WRITTEN)
    assert "带日期的承诺" in page and 'value="2026-11-30"' in page and REPLY in page
    assert (await house.get(f"/tickets/{number}"))["state"] == "in_progress"
    await desk.send(**WRITTEN)
    ticket = await house.get(f"/tickets/{number}")
    assert ticket["state"] == "in_approval"
    assert [(item["what"], item["due_on"]) for item in ticket["measures"]] == [("多收的停车费原路退回", "2026-11-30")]


async def test_an_entry_that_is_not_ticked_is_not_entered_and_one_s_own_is(house: House):
    desk, number = await sit_down(house)
    await desk.send(**WRITTEN)
    await desk.send(**WRITTEN, **{"measure-1-take": "", "measure-0-what": "回访一次", "measure-0-due_on": "2026-12-09"})
    measures = (await house.get(f"/tickets/{number}"))["measures"]
    assert [(item["what"], item["due_on"]) for item in measures] == [("回访一次", "2026-12-09")]


async def test_a_reply_without_promises_goes_at_once(house: House):
    desk, number = await sit_down(house)
    await desk.send(**WRITTEN | {"reply": "多收的停车费已退回。"})
    assert (await house.get(f"/tickets/{number}"))["state"] == "in_approval"


async def test_what_was_typed_is_there_again_when_something_is_missing(house: House):
    desk, number = await sit_down(house)
    page = await desk.send(**WRITTEN | {"findings": "", "reply": "写了很久的答复"})
    assert "写了很久的答复" in page and 'role="alert"' in page
    page = await desk.send(**WRITTEN | {"reply": "又写了很久", "measure-0-what": "换门", "measure-0-due_on": "明天"})
    assert "又写了很久" in page and 'role="alert"' in page
    assert (await house.get(f"/tickets/{number}"))["state"] == "in_progress"


async def test_a_draft_is_seen_by_the_colleague_and_neither_writes_over_the_other(house: House):
    desk, number = await sit_down(house)
    await house.call("PUT", f"/tickets/{number}/draft", "officer", {"reply": "同事写的一半"})
    page = await desk.send("draft", **WRITTEN | {"reply": "我写的另一半"})
    assert "officer刚才也存了草稿" in page and "我写的另一半" in page and "同事写的一半" in page
    assert "草稿已保存" in await desk.send("draft", reply="两半合在一起")
    assert (await house.get(f"/tickets/{number}/draft", "officer"))["reply"] == "两半合在一起"
    assert (await house.get(f"/tickets/{number}"))["state"] == "in_progress"


async def test_who_is_late_reads_in_chinese_who_did_what(house: House):
    desk, number = await sit_down(house)
    await house.do(number, "amend", "officer", place="5号楼")
    page = await desk.send(**WRITTEN | {"reply": "已退回。"})
    assert "officer 更正" in page and "已退回。" in page
    assert (await house.get(f"/tickets/{number}"))["state"] == "in_progress"


async def test_promises_that_are_not_kept_are_the_supervisor_s_list(house: House):
    number = (await house.register())["number"]
    await house.work(number, until="assign")
    measures = [{"what": "退回停车费", "due_on": "2026-11-30"}]
    await house.do(number, "submit", "officer", **WRITTEN, measures=measures)
    for query, is_there in (("overdue", False), ("true", True), ("false", False)):
        items = (await house.get(f"/tickets?promises={query}", "supervisor"))["items"]
        assert bool(items) is is_there, query
    await house.get("/tickets?promises=perhaps", "supervisor", 422)
    house.move_clock("2026-12-01T09:30:00+08:00")
    assert (await house.get("/tickets?promises=overdue", "supervisor"))["items"][0]["number"] == number
    cookies, _ = await sign_in(house, "supervisor", "clerk")
    assert number in await (await house.client.get("/staff/?promises=overdue", cookies=cookies)).text()
    page = await (await house.client.get(f"/staff/tickets/{number}", cookies=cookies)).text()
    assert "退回停车费" in page and "逾期，应于 2026-11-30 前" in page


async def test_the_other_departments_answers_stand_in_the_form_to_be_merged(house: House):
    number = (await house.register())["number"]
    await house.do(number, "accept")
    await house.do(number, "assign", department="service", joint=["engineering", "security"])
    tasks = {item["department"]: item["id"] for item in (await house.get("/tasks"))["items"]}
    await house.post(f"/tasks/{tasks['engineering']}/answer", {"text": "道闸已校准。"}, "engineer")
    await house.do(number, "submit", "officer", 409, **WRITTEN)
    await house.post(f"/tasks/{tasks['security']}/answer", {"text": "岗亭已加派一人。"}, "guard")
    draft = await house.get(f"/tickets/{number}/draft", "officer")
    assert [item["name"] for item in draft["answers"]] == ["工程维修部", "秩序维护部"]
    assert draft["merged"] == "工程维修部：道闸已校准。\n秩序维护部：岗亭已加派一人。" and draft["reply"] == ""
    desk = Desk(house, number, *await sign_in(house, "officer", "clerk"))
    page = await desk.look()
    assert draft["merged"] in page and "并入答复" in page
    await house.call("PUT", f"/tickets/{number}/draft", "officer", {"reply": "您好。道闸已校准。"})
    merged = (await house.get(f"/tickets/{number}/draft", "officer"))["merged"]
    assert merged == "您好。道闸已校准。\n秩序维护部：岗亭已加派一人。"
