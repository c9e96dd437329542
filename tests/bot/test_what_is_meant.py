"""What lets a matter go, says that it is not solved, reports or wants a repair; and what only sounds like it."""
from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bot"))

from actions.reading import asks_for_repair, give_up, reports_misconduct
from actions.unsolved import says_not_later


@pytest.mark.parametrize(("text", "wanted"), [
    ("这么贵 那算了 我挂闲鱼送人好了", True), ("要登记这么多啊，算了算了，我自己找人修", True), ("哦哦 那算了 我自己再问问血站", True), ("太麻烦，还是算了吧", True),
    ("算了，不用保密了", False), ("算了，不留电话了", False), ("算了，你登记吧", False), ("电话就算了吧", False), ("算了，打13800138000", False),
    ("上次想着算了，这次又来", False), ("物业费是怎么算了出来的", False), ("算了不报修了", True), ("不投诉了", True),
])
def test_letting_go_is_seen_in_any_clause(text: str, wanted: bool) -> None:
    assert give_up(text) is wanted


@pytest.mark.parametrize(("text", "wanted"), [
    ("不对哦 我刚进门 还是哐的一声 没修好", True), ("恢复啥呀 我刚拧开放了十分钟 还是冰凉的 没修好", True), ("刚下楼看了一眼，灯还是不亮", True),
    ("师傅走了不到半小时，又响了", True), ("我昨晚试了，门依然关不上", True), ("修好啥呀", True), ("我看了，一点没变", True), ("越修越坏", True),
    ("还是你们靠谱，谢谢", False), ("我还是想问下停车费", False), ("还是要谢谢师傅", False), ("修好了，又快又好", False), ("挺好的，还是满意的", False),
    ("我要投诉7栋的灯没修好", False), ("另外三楼的水管没修好", False), ("又来麻烦你们了", False),
])
def test_a_later_clause_says_that_it_is_not_solved(text: str, wanted: bool) -> None:
    assert says_not_later(text) is wanted


@pytest.mark.parametrize(("text", "wanted"), [
    ("举报一下 今天早上七点半 两个黄牛卖皮肤科专家号 五百一个", True), ("我要举报你们保安私放车辆收钱", True), ("门口有号贩子在卖专家号，五百一个", True),
    ("帮我约个专家号", False), ("我想预约体检，医生建议的", False), ("举报电话是多少", False), ("怎么举报黄牛", False), ("我没举报，我要预约", False),
])
def test_a_report_is_no_booking(text: str, wanted: bool) -> None:
    assert reports_misconduct(text) is wanted


@pytest.mark.parametrize(("text", "wanted"), [
    ("替我妈报个修 她家暖气不热了", True), ("我想报一下修，厨房漏水", True), ("麻烦帮我报修，灯坏了", True), ("我报修了三次没人来", False), ("我要投诉报修没人来", False),
    ("我报修的单子呢", False), ("给你们报修好几遍了", False),
])
def test_who_asks_for_a_repair_makes_a_request(text: str, wanted: bool) -> None:
    assert asks_for_repair(text) is wanted
