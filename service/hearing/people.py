"""Who calls and on which number he wants to be called back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from service.hearing.answers import corrects, says_yes
from service.hearing.numbers import PHONE, Number, to_digits
from service.hearing.voices import Heard

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟"
    "谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐章"
)
_DOUBLE = "欧阳|上官|司马|诸葛|东方|皇甫|司徒|慕容"
NAME = rf"(?:{_DOUBLE}|[{SURNAMES}])"
"""A surname."""
_TITLE = "先生|女士|小姐|阿姨|大爷|大妈|师傅|老师|奶奶|爷爷"
SPELT = {
    "弓长": "张", "立早": "章", "木子": "李", "耳东": "陈", "双木": "林", "口天": "吴", "古月": "胡", "草头": "黄", "双人": "徐",
    "言午": "许", "禾呈": "程", "走肖": "赵", "三横": "王", "三点水": "汪", "干勾": "于", "人未": "余",
}
"""How a surname is told apart by its parts: 弓长张, 立早章."""
_SAYS_NAME = (
    re.compile(rf"(?:我叫|名字是|名字叫|全名叫?|叫做|(?<!不)(?<!是)叫|本人)(?P<it>{NAME}[\u4e00-\u9fa5]{{1,2}}?)(?=$|[，,。.；;！!\s]|的|电话|手机|住|家|是|嘛|啊|哦|<)"),
    re.compile(rf"姓(?P<first>{NAME})[，,\s]*(?P<it>(?P=first)[\u4e00-\u9fa5]{{1,2}})(?=$|[，,。；;！!\s])"),
    re.compile(rf"(?:我是|这边是|是)(?P<it>{NAME}(?:{_TITLE}))"),
    re.compile(rf"我是(?P<it>{NAME}[\u4e00-\u9fa5]{{1,2}})(?=$|[，,。；;！!\s])"),
    re.compile(rf"我是[^，,。]{{0,8}}(?:业主|住户|居民|村民|患者|病人|家属|租户|女儿|儿子|闺女|丈夫|老公|妻子|老婆|爱人|母亲|父亲|妈妈|爸爸|女婿|儿媳|孙子|孙女|家长)(?P<it>{NAME}[\u4e00-\u9fa5]{{1,2}})(?=$|[，,。；;！!\s])"),
    re.compile(rf"(?:[免面][贵跪桂]|我|敝|本人)?(?<!贵)(?:姓|信(?={NAME}[，,。\s]|{NAME}$))(?:的是|是)?(?P<it>{NAME})"),
    re.compile(rf"[免面][贵跪桂][，,\s]*(?:姓|信|性)?(?P<it>{NAME})"),
)
_ANSWER = re.compile(rf"^(?:我|是|叫|哦|啊|姓|[，,。\s])*(?P<it>{NAME}(?:{_TITLE}|[\u4e00-\u9fa5]{{0,2}}))(?:$|[，,。\s])")
_NOT_NAMED = re.compile(r"有人|方便|马上|应该|还有|金额|安全|文件|万一|高兴|向你|白天|何时|任何|石头|于是|何必|温馨|牛奶")
_ASKS_NAME = re.compile(r"贵姓|怎么称呼|如何称呼|姓名|您的?名字|叫什么|您是哪位|称呼您|联系人")
_ASKS_PHONE = re.compile(r"电话|手机|号码|联系方式|怎么联系")
_THIS_NUMBER = re.compile(r"(?:就是|就|打|用)?(?:这个|本机|来电|现在(?:打)?的?这个|我(?:现在)?打(?:过来|进来)?的(?:这个)?)(?:电话|号码?|手机)?(?:就行|就可以|就好|可以|吧|$|，|。)|(?:就是|打)这个(?:电话|号)|来电(?:号码|显示)|打过来的(?:这个)?(?:号|电话)")
_TAIL = re.compile(r"(?:尾号|后[四三两二]位|最后[四三两二]位|后面|最后)(?:是|应该是|那几位是)*$")
_OTHERS = re.compile(r"(?:对方|商家|商户|物业|他们?|她|店里?|老板|中介|前台|客服|公司|热线|骚扰|维修(?:部|师傅)|师傅|窗口|你们?|邻居|楼上|房东)[^，,。]{0,4}(?:的)?(?:电话|号码|热线|手机)?(?:是|号)?$|(?:打|拨打?|拨)了?$")
_OWN = re.compile(r"(?:我|本人|联系|回)[^，,。]{0,3}(?:电话|手机|号码|号)?(?:是|号)?$|(?:打|回)(?:我)?(?:这个)?(?:电话)?$")


@dataclass(frozen=True, slots=True)
class Said:
    """A value, how sure it is, and the piece it came from. `after`: the agent's piece that it confirms."""

    value: str
    confidence: float
    piece: Heard | None
    after: Heard | None = None


