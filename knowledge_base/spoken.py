"""A question as the guides would put it: dialect, English words and what is said instead of 去世, in plain Mandarin."""

import re
from functools import lru_cache
from pathlib import Path

import yaml

from core.segment import fold

HERE = Path(__file__).parent
_KIN = (r"(?:爸爸?|妈妈?|父亲|母亲|爷爷|奶奶|外公|外婆|公公|婆婆|岳父|岳母|姥姥|姥爷|老伴|老公|老婆|丈夫|妻子|爱人|先生|太太|老爷子|老太太|老头子?|老人家?"
        r"|哥哥?|姐姐?|弟弟|妹妹|儿子|女儿|叔叔?|舅舅?|姑姑?|伯伯|阿姨|老爹|老娘|爹|娘)")
_WHEN = (r"(?:[他她]|[,， ]|人|就|刚刚?|突然|已经|昨[天晚夜]|前[天晚夜]|今[天早晨]|大前天|上?个?(?:周|星期|礼拜|月)[一二三四五六日天底初]?|[去前今]年|夜里|晚上|早上|凌晨|下午"
         r"|[0-9一二三四五六七八九十]+(?:号|日|月|天前|年前|个月前))*")
_DIED = re.compile(rf"({_KIN}{_WHEN})(?:走了(?!好?[0-9一二两三四五六七八九十几多]*(?:趟|次|个|遍|回|路|关系|步|流程|程序|手续|的))|走的(?=时候|[，,。 ]|$)|不在了|没了|不行了(?=[，,。 ]*(?:后事|怎么办后))|老了(?=[，,。 ]*(?:后事|丧)))")
"""我爸前天夜里走了 is no walk; 我妈走了三趟 is one."""
_SOFTLY = re.compile(r"离世|辞世|病故|病逝|过世|仙逝|归西|咽气|断气|离开了?(?:我们|人世)|人(?:走了|没了)(?!好?[0-9一二两三几])|白事")


def plainly(question: str) -> str:
    """The question in the guides' own language; as it was where nothing in it is said otherwise."""
    said = _words().sub(lambda found: _table()[found[0].lower()], _as_written(question))
    said = _DIED.sub(r"\g<1>去世了", said)
    return _SOFTLY.sub("去世", said)


def _as_written(question: str) -> str:
    """Folded only where a word of the table may be hidden by traditional characters; case and width stay otherwise."""
    return question if _words().search(question) else fold(question) if _words().search(fold(question)) else question


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    loaded: dict[str, dict[str, str]] = yaml.safe_load((HERE / "spoken.yml").read_text("utf-8"))
    return {word: plain for group in loaded.values() for word, plain in group.items()}


@lru_cache(maxsize=1)
def _words() -> re.Pattern[str]:
    longest = sorted(_table(), key=len, reverse=True)
    return re.compile("|".join(rf"(?<![a-z]){re.escape(word)}(?![a-z])" if word.isascii() else re.escape(word) for word in longest), re.I)
