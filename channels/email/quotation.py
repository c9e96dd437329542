"""What the resident wrote, apart from what he quoted and from his program's signature. Chinese programs first."""

import re

_MARKERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^-{2,}\s*(原始邮件|回复的原邮件|原邮件|回复邮件|转发的邮件|转发邮件|转发邮件信息|邮件原文"
        r"|original( message)?|forwarded message)\s*-{2,}$",
        r"^(在|于)\s*.{0,120}(写道|写了|说)\s*[:：]?$",
        r"^.{0,80}[<＜]?\S+@\S+[>＞]?\s*(于|在)?.{0,60}写道\s*[:：]$",
        r"^\d{4}\s*[年/-].{0,120}写道\s*[:：]$",
        r"^(on|at)\s.{0,200}wrote\s*:$",
    )
)
_FIELD = re.compile(r"^\*{0,2}(发件人|寄件者|寄件人|from)\*{0,2}\s*[:：]", re.IGNORECASE)
_OTHER_FIELD = re.compile(
    r"^\*{0,2}(发送时间|发送日期|日期|时间|收件人|收件者|主题|抄送|sent|date|to|subject|cc)\*{0,2}\s*[:：]",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"^(--\s?|—+|发自我的.{0,20}|从我的.{0,20}发送|来自.{0,20}(邮箱|手机|客户端).{0,20}"
    r"|获取 outlook for .{0,10}|sent from (my|mail for) .{0,30}|get outlook for .{0,10})$",
    re.IGNORECASE,
)


def own_words(text: str) -> str:
    """The resident's own text. Where nothing else is left, as in a bare forward, the whole text."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    start = next((number for number in range(len(lines)) if _begins_quotation(lines, number)), len(lines))
    own = [line for line in lines[:start] if not line.lstrip().startswith((">", "＞"))]
    words = [*_without_signature(own), *_between_quoted(lines[start:])]
    return _joined(words) or _joined(lines)


def _begins_quotation(lines: list[str], number: int) -> bool:
    line = lines[number].strip()
    if any(marker.match(line) for marker in _MARKERS):
        return True
    # "On … wrote:" is often broken over two lines.
    if number + 1 < len(lines) and re.match(r"(?i)(on|at|在|于)\s", line) and not line.endswith((":", "：")):
        joined = f"{line} {lines[number + 1].strip()}"
        if len(line) > 15 and any(marker.match(joined) for marker in _MARKERS[1:]):
            return True
    following = [other.strip() for other in lines[number + 1 : number + 6]]
    if re.match(r"^_{10,}$", line) and any(_FIELD.match(other) for other in following[:3]):
        return True
    return bool(_FIELD.match(line)) and any(_OTHER_FIELD.match(other) for other in following)


def _between_quoted(lines: list[str]) -> list[str]:
    """After the quotation begins, what stands without `>` between lines that have it was written now."""
    quoted = [number for number, line in enumerate(lines) if line.lstrip().startswith((">", "＞"))]
    if not quoted:
        return []
    return _without_signature(
        [line for line in lines[quoted[0] :] if not line.lstrip().startswith((">", "＞"))]
    )


def _without_signature(lines: list[str]) -> list[str]:
    """A short signature at the end goes; a line like one in the middle of a long text stays."""
    for number, line in enumerate(lines):
        if _SIGNATURE.match(line.strip()) and len([rest for rest in lines[number:] if rest.strip()]) <= 8:
            return lines[:number]
    return lines


def _joined(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
