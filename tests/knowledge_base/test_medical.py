"""At the hospital: complaints lead to a department, warning signs to 120, and nobody hears an opinion."""

import asyncio
from datetime import UTC, datetime

import pytest

from knowledge_base.answer import Answer, answer
from knowledge_base.compose import texts
from knowledge_base.index import Index
from knowledge_base.library import shipped

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def index() -> Index:
    made = Index(vectors=False)
    asyncio.run(made.load([each.guide for each in shipped() if each.guide.preset == "hospital"]))
    return made


async def ask(index: Index, question: str) -> Answer:
    return await answer(None, index, question, "hospital", NOW)


@pytest.mark.parametrize(
    ("question", "department"),
    [
        pytest.param("老是反酸、肚子胀挂什么科", "消化内科", id="two complaints of one row"),
        pytest.param("牙疼看什么科", "口腔科", id="疼 is 痛"),
        pytest.param("最近掉头发挂哪个科", "皮肤科", id="the resident's word"),
        pytest.param("小孩咳嗽挂什么科", "儿科", id="a child goes to the children's department"),
        pytest.param("孩子牙疼挂什么科", "口腔科", id="but for teeth"),
        pytest.param("耳鸣去哪个科室看", "耳鼻咽喉科", id="ears"),
        pytest.param("崴脚了挂哪科", "骨科", id="a sprain"),
    ],
)
async def test_a_complaint_leads_to_the_department_of_the_approved_table(index: Index, question: str, department: str) -> None:
    found = await ask(index, question)
    assert ("answered", "which-department") == (found.status, found.citations[0].guide)
    assert department in found.text
    guide = next(each for each in index.shelves["hospital"].guides if each.slug == "which-department")
    assert found.citations[0].quote in guide.fields["window"] + guide.fields["conditions"]


@pytest.mark.parametrize(
    "question",
    ["我爸突然胸痛出冷汗", "有人晕倒了叫不醒", "孩子误服了老鼠药怎么办", "喘不过气挂什么科", "突然嘴歪说话不清", "不想活了",
     "刚刚出车祸了"],
)
async def test_warning_signs_lead_to_120_before_anything_else(index: Index, question: str) -> None:
    found = await ask(index, question)
    assert found.text.startswith(texts()["warning"]) and "120" in found.text
    assert found.citations[0].guide == "emergency"


@pytest.mark.parametrize(
    "question",
    [
        "布洛芬一次吃几片", "头孢和阿莫西林能一起吃吗", "我是不是得了癌症", "这个药副作用大吗", "降压药能停药吗",
        "甲状腺结节要不要开刀", "胃疼吃什么药", "孩子发烧吃几毫升退烧药", "血糖8.2严重吗", "高血压能治好吗",
        "感冒吃什么药好得快", "漏服一次药要补吗",
    ],
)
async def test_no_diagnosis_no_dose_no_opinion(index: Index, question: str) -> None:
    found = await ask(index, question)
    if found.status == "answered":
        assert found.text.startswith((texts()["no_diagnosis"], texts()["warning"])), found.text
        assert "department" == found.reason
    else:
        assert (found.status, found.citations) == ("no_guide", ())


async def test_who_pays_after_an_accident_is_a_plain_question(index: Index) -> None:
    found = await ask(index, "车祸住院押金交多少，住院办理要什么材料")
    assert ("answered", "admission") == (found.status, found.citations[0].guide)


async def test_eating_before_an_examination_is_no_medical_opinion(index: Index) -> None:
    found = await ask(index, "做胃镜检查前能吃东西吗，要空腹几个小时")
    assert ("answered", "examinations") == (found.status, found.citations[0].guide)