def find_person(pieces: Sequence[Heard]) -> Said | None:
    """The caller's name in his own words, or the agent's word for it that he confirmed."""
    found: Said | None = None
    asked = False
    before: Heard | None = None
    for piece in pieces:
        if not piece.is_caller:
            asked, before = bool(_ASKS_NAME.search(piece.text)) or (asked and len(piece.text) < 4), piece
            continue
        name = _name_in(piece, asked)
        if name and (found is None or corrects(piece.plain) or len(name) > len(found.value) or found.confidence < 0.9):
            full = found is not None and name[0] != found.value[0] and not corrects(piece.plain) and found.confidence >= 0.9
            found = found if full else Said(name, 0.9 if asked or len(name) > 1 else 0.85, piece)
        elif not name and found is None and before and says_yes(piece.text):
            match = re.search(rf"({NAME})(?:{_TITLE})[^，。]{{0,6}}(?:[吗吧？?]|是不是)", before.text)
            found = Said(match[0][: len(match[1]) + 2], 0.75, piece, before) if match else None
        asked = asked and len(piece.plain) <= 2 and name is None
        before = piece
    return found


def _name_in(piece: Heard, asked: bool) -> str | None:
    text = re.sub(r"不(?:是|姓)[^，,。\s]{1,2}(?=[，,。\s是姓])", "", piece.plain)
    spelt = next((name for parts, name in SPELT.items() if re.search(f"{parts}(?:的)?[{SURNAMES}]", text)), None)
    match = next((match for pattern in _SAYS_NAME if (match := pattern.search(text))), None)
    match = match or (_ANSWER.search(text) if asked else None)
    if match is None or _NOT_NAMED.match(match["it"]):
        if match is None and corrects(piece.plain) and (again := re.search(rf"是({NAME})(?:$|[，,。\s]|字)", text)):
            return spelt or again[1]
        return spelt if asked else None
    return spelt + match["it"][1:] if spelt else match["it"]


def find_phone(pieces: Sequence[Heard], caller: str) -> Said | None:
    """The number to call him back on. `caller`: the number shown by the exchange, empty where it showed none."""
    found: Said | None = None
    readback: tuple[str, Heard] | None = None
    row, row_piece = "", None
    asked = False
    for piece in pieces:
        phones = [number for number in piece.numbers if number.is_phone]
        digits = "".join(number.digits for number in piece.numbers if not number.is_house)
        if not piece.is_caller:
            asked = asked or bool(_ASKS_PHONE.search(piece.text))
            if phones:
                readback = (phones[-1].digits, piece)
            continue
        own = [number for number in phones if not _is_others(piece.text, number.start)]
        if own:
            found, row, readback = Said(own[-1].digits, 0.9, piece), "", None
        elif phones:
            continue
        elif (base := readback[0] if readback else found.value if found else "") and corrects(piece.text) and (
                amended := _amend(base, piece)):
            found, readback = Said(amended, 0.9, piece), None
        elif readback and says_yes(piece.text):
            near = found is not None and found.value == readback[0]
            # What he takes as read back is his number, whatever was heard of it before.
            found = Said(readback[0], 0.97, found.piece, readback[1]) if near and found else Said(
                readback[0], 0.95, row_piece or piece, readback[1])
            readback, row = None, ""
        elif len(digits) >= 2 and (asked or row or digits[0] == "1" or "电话" in piece.text) and not found:
            row, row_piece = (digits, piece) if not row or digits.startswith(row) else (row + digits, row_piece)
            if PHONE.fullmatch(row):
                found, row = Said(row, 0.85, row_piece), ""
            elif len(row) > 11:
                row = ""
        elif found is None and caller and _THIS_NUMBER.search(piece.plain) and (asked or "电话" in piece.text or "号" in piece.text):
            found = Said(caller, 0.9, piece)
        if corrects(piece.text) and readback and not own:
            readback = None
    return found or (Said(caller, 0.6, None) if caller else None)


def _amend(base: str, piece: Heard) -> str | None:
    """尾号是7890, 不是5是9: the number that was said before with this part of it replaced."""
    for number in piece.numbers:
        if _TAIL.search(piece.text[: number.start]) and len(number.digits) < len(base):
            return base[: -len(number.digits)] + number.digits
    spoken = re.search(r"不是([零〇一二三四五六七八九幺两洞拐0-9])[，,\s]*是([零〇一二三四五六七八九幺两洞拐0-9])(?!\w)", piece.text)
    if spoken and base.count(to_digits(spoken[1])) == 1:
        return base.replace(to_digits(spoken[1]), to_digits(spoken[2]))
    return None


def _is_others(text: str, start: int) -> bool:
    before = text[max(0, start - 12) : start]
    return bool(_OTHERS.search(before)) and not _OWN.search(before)


def _is_part(number: Number, phone: str) -> bool:
    whole, digits = number.is_phone, number.digits
    return whole or (len(digits) >= 3 and phone.startswith(digits)) or (len(digits) >= 4 and digits in phone)


def number_parts(pieces: Sequence[Heard], phone: str) -> set[tuple[int, int, int]]:
    """(piece, start, end) of every row of digits that is a number or a part of this one; 三零一 may be a room as well."""
    return {
        (place, number.start, number.end)
        for place, piece in enumerate(pieces)
        for number in piece.numbers
        if not number.is_house and _is_part(number, phone)
    }
