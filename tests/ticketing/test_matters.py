"""Where a resident's words lead: category and urgency."""

import pytest

from ticketing import urgency
from ticketing.examination import fixed_questions
from ticketing.lesson import learn
from ticketing.matters import ASIDE, FALLBACK, Matters, Phrase, phrases_of, pieces
from ticketing.preset import PRESETS, load_preset


@pytest.fixture(scope="module")
def hall() -> Matters:
    preset = load_preset("hall")
    return learn(preset, phrases_of(preset), None)


@pytest.mark.parametrize("name", PRESETS)
def test_every_phrase_of_a_preset_names_a_category_of_it(name: str) -> None:
    preset = load_preset(name)
    phrases = phrases_of(preset)
    spoken_for = {phrase.category for phrase in phrases}
    assert spoken_for == {ASIDE, *(item.code for item in preset.categories)}
    assert len({phrase.text for phrase in phrases}) > 100 and all(phrase.text.strip() for phrase in phrases)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("老板拖欠我们二十多个农民工三个月工资，打电话也不接", "labour-wages"),
        ("半夜一点工地还在打桩，噪声吵得孩子没法睡", "environment-noise"),
        ("孩子今年上小学，划片划到三公里外，楼下的学校却不收", "education-enrolment"),
        ("出租车司机拒载，还绕路多收钱", "transport-taxi"),
        ("健身房倒闭了，办的预付卡还剩两千块不退", "trade-consumer"),
    ],
)
def test_a_complaint_goes_where_its_words_lead(hall: Matters, text: str, category: str) -> None:
    best, *others = hall.guess(text, None)
    assert best.category == category and best.words
    assert best.share >= others[0].share and sum(each.share for each in (best, *others)) == pytest.approx(1, abs=1e-3)


def test_what_is_about_nothing_we_know_is_other(hall: Matters) -> None:
    assert [each.category for each in hall.guess("zzqx vvkw 123", None)] == [FALLBACK]


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("公司三个月没发工资，家里孩子等着交学费", "公司三个月没发工资"),
        ("那个地铁工地每天半夜轰隆隆的，我是上夜班的，觉也睡不好，还让不让人睡觉了！", "那个地铁工地每天半夜轰隆隆的"),
        ("路灯坏了，井盖也没了", "路灯坏了，井盖也没了"),
        ("觉也睡不好，还让不让人睡觉了", "觉也睡不好，还让不让人睡觉了"),
        ("一句话没有标点", "一句话没有标点"),
        ("，，。", "，，。"),
    ],
)
def test_what_is_said_beside_the_matter_does_not_count(hall: Matters, text: str, point: str) -> None:
    assert hall.to_the_point(text, None) == point


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("我在医院当保洁，四个月没给工资，孩子上学的钱都是借的", "labour-wages"),
        ("小学门口的路灯一排都不亮，娃放学黑咕隆咚", "construction-municipal"),
        ("窗口的人暗示要送东西，给了两条烟才办执照", "window-integrity"),
        ("建议大厅设个母婴室，带娃来办医保没地方喂奶", "window-facilities"),
    ],
)
def test_the_scene_and_who_tells_are_not_the_matter(hall: Matters, text: str, category: str) -> None:
    assert hall.guess(hall.to_the_point(text, None), None)[0].category == category


def test_what_officers_corrected_weighs_more_than_an_example() -> None:
    preset = load_preset("hall")
    corrected = [Phrase("affairs-community", "楼下麻将馆通宵打牌", 3.0)]
    assert learn(preset, phrases_of(preset), None).guess("楼下麻将馆通宵", None)[0].category != "affairs-community"
    learnt = learn(preset, [*phrases_of(preset), *corrected], None)
    assert learnt.guess("楼下麻将馆通宵", None)[0].category == "affairs-community"


@pytest.mark.parametrize("text", ["", "短", "长" * 5000, "换行\n\n很多\t空白"])
def test_any_text_has_two_pieces_that_fit_the_engine(text: str) -> None:
    first, second = pieces(text)
    assert len(first) <= 60 and len(second) <= 80


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("小区路灯不亮", "routine"),
        ("不急，有空来看看就行", "routine"),
        ("这事不紧急，慢慢来", "routine"),
        ("楼道墙皮快掉下来了，会砸到人", "urgent"),
        ("厨房一直漏水，请尽快派人", "pressing"),
        ("反映了好几次都没人管", "pressing"),
        ("没有漏水，只是想问问", "routine"),
        ("从早上七点砸到晚上九点", "routine"),
        ("今晚又在跳广场舞", "routine"),
        ("师傅说明天就来", "routine"),
        ("材料明天就要截止了", "urgent"),
    ],
)
def test_urgency_is_read_from_the_words_unless_they_are_taken_back(text: str, level: str) -> None:
    found, words = urgency.judge(text)
    assert found == level and bool(words) == (level != "routine")


@pytest.mark.parametrize(
    ("text", "kind", "level"),
    [
        ("半夜病危多亏小周护士，老人都夸她", "praise", "routine"),
        ("候诊椅子太少，老人都站着，能不能加几把", "suggestion", "routine"),
        ("井盖没了会砸到人，建议换成新的", "suggestion", "urgent"),
    ],
)
def test_thanks_and_suggestions_wait_unless_there_is_danger(text: str, kind: str, level: str) -> None:
    assert urgency.judge(text, kind)[0] == level


@pytest.mark.parametrize("name", PRESETS)
def test_the_fixed_test_asks_about_categories_there_are_and_nothing_that_is_learnt(name: str) -> None:
    preset = load_preset(name)
    asked = fixed_questions(preset)
    learnt = {phrase.text for phrase in phrases_of(preset)}
    assert len(asked) >= 60 and len({text for text, _ in asked}) == len(asked)
    assert {code for _, code in asked} <= {item.code for item in preset.categories}
    assert not [text for text, _ in asked if text in learnt]


def test_a_word_that_only_two_residents_use_is_not_learnt() -> None:
    preset = load_preset("hall")

    def knows(residents: int) -> bool:
        own = [Phrase("affairs-aid", "欧阳铁柱要低保", 1.0, resident) for resident in range(residents)]
        return "铁柱" in learn(preset, [*phrases_of(preset), *own], None).names

    assert [knows(2), knows(3)] == [False, True]


def test_a_ticket_at_the_first_level_says_nothing_about_the_levels_below() -> None:
    preset = load_preset("hall")
    own = [Phrase("labour", f"厂里拖欠工资{n}个月", 3.0, n) for n in range(30)]
    best = learn(preset, [*phrases_of(preset), *own], None).guess("厂里拖欠工资", None)[0]
    assert best.category == "labour-wages"
