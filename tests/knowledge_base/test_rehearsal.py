"""The nightly inspection finds what an owner must look at and leaves sound guides alone."""

import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import pytest

from knowledge_base.guide import Faq, Guide
from knowledge_base.index import Index
from knowledge_base.library import shipped
from knowledge_base.rehearsal import Known, Outcome, rehearse

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
HALL = [each.guide for each in shipped(["hall"])]
PASSPORT = next(guide for guide in HALL if guide.slug == "passport")


async def inspect(changed: Guide, known: Known | None = None) -> Outcome:
    guides = [changed if guide.slug == changed.slug else guide for guide in HALL]
    index = Index(vectors=False)
    await index.load(guides)
    return await rehearse(index, guides, NOW, known={changed.slug: known} if known else {}, only={changed.slug})


def said(**changed: str) -> Guide:
    return dataclasses.replace(PASSPORT, fields={**PASSPORT.fields, **changed})


def of(slug: str, name: str) -> str:
    return next(guide.fields[name] for guide in HALL if guide.slug == slug)


async def test_a_sound_guide_passes_all_its_questions() -> None:
    outcome = await inspect(PASSPORT)
    assert [] == outcome.failures
    assert (1, len(PASSPORT.faq) + 8) == (outcome.guides, outcome.questions)


@pytest.mark.parametrize(
    ("broken", "kind", "words"),
    [
        pytest.param(dataclasses.replace(PASSPORT, valid_to=date(2026, 11, 1)), "dates", "过期", id="over"),
        pytest.param(dataclasses.replace(PASSPORT, valid_from=date(2027, 1, 1)), "dates", "才生效", id="not yet in force"),
        pytest.param(dataclasses.replace(PASSPORT, checked_on=date(2026, 12, 1)), "dates", "将来", id="checked in the future"),
        pytest.param(dataclasses.replace(PASSPORT, checked_on=date(2023, 1, 1)), "dates", "两年", id="checked long ago"),
        pytest.param(dataclasses.replace(PASSPORT, valid_to=date(2099, 1, 1)), "dates", "太远", id="no end in sight"),
        pytest.param(said(forms="[表](guide:nothing)"), "link", "nothing", id="a guide that is not there"),
        pytest.param(said(forms="[表](htp://www.gov.cn)"), "link", "htp", id="a link that opens nothing"),
        pytest.param(said(forms="[表](https://www.example.com/a)"), "link", "example", id="a link that was never meant"),
        pytest.param(said(phone="0571-5551 011"), "text", "位数", id="a telephone short of a digit"),
        pytest.param(said(steps="2026年2月30日前交齐"), "text", "2月30日", id="a day that does not exist"),
        pytest.param(said(hours="周一至周五 09:00–25:00"), "text", "25:00", id="an hour that does not exist"),
        pytest.param(said(fee=of("company", "fee")), "swapped", "收费标准", id="another guide's fee"),
        pytest.param(said(fee="护照160元/本。"), "swapped", "金额不一致", id="a fee that the FAQ contradicts"),
        pytest.param(said(limit_promised=of("pension", "limit_promised")), "swapped", "养老", id="another guide's limit"),
        pytest.param(said(fee=""), "text", "缺少", id="no fee"),
    ],
)
async def test_a_planted_fault_is_found(broken: Guide, kind: str, words: str) -> None:
    outcome = await inspect(broken)
    assert [each for each in outcome.failures if each.kind == kind and words in each.text], outcome.failures
    assert {"passport"} == {each.guide for each in outcome.failures}
    assert {PASSPORT.owner} == {each.owner for each in outcome.failures}


async def test_a_question_that_was_put_into_the_wrong_guide_is_found_where_it_belongs() -> None:
    thief = dataclasses.replace(PASSPORT, faq=(*PASSPORT.faq, Faq("结婚登记要带什么材料", "户口簿。")))
    guides = [thief if guide is PASSPORT else guide for guide in HALL]
    index = Index(vectors=False)
    await index.load(guides)
    outcome = await rehearse(index, guides, NOW, only={"passport", "marriage"})
    assert [("marriage", "answer", "结婚登记要带什么材料")] == [
        (each.guide, each.kind, each.question) for each in outcome.failures]


async def test_a_fee_that_changed_without_a_new_check_is_found_and_with_one_is_not() -> None:
    changed = said(fee=PASSPORT.fields["fee"].replace("60元/张", "65元/张"))
    outcome = await inspect(changed, Known(changed, PASSPORT))
    assert ["unchecked"] == [each.kind for each in outcome.failures]
    checked = dataclasses.replace(changed, checked_on=date(2026, 11, 25))
    assert [] == (await inspect(checked, Known(checked, PASSPORT))).failures


async def test_a_text_that_was_changed_behind_the_record_is_found() -> None:
    outcome = await inspect(said(address="别处"), Known(PASSPORT, None))
    assert "altered" in {each.kind for each in outcome.failures}


async def test_an_opening_state_that_residents_are_not_told_is_found() -> None:
    def opening(guide: Guide, day: date, now: datetime) -> str:
        return next(said_so) if day == date(2026, 11, 26) else ""

    said_so: Any = iter(f"第{number}次" for number in range(1000))
    index = Index(vectors=False)
    await index.load(HALL)
    outcome = await rehearse(index, HALL, NOW, opening=opening, only={"passport"})
    assert {"opening"} == {each.kind for each in outcome.failures}
