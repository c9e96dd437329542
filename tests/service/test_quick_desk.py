"""Quick work in the console, as a browser sees it."""

import re

from tests.service.test_pages import enter, link_for


async def open_page(house, path: str) -> str:
    response = await house.client.get(path)
    page = await response.text()
    assert response.status == 200, page
    return page


async def send(house, path: str, page: str, fields: list[tuple[str, str]]):
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token
    return await house.client.post(path, data=[("form_token", token[1]), *fields])


async def test_ticked_tickets_are_tried_and_then_done(house):
    numbers = [(await house.register())["number"] for _ in range(2)]
    await house.do(numbers[0], "accept")
    await enter(house, await link_for(house, "cai", "clerk"))
    queue = await open_page(house, "/staff/")
    ticked = [("ticket", value) for value in re.findall(r'name="ticket" value="([^"]+)"', queue)]
    assert len(ticked) == 2
    chosen = await (await send(house, "/staff/bulk", queue, [*ticked, ("verb", "accept")])).text()
    assert "批量受理：2 张工单" in chosen and "受理</button>" not in chosen
    tried = await (await send(house, "/staff/bulk", chosen, [*ticked, ("verb", "accept"), ("step", "try")])).text()
    assert "还没有办" in tried and "现在的状态不能这样做" in tried and "已受理" in tried
    assert (await house.get(f"/tickets/{numbers[1]}"))["state"] == "registered"
    done = await (await send(house, "/staff/bulk", tried, [*ticked, ("verb", "accept"), ("step", "do")])).text()
    assert "已经办了" in done
    assert (await house.get(f"/tickets/{numbers[1]}"))["state"] == "accepted"


async def test_nothing_ticked_or_chosen_is_said(house):
    number = (await house.register())["number"]
    await enter(house, await link_for(house, "cai", "clerk"))
    queue = await open_page(house, "/staff/")
    assert "请先勾选工单" in await (await send(house, "/staff/bulk", queue, [("verb", "accept")])).text()
    assert "请选择要做的事" in await (await send(house, "/staff/bulk", queue, [("ticket", number), ("verb", "")])).text()
    one = [("ticket", f"{number} 1"), ("verb", "progress"), ("step", "do"), ("text", "")]
    assert (await send(house, "/staff/bulk", queue, one)).status == 422


async def test_a_canned_text_is_kept_offered_on_the_ticket_and_removed(house):
    number = (await house.register(place="3号楼"))["number"]
    await enter(house, await link_for(house, "su", "supervisor", "clerk"))
    page = await open_page(house, "/staff/canned")
    wrong = await send(house, "/staff/canned", page, [("title", "到场"), ("text", "{门牌}"), ("purpose", "progress")])
    assert wrong.status == 422 and "{门牌}" in await wrong.text()
    page = await (await send(
        house, "/staff/canned", page, [("title", "到场"), ("text", "师傅已到{地点}<b>"), ("purpose", "progress")]
    )).text()
    assert "师傅已到{地点}&lt;b&gt;" in page
    ticket = await open_page(house, f"/staff/tickets/{number}")
    assert 'data-fills="progress-text" data-text="师傅已到3号楼&lt;b&gt;"' in ticket
    await send(house, "/staff/canned/1/remove", page, [])
    assert "data-fills" not in await open_page(house, f"/staff/tickets/{number}")


async def test_a_list_is_kept_under_a_name_and_removed(house):
    number = (await house.register(place="三号楼"))["number"]
    await house.register(kind="praise", category=None, description="谢谢师傅")
    await enter(house, await link_for(house, "cai", "clerk"))
    queue = await open_page(house, "/staff/?kind=complaint")
    kept = await (await send(house, "/staff/views", queue, [("name", "投诉"), ("kind", "complaint")])).text()
    assert number in kept and "谢谢师傅" not in kept and "投诉</a>" in kept and "删除这个列表" in kept
    view = re.search(r"/staff/views/(\d+)/remove", kept)
    assert view
    after = await (await send(house, f"/staff/views/{view[1]}/remove", kept, [])).text()
    assert "谢谢师傅" in after
    nameless = await send(house, "/staff/views", after, [("name", " ")])
    assert "起个名字" in await nameless.text()
