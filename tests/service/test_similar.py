"""A clerk sees how like questions were answered before; nobody's person stands in it."""

WORDS = "宠物狗能不能进小区的汗蒸房，我的电话13800550123"


async def consult(house, description, reply=None, **more):
    ticket = await house.register(kind="consultation", category=None, description=description, **more)
    if reply:
        await house.do(ticket["number"], "answer_directly", reply=reply)
    return ticket["number"]


async def similar(house, number, who="clerk"):
    return (await house.get(f"/tickets/{number}/similar", who))["items"]


async def test_past_consultations_with_an_approved_reply_are_suggested_nearest_first(house):
    near = await consult(house, WORDS, "不能进，请致电13800550123的林女士处领取牵引绳。")
    await consult(house, "宠物狗能不能进小区的汗蒸房")
    await consult(house, "地下车库的月租车位还有没有", "有。")
    number = await consult(house, "宠物狗可以进汗蒸房吗")
    [found] = await similar(house, number)
    assert found["number"] == near and found["reply"].startswith("不能进")
    assert "13800550123" not in str(found)


async def test_confidential_ones_and_complaints_are_not_suggested(house):
    await consult(house, WORDS, "不能进。", confidential=True)
    complaint = await house.register(description=WORDS)
    await house.work(complaint["number"])
    assert await similar(house, await consult(house, "宠物狗可以进汗蒸房吗")) == []


async def test_it_is_for_staff_who_may_see_the_ticket(house):
    number = await consult(house, WORDS)
    await house.get(f"/tickets/{number}/similar", "auditor", 403)
    await house.get("/tickets/HY20261125-99999/similar", "clerk", 404)
    _, matter = await house.open_conversation()
    response = await house.call("GET", f"/tickets/{number}/similar", "assistant", X_Huiyin_Matter=str(matter))
    assert response.status == 404
