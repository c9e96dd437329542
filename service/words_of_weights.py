"""What came of a learning, in the words of the page and the command."""

from collections.abc import Mapping
from typing import Any

OUTCOMES = {
    "better": "比原来好",
    "not_better": "没有比原来好，没有自动启用",
    "too_few": "可以学的工单太少，没有学",
    "one_category": "工单都在同一个类别，没有学",
    "nothing_new": "和上一次相比没有新的工单，没有再学",
}
_TESTS = {"fixed": "固定试题", "held_out": "本单位留出的工单"}


def describe_figures(outcome: str, figures: Mapping[str, Any]) -> list[str]:
    """The outcome, what was learnt from, and how many were right before and after."""
    lines = [OUTCOMES.get(outcome, outcome)]
    lines.append(f"工单 {figures['tickets']} 件（其中更正过类别的 {figures['amended']} 件），{figures['categories']} 个类别")
    if figures.get("lost"):
        lines.append(f"另有 {figures['lost']} 件的类别已经不在类别表里，没有用")
    lines += [
        f"{name}：{marks['of']} 题，原来对 {marks['before']} 题，现在对 {marks['after']} 题"
        for test, name in _TESTS.items() if (marks := figures.get(test))
    ]
    return lines
