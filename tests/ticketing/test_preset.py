"""Every preset is read in full, and what it names exists."""

import re
from pathlib import Path

import pytest

from core.errors import Invalid, Misconfigured
from core.reckoning import explain
from ticketing import preset as presets
from ticketing.lifecycle import VERBS
from ticketing.preset import Preset, load_preset
from ticketing.sla import EVENTS

NAMES = ("property", "hall", "hospital")
WHOM = {"clerk", "officer", "assignee", "supervisor", "inspector", "department head", "supervise"}


@pytest.fixture(params=NAMES)
def preset(request: pytest.FixtureRequest) -> Preset:
    return load_preset(request.param)


def test_every_shipped_file_is_one_of_the_presets() -> None:
    assert {path.stem for path in presets.FOLDER.iterdir() if path.is_file()} == set(NAMES)


def test_limits_name_verbs_that_exist_and_people_that_exist(preset: Preset) -> None:
    for rule in preset.sla:
        named = {*rule.starts, *rule.stops, *rule.pauses, *rule.resumes}
        assert named <= VERBS.keys() | EVENTS, rule.id
        assert {whom for _, told in rule.shares for whom in told} <= WHOM, rule.id


def test_every_kind_has_an_accept_and_a_finish_clock_and_an_emergency_its_own(preset: Preset) -> None:
    for kind in ("consultation", "complaint", "request", "suggestion", "report", "praise"):
        names = {r.name for r in preset.sla if not r.applies_to.urgency and kind in (r.applies_to.kind or [kind])}
        assert {"accept", "first_reply", "finish"} <= names, kind
    urgent = {rule.name: rule.target for rule in preset.sla if rule.applies_to.urgency == ("emergency",)}
    assert urgent == {"accept": "1 hour", "first_reply": "2 hours", "finish": "24 hours"}


def test_every_clock_that_offices_keep_has_a_limit(preset: Preset) -> None:
    names = {rule.name for rule in preset.sla}
    kept = {"accept", "first_reply", "finish", "return", "extension", "redo", "call_back", "supplement", "task", "measure",
            "supervision", "progress"}
    assert kept | ({"sign_for"} if preset.sign_for else set()) <= names


def test_every_limit_can_be_counted_and_explained_by_every_department(preset: Preset) -> None:
    from tests.core.test_working_hours import at

    for department in preset.departments:
        for rule in preset.sla:
            steps = explain(preset.hours(department.code), at("2026-09-30 16:40"), rule.target, rule.count, roll=rule.roll)
            assert steps[-1].endswith("到期")


def test_every_code_of_a_refusal_has_words_and_says_where_to_go(preset: Preset) -> None:
    codes = "out_of_area litigation reconsideration petition discipline duplicate no_matter other".split()
    assert [decline.code for decline in preset.declines] == codes
    assert all(decline.words and decline.where_to for decline in preset.declines)


def test_categories_are_a_tree_with_words_for_routing(preset: Preset) -> None:
    for category in preset.categories:
        assert preset.lineage(category.code)[-1] != category.code or category.parent is None
        assert category.keywords and category.description
    shown = preset.describe_categories()
    assert all({"code", "name", "department", "approval", "materials"} <= item.keys() for item in shown)


def test_residents_are_called_what_the_office_calls_them() -> None:
    assert [load_preset(name).words["resident"] for name in NAMES] == ["业主", "群众", "患者"]


def test_the_hall_knows_the_seven_classes_each_with_three_to_eight_below() -> None:
    hall = load_preset("hall")
    roots = {c.name: c.code for c in hall.categories if c.parent is None}
    for name in "城乡建设 环境保护 交通运输 教育文体 劳动和社会保障 商贸旅游 卫生计生".split():
        assert 3 <= sum(c.parent == roots[name] for c in hall.categories) <= 8, name


def test_repairs_of_a_small_office_need_no_approval_and_its_complaints_do() -> None:
    small = load_preset("property")
    assert not small.needs_approval("repairs-plumbing")
    assert small.needs_approval("noise") and small.needs_approval(None)
    assert not small.sign_for and not small.self_approval


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(Misconfigured, match="property"):
        load_preset("embassy")
    with pytest.raises(Misconfigured):
        load_preset("../presets/hall")
    with pytest.raises(Invalid):
        load_preset("hall").department("nowhere")
    with pytest.raises(Invalid):
        load_preset("hall").category("nothing")


@pytest.mark.parametrize(
    ("find", "put", "said"),
    [
        pytest.param("self_approval:", "self_aproval:", "self_aproval", id="unknown key"),
        pytest.param("calendar: office", "calendar: moon", "calendar moon", id="unknown calendar"),
        pytest.param("fallback_department: service", "fallback_department: x", "department x", id="no fallback"),
        pytest.param("target: 7 days", "target: 7.5 days", "fraction of a day", id="fraction"),
        pytest.param("09:00-12:00", "09:00-8", "is not a window", id="broken window"),
        pytest.param("100%:", "all:", "written like 80%", id="broken share"),
    ],
)
def test_a_mistake_in_a_preset_is_named(
    find: str, put: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (presets.FOLDER / "property.yml").read_text(encoding="utf-8")
    assert find in text
    (tmp_path / "property.yml").write_text(text.replace(find, put), encoding="utf-8")
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    with pytest.raises(Misconfigured, match=re.escape(said)):
        load_preset("property")
