"""A question is put as the guides put it before it is searched."""

import pytest

from knowledge_base.spoken import plainly


@pytest.mark.parametrize("said, plain", [
    ("我爸前天夜里走了", "我爸前天夜里去世了"),
    ("老爷子人没了，先办啥", "老爷子人去世了，先办啥"),
    ("我奶奶不在了户口怎么销", "我奶奶去世了户口怎么销"),
    ("我阿婆寻晚过身", "我奶奶寻晚去世"),
    ("系咪自动发㗎 去边度申请", "是不是自动发的 去哪里申请"),
    ("佢行唔郁 办得唔得", "他走不动 办可不可以"),
    ("我要 No Criminal Record 证明", "我要 无犯罪记录 证明"),
])
def test_dialect_english_and_euphemisms_are_put_plainly(said: str, plain: str) -> None:
    assert plainly(said) == plain


@pytest.mark.parametrize("said", [
    "我妈走了三趟都没办成", "我爸走了好几个窗口", "老人家搬走了", "身份证没了怎么补", "我老公走了流程", "我爸的身份证没了", "点击申请没反应",
])
def test_what_only_looks_like_it_stays(said: str) -> None:
    assert plainly(said) == said
