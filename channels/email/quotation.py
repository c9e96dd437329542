"""What the resident wrote, apart from what he quoted and from his program's signature. Chinese programs first."""

import re

LONGEST_MARK = 400
"""A line that begins a quotation is shorter; longer ones are not looked at, so that no mail takes minutes."""

_NAMES = (
    r"原始邮件|回复的原邮件|原邮件|回复邮件|邮件原文|答复的邮件|原文|original( (message|mail|email))?|reply message|自动转发"
)
_MARKERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^[-—_=*\s]{{2,60}}({_NAMES})[-—_=*\s]{{2,60}}$",
        r"^(在|于)\s?.{0,160}(写道|写了|说道?)\s?[:：]?$",
        r"^.{0,120}[<＜(（]?[^\s<>()]{1,80}@[^\s<>()]{1,80}[>＞)）]?\s?[,，]?\s?(于|在)?.{0,80}(写道|写了)\s?[:：]$",
        r"^\d{4}\s?[年/.-].{0,160}(写道|写了)\s?[:：]$",
        r"^(on|at)\s.{0,250}(wrote|writes)\s?:$",
        r"^.{1,80}\s(wrote|写道)\s?[:：]$",
    )
)
_FORWARDED = re.compile(
    r"^[-—_=*\s]{2,60}(转发的邮件|转发邮件|转发邮件信息|以下是转发的邮件|forwarded (message|mail|email))[-—_=*\s]{0,60}[:：]?$"
    r"|^(开始转发的邮件|以下是转发的邮件|begin forwarded message|下面是被转发邮件的内容|被转发邮件信息)\s?[:：]?$",
    re.IGNORECASE,
)
_BOLD = r"[*|\s]{0,6}"
_FIELD = re.compile(rf"^{_BOLD}(发\s?件\s?人|寄\s?件\s?[者人]|from){_BOLD}[:：|]", re.IGNORECASE)
_OTHER_FIELD = re.compile(
    rf"^{_BOLD}(发\s?送\s?时\s?间|发\s?送\s?日\s?期|日\s*期|时\s*间|收\s?件\s?[人者]|主\s*题|标\s*题|抄\s*送(人)?|sent|date|to|subject|cc)"
    rf"{_BOLD}([:：|]|$)",
    re.IGNORECASE,
)
_RULE = re.compile(r"^[-_—=]{10,}$")
_QUOTED = (">", "＞", "|>")
_SEE_BELOW = re.compile(
    r"见下(文|方|面)?|见红(字|色)|(红|蓝|绿)(色)?(字|字体|部分)|标(红|蓝)|逐条(回复|答复)|批注|(回复|答复|写|标注)在(原文|下面|下方|邮件)"
    r"|如下(标|红)|in\s?line|see below",
    re.IGNORECASE,
)
"""He says that he wrote into the quotation: where the program does not mark what is quoted, all of it stays."""

_DEVICE = re.compile(
    r"^[(（【]?(发自|发送自|来自|从|由|通过|获取|使用|sent (from|using|by|via)|get)\s?(我的|my|适用于|mail for)?\s?"
    r".{0,40}?(手机|iphone|ipad|android|安卓|邮箱|邮件(应用)?|客户端|大师|outlook( for \w+)?|企业微信|微信|钉钉|foxmail|windows( \d+)?"
    r"|华为|小米|vivo|oppo|荣耀|huawei|xiaomi|samsung|平板|app|mail)(版)?(邮件)?(应用)?\s?(\(.{0,20}\)|<\S{0,100}>|https?://\S{0,100})?\s?(应用|发送|发出)?[)）】]?$",
    re.IGNORECASE,
)
_NETEASE = re.compile(r"^(\|\s*)?签名由\s*网易邮箱(大师|手机版)\s*定制(\s*\|)?$")
_SENTENCE = re.compile(r"[。！？!?；;]|，.{8,}，")
_DASHES = re.compile(r"^(—+|-{3,}|_{3,}|\*{3,}|={3,})$")
SIGNATURE_LINES = 8


