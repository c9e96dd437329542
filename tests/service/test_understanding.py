"""What /understand says, and where a new ticket goes when nobody named a category."""

import base64

WAGES = "工地老板拖欠我们三个月工资，一直没人管"


async def test_understanding_names_intent_kind_category_and_urgency(house):
    house.rasa.parsed = {
        "intent": {"name": "complain", "confidence": 0.9},
        "intent_ranking": [{"name": "complain", "confidence": 0.9}, {"name": "urge", "confidence": 0.1}],
        "entities": [{"entity": "time", "start": 2, "end": 4, "value": "昨晚", "from": "2026-11-24T18:00:00+08:00",
                      "to": "2026-11-25T06:00:00+08:00"}],
    }
    found = await house.post("/understand", {"text": "  楼下昨晚装修电钻太吵", "channel": "webchat",
                                             "at": "2026-11-25T09:00:00+08:00"})
    assert (found["intent"], found["kind"], found["urgency"]) == ("complain", "complaint", "routine")
    assert found["category"] and found["entities"][0]["value"] == "昨晚"[:0] + "  楼下昨晚装修电钻太吵"[4:6]
    assert found["entities"][0]["from"] == "2026-11-24T18:00:00+08:00"
    assert house.rasa.asked[-1]["text"].endswith("␞2026-11-25T09:00:00+08:00")


async def test_what_leads_to_no_ticket_has_no_category(house):
    house.rasa.parsed = {"intent": {"name": "greet", "confidence": 0.99}, "entities": []}
    found = await house.post("/understand", {"text": "你好", "channel": "webchat"})
    assert (found["kind"], found["category"], found["urgency"]) == (None, None, "routine")


async def test_a_short_text_is_sorted_by_the_vector_that_the_assistant_made_of_it(house, monkeypatch):
    embedder = await house.runtime.knowledge.embedder()
    monkeypatch.setattr(embedder, "_enabled", True)
    await house.runtime.categories.load()
    leak = (await embedder.query(["楼上漏水把我家天花板泡坏了"]))[0]
    packed = base64.b64encode(leak.astype("<f2").tobytes()).decode()
    house.rasa.parsed = {"intent": {"name": "complain", "confidence": 0.9}, "entities": [], "vector": packed}
    made: list[list[str]] = []
    monkeypatch.setattr(embedder, "query", made.append)
    found = await house.post("/understand", {"text": "这事你们管不管", "channel": "webchat"})
    assert (found["category"], made) == ("neighbours-leak", [])


async def test_a_letter_that_urges_tells_what_it_is_about_and_a_short_reminder_does_not(house):
    house.rasa.parsed = {"intent": {"name": "urge", "confidence": 0.8}, "entities": []}
    await house.runtime.categories.load()
    short = await house.post("/understand", {"text": "催一下", "channel": "webchat"})
    letter = "催一下我上个月反映的事：楼上卫生间漏水，把我家天花板泡坏了，墙皮一块块往下掉，师傅来看过一次就没有下文，已经三个星期了，到底什么时候来修？"
    told = await house.post("/understand", {"text": letter, "channel": "email"})
    assert (short["kind"], short["category"]) == (None, None)
    assert (told["kind"], told["category"]) == (None, "neighbours-leak")


async def test_an_emergency_is_one_whatever_its_words(house):
    house.rasa.parsed = {"intent": {"name": "report_emergency", "confidence": 0.8}, "entities": []}
    found = await house.post("/understand", {"text": "我妈晕倒了", "channel": "webchat"})
    assert (found["kind"], found["urgency"]) == ("request", "emergency")


async def test_while_the_assistant_is_away_understanding_says_try_later(house):
    house.rasa.is_away = True
    assert (await house.call("POST", "/understand", "clerk", {"text": "你好"})).status == 503


async def test_a_ticket_without_category_goes_where_its_words_lead(house):
    await house.runtime.categories.load()
    ticket = await house.register(category=None, description="楼上漏水把我家天花板都泡坏了，催了好几次没人管")
    assert ticket["category"] == "neighbours-leak" and ticket["urgency"] == "pressing"


async def test_what_the_clerk_says_counts_for_more_than_the_words(house):
    ticket = await house.register(category="fees-property", urgency="routine", description="楼上漏水，情况紧急")
    assert (ticket["category"], ticket["urgency"]) == ("fees-property", "routine")


async def test_what_the_assistant_is_unsure_about_is_told_as_its_likeliest_intent(house):
    house.rasa.parsed = {
        "intent": {"name": "nlu_fallback", "confidence": 0.81},
        "intent_ranking": [{"name": "nlu_fallback", "confidence": 0.81}, {"name": "inform", "confidence": 0.19}],
        "entities": [],
    }
    found = await house.post("/understand", {"text": "五楼", "channel": "webchat"})
    assert (found["intent"], found["confidence"]) == ("inform", 0.19)
    assert [item["name"] for item in found["intents"]] == ["inform"]


async def test_two_wishes_in_one_letter_are_both_told_with_their_words(house):
    text = " 楼上天天装修太吵。另外建议装个充电桩。"
    house.rasa.parsed = {
        "intent": {"name": "complain", "confidence": 0.7}, "entities": [],
        "matters": [{"intent": "complain", "confidence": 0.9, "start": 0, "end": 9},
                    {"intent": "suggest", "confidence": 0.8, "start": 9, "end": 19}],
    }
    found = await house.post("/understand", {"text": text, "channel": "email"})
    assert [(item["intent"], item["text"]) for item in found["matters"]] == [
        ("complain", "楼上天天装修太吵。"), ("suggest", "另外建议装个充电桩。")]
