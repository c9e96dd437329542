"""A complaint that blames nobody is a request where its category is asked for as a rule."""

import pytest

from ticketing.kinds import settle
from ticketing.preset import load_preset


@pytest.mark.parametrize(
    ("preset", "category", "text", "kind"),
    [
        ("property", "repairs-plumbing", "2栋302马桶底下渗水，昨天开始的，下午都有人", "request"),
        ("property", "utilities-gas", "主卧的暖气三天了都不热，客厅倒是热的", "request"),
        ("property", "repairs-plumbing", "马桶漏水报了五天没人来", "complaint"),
        ("property", "lifts-fault", "电梯又坏了，一个月坏三次", "complaint"),
        ("property", "noise-living", "楼上半夜跺脚", "complaint"),
        ("hospital", "records-errors", "出院小结上名字写成了李明，麻烦更正", "request"),
        ("hospital", "environment-meals", "送来的饭是凉的", "complaint"),
        ("hall", "construction-municipal", "路灯不亮", "complaint"),
    ],
)
def test_a_complaint_without_blame_is_what_its_category_is(preset: str, category: str, text: str, kind: str) -> None:
    assert settle(load_preset(preset), "complaint", category, text) == kind


@pytest.mark.parametrize("kind", ["report", "praise", "suggestion", "consultation", "request"])
def test_another_kind_stays(kind: str) -> None:
    assert settle(load_preset("property"), kind, "repairs-plumbing", "马桶漏水") == kind