def own_words(text: str, forwards: bool = False) -> str:
    """The resident's own text. Where nothing else is left, as in a bare forward, the whole text.

    `forwards`: the subject says that he passes somebody's mail on: then that mail is what he has to say.
    """
    lines = [_tidy(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    whole = _joined(lines)
    passed_on = next((number for number, line in enumerate(lines) if _is_forward(line)), len(lines))
    start = next((number for number in range(len(lines)) if _begins_quotation(lines, number)), len(lines))
    forwards = forwards or passed_on < start
    if forwards or (start == len(lines) and not any(_is_quoted(line) for line in lines)):
        return _joined(_without_signature(lines)) or whole
    marked = [number for number in range(start, len(lines)) if _is_quoted(lines[number])]
    above = _without_signature([line for line in lines[:start] if not _is_quoted(line)])
    if not marked and start < len(lines) and _SEE_BELOW.search("\n".join(above)):
        return whole
    below = _without_signature([line for line in lines[marked[0] :] if not _is_quoted(line)]) if marked else []
    return _joined([*above, *below]) or whole


def _tidy(line: str) -> str:
    """QQ writes `&nbsp;` into plain text; a mark at the beginning of a line is no letter."""
    return line.replace("&nbsp;", " ").replace("\xa0", " ").replace("\ufeff", "").replace("\u200b", "").rstrip()


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith(_QUOTED)


def _is_forward(line: str) -> bool:
    return len(line) <= LONGEST_MARK and bool(_FORWARDED.match(line.strip()))


def _begins_quotation(lines: list[str], number: int) -> bool:
    line = lines[number].strip()
    if not line or len(line) > LONGEST_MARK or _is_forward(line):
        return False
    if any(marker.match(line) for marker in _MARKERS):
        return _is_followed(lines, number, line)
    # "On … wrote:" is often broken over two lines.
    if number + 1 < len(lines) and re.match(r"(?i)(on|at|在|于)\s?[\d\w]", line) and not line.endswith((":", "：")):
        joined = f"{line} {lines[number + 1].strip()}"
        if len(line) > 12 and len(joined) < LONGEST_MARK and "@" in joined and any(m.match(joined) for m in _MARKERS[1:]):
            return True
    following = [other.strip() for other in lines[number + 1 : number + 7]]
    if _RULE.match(line) and any(_FIELD.match(other) for other in following[:3]):
        return True
    return bool(_FIELD.match(line)) and any(_OTHER_FIELD.match(other) for other in following)


def _is_followed(lines: list[str], number: int, line: str) -> bool:
    """A sentence that ends in 写道 is no mark unless a quotation, or an address or a date in it, says so."""
    if _MARKERS[0].match(line) or "@" in line or re.search(r"\d{4}|\d{1,2}[:：]\d{2}|周|星期", line):
        return True
    following = next((other for other in lines[number + 1 :] if other.strip()), "")
    return _is_quoted(following)


def _without_signature(lines: list[str]) -> list[str]:
    """A short signature at the end goes; a line like one in the middle of a long text stays."""
    lines = _without_netease(lines)
    for number in range(_last_lines(lines), len(lines)):
        if _begins_signature(lines, number):
            lines = lines[:number]
            break
    return [line for line in lines if not (len(line) <= 160 and _DEVICE.match(line.strip()) and not _SENTENCE.search(line))]


def _last_lines(lines: list[str]) -> int:
    """Where the last few lines begin that say anything."""
    said = 0
    for number in range(len(lines) - 1, -1, -1):
        said += bool(lines[number].strip())
        if said > SIGNATURE_LINES:
            return number + 1
    return 0


def _begins_signature(lines: list[str], number: int) -> bool:
    mark = lines[number].strip()
    rest = [other.strip() for other in lines[number + 1 :] if other.strip()]
    if not any(other.strip() for other in lines[:number]):
        return False
    if mark == "--":
        return True
    says_nothing = not any(_SENTENCE.search(other) or len(other) > 60 for other in rest)
    return bool(_DASHES.match(mark)) and says_nothing and 0 < len(rest) <= 6 and _names_somebody(rest)


def _names_somebody(rest: list[str]) -> bool:
    """A card under a line: a number, an address, a company, or a short name alone."""
    text = "\n".join(rest)
    card = re.search(r"\d{7,}|@|电话|手机|地址|公司|Tel|Mobile|单位|邮编|部门|职务", text, re.IGNORECASE)
    return bool(card) or (len(rest) == 1 and len(rest[0]) <= 12 and not re.search(r"[了吗呢吧的]", rest[0]))


def _without_netease(lines: list[str]) -> list[str]:
    """网易邮箱大师 draws a table of name and address above its own line."""
    for number, line in enumerate(lines):
        if _NETEASE.match(line.strip()):
            first = number
            while first > 0 and number - first < 12 and _is_card(lines[first - 1]):
                first -= 1
            bars = [at for at in range(first, number) if lines[at].strip().startswith("|")]
            return [*lines[: bars[0] if bars else number], *lines[number + 1 :]]
    return lines


def _is_card(line: str) -> bool:
    stripped = line.strip()
    return not stripped or stripped.startswith("|") or (len(stripped) <= 40 and not _SENTENCE.search(stripped))


def _joined(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
