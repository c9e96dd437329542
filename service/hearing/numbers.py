"""Numbers as they are spoken: 幺三八零零, 洞, 拐, 三个八; rows of digits, telephone numbers, numerals before 栋 and 室."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

SPOKEN = {
    **dict(zip("零一二三四五六七八九", "0123456789", strict=True)),
    "〇": "0", "洞": "0", "幺": "1", "妖": "1", "腰": "1", "夭": "1", "两": "2", "俩": "2", "拐": "7", "勾": "9", "陆": "6",
}
ALIKE = {"凌": "0", "林": "0", "伞": "3", "散": "3", "舞": "5", "武": "5", "留": "6", "刘": "6", "气": "7", "吧": "8", "爸": "8",
         "酒": "9", "久": "9"}
"""Characters a recogniser writes for a digit; read as one only in the middle of a long row."""
LONG_ROW = 7
_D = f"[0-9０-９{''.join(SPOKEN)}]"
_GAP = r"(?:[\s,，、。.…\-—–]|嗯++|呃++|啊|哎|然后|那个|就是){0,3}"
"""Between two digits. What was hummed is taken whole: parts of it, tried in all ways, would take the cube of its length."""
_ROW = re.compile(rf"(?:[两三四]个{_D}|{_D})(?:{_GAP}(?:[两三四]个{_D}|{_D}|[{''.join(ALIKE)}](?={_GAP}{_D})))*")
_TIMES = re.compile(rf"([两三四])个({_D})")
_WIDE = str.maketrans("０１２３４５６７８９", "0123456789")
PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}[2-9]\d{6,7}|400\d{7}")
_UNIT = r"号楼|号院|栋|幢|座|单元|楼|层|室|房间?|号房|号(?:窗口|门|线|病房)|期|弄|组|床"
_NUMERALS = "零〇幺一二三四五六七八九十百两"
_BEFORE_UNIT = re.compile(rf"(?<![{_NUMERALS}])([{_NUMERALS}]++)(?=\s?(?:{_UNIT}))")
"""From its beginning and whole, or not at all: each row is looked at once."""
_BEHIND_HOUSE = re.compile(r"(?:栋|幢|座|单元|楼|号|室|弄)[-\s]{0,3}$")
_LONGEST_COUNT = 8
"""Numerals in what is counted, 一百二十三; a longer row is digits, whatever stands in it."""
_HEARD_UNITS = (
    (re.compile(r"(?<=[\d零一二三四五六七八九十])(?:懂|董|冻)(?=$|[，,。\s\d一二三四五六七八九十单门楼电的那])"), "栋"),
    (re.compile(r"(?<=[\d一二三四五六七八九十])(?:单员|单圆|丹元|但愿)"), "单元"),
)
"""What a recogniser writes for 栋 and 单元 behind a number."""
_LONG = re.compile(r"[零〇幺洞拐一二三四五六七八九]{3,4}(?![十百千万个])")
_TEN = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "幺": 1, "〇": 0}


@dataclass(frozen=True, slots=True)
class Number:
    """A row of digits and its place in the text."""

    start: int
    end: int
    digits: str
    is_house: bool = False
    """A house, a room or a price: a unit stands behind it."""

    @property
    def is_phone(self) -> bool:
        return PHONE.fullmatch(self.digits) is not None


def find_numbers(text: str) -> Iterator[Number]:
    """Rows of two and more digits, spoken or written. A row that holds a whole telephone number is cut to it."""
    for match in _ROW.finditer(text):
        row = match.group(0)
        digits = to_digits(row)
        if len(digits) < 2:
            continue
        following = text[match.end() : match.end() + 2]
        behind_house = _BEHIND_HOUSE.search(text[max(0, match.start() - 5) : match.start()]) and len(digits) <= 4
        if behind_house or (re.match(rf"{_UNIT}|元|块|年|月|日|点|天|个|岁|平|分|度|路|十|百|千|万|多", following) and len(digits) < LONG_ROW):
            yield Number(match.start(), match.end(), digits, is_house=True)
            continue
        if len(digits) < LONG_ROW and any(char in ALIKE for char in row):
            continue
        yield Number(match.start(), match.end(), _cut(digits))


def _cut(digits: str) -> str:
    """Eighty-six before it, or a part that was begun again, is not the number: the last whole one is."""
    if len(digits) <= 11:
        return digits
    whole = re.findall(r"(?=(1[3-9]\d{9}))", digits)
    return whole[-1] if whole else digits


def to_digits(row: str) -> str:
    """一三八 → 138; 三个八 → 888."""
    row = _TIMES.sub(lambda match: match[2] * {"两": 2, "三": 3, "四": 4}[match[1]], row.translate(_WIDE))
    return "".join(SPOKEN.get(char) or ALIKE.get(char) or (char if char.isdigit() else "") for char in row)


def write_numerals(text: str) -> str:
    """三号楼二单元幺零二 → 3号楼2单元102: what has a unit, and rows of three and more digits, which nobody means else."""
    for pattern, unit in _HEARD_UNITS:
        text = pattern.sub(unit, text)
    text = _BEFORE_UNIT.sub(lambda match: _value(match[1]), text)
    return _LONG.sub(lambda match: to_digits(match[0]), text)


def to_number(text: str) -> str:
    """五号 → 5号, 十二 → 12: an answer to 几号, where every numeral counts."""
    return re.sub(rf"[{_NUMERALS}]+", lambda match: _value(match[0]), text)


def _value(said: str) -> str:
    if not re.search("[十百]", said) or len(said) > _LONGEST_COUNT:
        return to_digits(said)
    if "百" in said:
        hundreds, _, rest = said.partition("百")
        return str(_TEN.get(hundreds, 1) * 100 + int(_value(rest.lstrip("零")) or 0) if rest else _TEN.get(hundreds, 1) * 100)
    tens, _, ones = said.partition("十")
    return str((_TEN.get(tens, 1) if tens else 1) * 10 + _TEN.get(ones, 0))
