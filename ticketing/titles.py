"""A ticket's title: its mail's subject where that says something, else its first words with substance. Pure."""

import re

from core import privacy

LONGEST = 40
TELLS = 4
"""Characters without which a title says nothing."""
WITHOUT_WORDS = "来访事项"

_ENDS = re.compile(r"[。！？!?；;\n]")
_MANNERS = re.compile(
    r"^(?:喂+|嗨|哈[喽啰]|[哎唉嗯呃啊哦]+(?=[，,、…\s]|那个|就是|我)|(?:那个|那什么|这个|就是说?)(?=[，,、…\s]|我|就是|想|请)|是这样的?(?:啊|吧)?(?=[，,、：:\s]|$)"
    r"|(?:(?:各位|尊敬的|敬爱的)?[^，,。：:\s]{0,12}?(?:领导|老师|同志|先生|女士|书记|市长|主任|局长|经理|工作人员|客服)(?:们|同志)?|各位|大家|你们|物业)(?:好|你好|您好)(?:啊|呀)?(?=[，,：:！!\s]|$)|[你您]好(?:啊|呀)?"
    r"|(?:各位|尊敬的|敬爱的)[^，,。：:\n]{1,20}(?=[：:，,\s]|$)|(?:在吗|在不在|打扰(?:一下|了|您了)?|麻烦(?:您|你|你们)?(?:一下|了)?|不好意思|请问一?下?|请教一?下?|辛苦了|匿名(?=[，,、\s])|不(?:想|愿意?|方便)?留(?:名字?|姓名)了?(?=[，,、\s]))"
    r"|我?(?:就)?(?:是)?(?:想|要)(?:跟你们?|向你们?|和你们)?(?:问|咨询|反映|说|了解|打听)(?:一?下|个事|一?[个件](?:事情?|问题))?(?:子)?)(?:[，,、：:…~～\s]+|(?=\S)|$)"
)
_EMPTY = re.compile(
    r"^(?:首先)?(?:非常|十分|衷心)?(?:感谢|谢谢).{0,24}$|^百忙之中.{0,20}$|^(?:此致|敬礼|盼复|望回复|祝.{0,12})$"
    r"|^我?(?:是|叫)[^，,]{1,16}(?:业主|住户|居民|村民|市民|家长|患者|家属)?$|^(?:我|我们)?(?:想|要)?(?:投诉|举报|反映|报修|建议|咨询|求助)(?:一?下|[个件]事情?|问题)?$"
)
_REPROACH = re.compile(
    r"^(?:真(?:的|是)?|简直|实在)*(?:(?:你们?|您们?|这[帮群些]人?)(?:这[帮群些])?[^，,。\d]{0,8}?|物业|到底|还)?(?:到底|还|究竟|都)*"
    r"(?:有没有(?:人|谁)?(?:来)?管|管不管(?:事|我们|了)?|干(?:什么|啥|嘛)(?:吃|用)?的|吃干饭|吃屎|[是都]*死人|死光|死绝|瞎了|聋了|要不要脸|不要脸|有没有良心|什么(?:玩意儿?|东西|态度|素质|破?服务|狗屁|破[^，,]{1,4})"
    r"|(?:是?(?:一|这)[群帮]|全是|都是|就是|真是)(?:[^，,。\d]{0,3}的)?(?:废物|饭桶|垃圾|混蛋|王八蛋|流氓|强盗|骗子|土匪)|当我们是?傻|太?欺负人|气死(?:我|人)|太(?:过分|不像话)|无法无天|岂有此理|忍无可忍|受够|他妈|tmd|TMD|妈的|滚)"
    r"[^，,。\d]{0,6}$")
"""Anger alone: 你们是死人啊, 到底管不管事. What is to be done stands elsewhere."""
_PASSED_ON = re.compile(r"^(?:\s*(?:re|fwd?|aw|回复|答复|转发|回覆)\s*(?:\[\d+\])?\s*[:：][\s:：]*)+", re.IGNORECASE)
_OUR_NUMBER = re.compile(r"[\[【(（]?\s*HY\d{8}-\d{5,}\s*[\]】)）]?", re.IGNORECASE)
"""We write it beside the subject: what is new in such a thread is another ticket's."""
_TOKEN = re.compile(r"<[A-Z]+_\d+>")
_CLAUSE_ENDS = re.compile(r"[\W_]|$")
_LEADS_TO_CONTACT = re.compile(
    r"[，,、\s]*(?:请?(?:拨?打|联系|致电)?)(?:我|本人|[她他]|家里)?的?(?:联系)?(?:电话|手机|号码|微信|邮箱)?号?码?(?:是|为|[:：])?\s*$")
_FAMILY_NAME = re.compile(r"[，,、\s]+(?:我|本人|免贵)?姓[\u4e00-\u9fff](?=\s*(?:[。！!；;\n]|$))")
"""…，姓宋: who he is, behind what it is about."""
_SAYS_NOTHING = re.compile(
    r"^(?:自动回复|auto.?reply|out of office)|^(?:你好|您好|投诉信?|举报信?|建议|咨询|求助|反映|来信|邮件|信件|问题|情况|紧急|急|无主题|no subject|居民|业主|市民|一封|关于|的|[\W_])+$",
    re.IGNORECASE,
)


def find_title(text: str, subject: str | None = None) -> str:
    """At most 40 characters of what it is about: without greeting, salutation, fillers and thanks."""
    if subject is not None and (named := _named_by(subject)):
        return named
    pieces = [piece.strip() for piece in _ENDS.split(_without_contact(text).strip()) if piece.strip()]
    told = _first_that_tells([_without_manners(piece) for piece in pieces])
    return (told or (pieces[0] if pieces else ""))[:LONGEST] or WITHOUT_WORDS


def _without_contact(text: str) -> str:
    """Without numbers and addresses of persons that end a clause, and what leads up to them: they are fields of their own.

    In the middle of one (打139…没人接) they are what it is about.
    """
    spans = [(item.start, item.end) for item in privacy.find(text)] + [found.span() for found in _TOKEN.finditer(text)]
    for start, end in sorted(spans, reverse=True):
        if _CLAUSE_ENDS.match(text, end):
            lead = _LEADS_TO_CONTACT.search(text[:start])
            text = text[: lead.start() if lead else start] + text[end:]
    return _FAMILY_NAME.sub("", text) if spans else text


def _first_that_tells(pieces: list[str]) -> str | None:
    """Short words with substance go before it, each once: 停水。停电。3栋2单元 is called by all three."""
    short: list[str] = []
    for piece in pieces:
        if _tells(piece) and not _REPROACH.match(piece):
            return "，".join([*short, piece])
        if len(re.sub(r"[\W_]", "", piece)) > 1 and not _EMPTY.match(piece) and not _REPROACH.match(piece) and piece not in short:
            short.append(piece)
    return "，".join(short) or None


def _named_by(subject: str) -> str | None:
    """The subject without 回复：; None where it says nothing."""
    bare = _PASSED_ON.sub("", _OUR_NUMBER.sub("", subject).lstrip()).strip()
    return bare[:LONGEST] if _tells(bare) and not _SAYS_NOTHING.match(bare) else None


def _without_manners(piece: str) -> str:
    rest = piece
    while (shorter := _MANNERS.sub("", rest, count=1)) != rest:
        rest = shorter
    return rest.strip(" ，,、：:…~～")


def _tells(text: str) -> bool:
    return len(re.sub(r"[\W_]", "", text)) >= TELLS and not _EMPTY.match(text)
