"""What must not be published is found."""

from datetime import date

import pytest

from knowledge_base.check import check_all
from tests.knowledge_base.samples import sample

TODAY = date(2026, 11, 26)


def test_a_whole_guide_has_no_fault() -> None:
    assert [] == check_all([sample()], TODAY)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        pytest.param({"leave_out": "window"}, "window", id="missing field"),
        pytest.param({"fee": " "}, "fee", id="empty fee"),
        pytest.param({"phone": "0571-555 001"}, "phone", id="phone too short"),
        pytest.param({"result": "见[这里](htp:/x)"}, "result", id="dead link"),
        pytest.param({"front": "valid_to: 2026-10-01"}, "valid_to", id="expired"),
        pytest.param({"front": "checked_on: 2026-12-01"}, "checked_on", id="checked in the future"),
    ],
)
def test_a_fault_is_found_and_named(said: dict[str, str], field: str) -> None:
    assert field in [fault.field for fault in check_all([sample(**said)], TODAY)]


def test_a_reference_to_no_guide_is_found() -> None:
    other = sample("other", "户口迁移", "迁户口")
    faults = check_all([sample(steps="先办[别的](guide:nowhere)"), other], TODAY)
    assert ["permit"] == [fault.guide for fault in faults]


@pytest.mark.parametrize(
    ("one", "other", "field"),
    [
        pytest.param({"window": "3号窗口（户籍）", "phone": "0571-5551 0001"},
                     {"window": "3号窗口（户籍）", "phone": "0571-5551 0002"}, "phone", id="one window, two phones"),
        pytest.param({"fee": "居住证工本费10元"}, {"fee": "居住证工本费20元"}, "fee", id="one fee, two amounts"),
    ],
)
def test_guides_that_contradict_each_other_are_found(
    one: dict[str, str], other: dict[str, str], field: str
) -> None:
    faults = check_all([sample(**one), sample("other", "户口迁移", "迁户口", **other)], TODAY)
    assert [field] == [fault.field for fault in faults]
