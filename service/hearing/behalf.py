"""For whom he speaks: 替我妈问一下, 我妈腿脚不便让我打的; relation and the piece that tells it."""

import re
from collections.abc import Sequence

from service.hearing.people import Said
from service.hearing.voices import Heard

_NEAR = "妈妈?|爸爸?|母亲|父亲|爹|娘|奶奶|爷爷|外婆|外公|姥姥|姥爷|婆婆|公公|岳父|岳母|丈母娘|老公|老婆|丈夫|妻子|爱人|儿子|女儿|姐姐?|妹妹?|哥哥?|弟弟?|父母|爸妈"
_OTHERS = "亲戚|邻居|朋友|同事|租客|老人|孩子|小孩|公司|单位|学校"
_SPEAKS_FOR = (  # Who helps or forbids is not who is spoken for: 保安帮邻居说话, 我公司让我搬走.
    re.compile(rf"(?:^|(?<=[，,。\s我想来是])(?<!不是))(?:替|代表?|帮)(?:着)?(?:我们?|咱们?)?家?(?:的)?(?:隔壁|楼下|楼上)?(?:的)?(?P<who>{_NEAR}|{_OTHERS})"
               r"(?=[^，。]{0,4}(?:问|反映|反应|投诉|报|打|办|查|说|约|挂|登记)|[，,。\s]|$)"),
    re.compile(rf"我(?P<who>{_NEAR}|{_OTHERS})[^，。]{{0,6}}(?:让|叫|托)我(?:给你们|给您|来|帮)?(?:打|问|反映|投诉|报|说|办)"),
    re.compile(rf"我(?P<who>{_NEAR}|老人)[^，。]{{0,12}}(?:不会打|不会用|不会说|腿脚|行动不便|听不)"),
)


def find_behalf(pieces: Sequence[Heard]) -> Said | None:
    """Who is meant, in the caller's first words for it; None where he speaks for himself."""
    for piece in pieces:
        match = next((match for pattern in _SPEAKS_FOR if (match := pattern.search(piece.plain))), None)
        if piece.is_caller and match:
            return Said(match["who"], 0.8, piece)
    return None
