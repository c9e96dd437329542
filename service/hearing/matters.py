"""What a call is about: its matters apart, each with its first telling words, its kind and what the agent answered."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from service.hearing.answers import says_yes
from service.hearing.people import Said
from service.hearing.places import Parse
from service.hearing.voices import Heard

KINDS = {
    "complain": "complaint", "request_service": "request", "suggest": "suggestion", "praise": "praise",
    "report_misconduct": "report", "report_emergency": "request", "ask_guide": "consultation", "ask_status": "consultation",
    "urge": "complaint", "book_appointment": "consultation", "move_appointment": "consultation",
    "cancel_appointment": "consultation",
}
"""A call becomes a ticket whatever it wants: there is nobody who could answer it."""
SURE, DANGER_SURE = 0.35, 0.5
PIECE_SURE = 0.8
"""A few words of an answer are taken for danger sooner than the whole story."""


_BY_WORDS = (
    ("praise", re.compile(r"表扬|想?感谢(?:一下)|送(?:锦旗|感谢信)")),
    ("report", re.compile(r"举报[^，。]{0,12}(?:工作人员|医生|主任|干部|经理|保安|收|吃拿|红包|回扣|贪|队长|书记)|收(?:了)?(?:我)?(?:的)?红包|索要?(?:红包|好处)|吃回扣|以权谋私")),
    ("suggestion", re.compile(r"我?(?:想|要)?(?:提个?)?建议|能不能(?:考虑|增加|加装|设个)")),
    ("complaint", re.compile(r"(?:我)?(?:要|想|来)(?:投诉|举报)|投诉|态度(?:很|太|特别|非常)?(?:差|恶劣|不好)|乱收费|扰民|太吵|没人(?:管|处理|理)")),
    ("request", re.compile(r"报修|来修|修一?下|派人|坏了|漏水|停电|停水|堵了|不亮|跳闸|渗水|掉(?:了|下来)|求助|帮我?")),
    ("consultation", re.compile(r"咨询|想问|问一?下|请问|怎么办|怎么(?:弄|交|开|申请)|需要(?:什么|哪些)|几点|能不能办|在哪")),
)
PROBLEM = re.compile(
    r"投诉|反映|反应|举报|报修|建议|表扬|感谢|咨询|想问|问一?下|请问|怎么|坏|漏|堵|吵|脏|臭|黑|亮|没(?:人|有|电|水|气|修|来|给|收|发|退)|不(?:亮|通|给|让|来|管|修|退|发|开|走|动|制|热|出|好)|乱|占|停[水电车]|掉|裂|破|断|跳闸|收费|多收|红包"
    r"|态度|扰民|噪音|垃圾|积水|异味|老鼠|蟑螂|着火|冒烟|煤气|燃气|困|关在|摔|受伤|丢了|办(?:理|个)?|补(?:办|贴)?|申请|报销|退费|挂号|预约|打架|偷|交(?:费|钱|物业费|款)|在哪|几点|多少钱|太(?:慢|差|贵|久|大)|烧"
)
_NEXT = re.compile(
    r"(?:还有(?:另外)?(?:一|1)?(?:个|件)(?:事|问题)|第(?:二|2)(?:个|件)?(?:事|问题|个|件)|第(?:二|2)[，,是]|另外(?:还有)?|再一个|再有(?:就是|一个)?|还(?:想|要)(?:再)?(?:反映|反应|投诉|问|说|举报|报修)"
    r"|顺便(?:再)?(?:问|反映|反应|说|投诉|报)|对了|再(?:反映|反应|问|说|投诉)一?(?:个|件|下)?|还有(?:就是|个|，)|除此之外|别的(?:事|问题)(?:就是|是))"
)
_CERTAIN = re.compile(r"(?:个|件)(?:事|问题)|第(?:二|2)|还(?:想|要)(?:再)?(?:反映|反应|投诉|问|举报|报修)|再(?:反映|反应|投诉)|顺便")
_MORE = re.compile(r"还有(?:其他|别的|什么)|其他(?:问题|事|需要|诉求)|别的(?:问题|事)")
_ONLY_ASKS = re.compile(r"^[^。]{0,4}(?:多久|什么时候|几天|谁|给我|我(?:的)?(?:电话|姓|住|家|叫)|麻烦|希望|请你|快点|尽快|大概|能(?:不能)?(?:快|今天|给)|老人|小孩|晚上走|这个事|这件事|你们(?:快|尽|赶)|地址|位置|名字)")
LEAST = 5
_BEFORE = re.compile(r"^(?:有[，,\s]|喂+|你好|您好|同志|哎|唉|啊|那|我(?:想|要)?(?:跟你们?)?(?:反映|反应|说|问)(?:一下|个事|个问题)?|是这样(?:的|子)?|我(?:是|就是)?想|对+|是的?|就是|[，,。！!\s:：])+")
_EMPTY = re.compile(r"^(?:喂|你好|您好|谢谢|好的?|行|嗯|对|是的?|没有?了?|再见|拜拜|麻烦(?:你|您)(?:们)?了?|辛苦了?|不用了?|知道了|打错了|[啊呀吧哦呢的了，,。！!？?\s])*$")

_ANSWERS = re.compile(
    r"派(?:人|师傅|电工|工人|单|维修)|已经?(?:通知|安排|派|联系|报|转|核实|处理|在修|修)|(?:会|马上|立刻|立即|尽快|这边|就)(?:[^，。？]{0,8})(?:转派|派单|派人|安排|通知|联系|处理|转交|核实|反馈|上门|登记)|预计|[0-9一二三四五六七八九十两]+(?:个)?(?:工作日|小时|天|分钟)(?:内|之内|左右)"
    r"|需要(?:您)?(?:带|准备|提供|携带|先)|请(?:您)?(?:带|携带|准备|到|先|拨打|打)|(?:可以|能)(?:办|交|补|领|取|申请)|[点时](?:半)?到[^，。？]{0,4}[点时]|(?:可以|您)(?:到|去|带|拨|在|通过)[^，。？]{1,}|上班时间|办公时间|周[一二三四五六日]到|每天[^，。]{0,6}点|费用|收费标准|[0-9一二三四五六七八九十百]+(?:块|元)|不收费|免费|根据|按照|规定|属于|是因为|由于|原因是|材料|身份证"
)
_ASKS = re.compile(r"[?？]|[吗呢]$|请问|贵姓|怎么称呼|哪个|哪里|什么时候|是吧|对吧|多久了|电话(?:是|多少)")
_CIVIL = re.compile(r"您好|你好|为您服务|什么可以帮|感谢(?:您的)?来电|祝您|再见|不客气|请讲|请说|稍等|这是我们应该做的|请(?:您)?保持电话畅通|工号\w*")


def split_matters(pieces: Sequence[Heard]) -> list[list[int]]:
    """The numbers of the pieces of each matter; a call about nothing is one list."""
    parts: list[list[int]] = [[]]
    offered = False
    for at, piece in enumerate(pieces):
        if not piece.is_caller:
            offered = bool(_MORE.search(piece.text))
            parts[-1].append(at)
            continue
        told = any(_tells(pieces[number]) for number in parts[-1])
        if told and _begins_another(piece, offered):
            parts.append([])
        parts[-1].append(at)
        offered = offered and says_yes(piece.text)
    return parts


def _tells(piece: Heard) -> bool:
    return piece.is_caller and bool(PROBLEM.search(piece.plain)) and not _EMPTY.match(piece.plain)


def _begins_another(piece: Heard, offered: bool) -> bool:
    match = _NEXT.search(piece.plain)
    rest = piece.plain[match.end() :].lstrip("，,。 ") if match else piece.plain
    if match and match.start() > 12 and not _CERTAIN.search(match[0]):
        return False
    if not (match or offered) or len(rest) < LEAST or not PROBLEM.search(rest) or _EMPTY.match(piece.plain):
        return False
    return bool(match and _CERTAIN.search(match[0])) or not _ONLY_ASKS.match(rest)


def find_matter(pieces: Sequence[Heard]) -> Said | None:
    """The caller's words that tell it first, without greeting; None when nothing is told."""
    told = [piece for piece in pieces if piece.is_caller and not _EMPTY.match(piece.plain)]
    best = next((piece for piece in told if PROBLEM.search(piece.plain) and len(_strip(piece.plain)) >= LEAST), None)
    best = best or next((piece for piece in told if PROBLEM.search(piece.plain) and len(_strip(piece.plain)) >= 3), None)
    sure = 0.85
    if best is None:
        long = [piece for piece in told if len(_strip(piece.plain)) >= 8 and not re.search(r"我姓|我叫|<PHONE|打错", piece.plain)]
        best, sure = max(long, key=lambda piece: len(piece.plain), default=None), 0.5
    if best is None:
        return None
    return Said(_strip(best.plain)[:120], sure, best)


def _strip(text: str) -> str:
    marked = _NEXT.match(text)
    text = text[marked.end() :] if marked else text
    return _BEFORE.sub("", text).strip("，,。 ")


def words_of(pieces: Sequence[Heard]) -> str:
    """What the caller tells, for the assistant to judge: no names, numbers and yeses."""
    told = [piece.plain for piece in pieces if piece.is_caller and not _EMPTY.match(piece.plain)
            and not (len(piece.plain) < 12 and re.search(r"姓|叫|<PHONE|号码", piece.plain))]
    return "，".join(_strip(text) for text in told)[:400]


def judge_kind(words: str, parse: Parse) -> str:
    """The kind a caller names himself; else what the assistant understood; else by the words."""
    named = next((kind for kind, pattern in _BY_WORDS[:4] if pattern.search(words)), None)
    intent: Mapping[str, Any] = parse.get("intent") or {}
    understood = KINDS.get(str(intent.get("name"))) if float(intent.get("confidence") or 0) >= SURE else None
    if named and re.search(r"不是(?:要|来)?投诉", words):
        named = None
    if named in ("praise", "report", "suggestion") or (named and re.search(r"(?:要|想|来)投诉", words)):
        return named
    return understood or next((kind for kind, pattern in _BY_WORDS if pattern.search(words)), "consultation")


def is_danger(parse: Parse, sure: float = DANGER_SURE) -> bool:
    """Whether somebody must be rung at once."""
    intent: Mapping[str, Any] = parse.get("intent") or {}
    return intent.get("name") == "report_emergency" and float(intent.get("confidence") or 0) >= sure


def find_answer(pieces: Sequence[Heard]) -> Heard | None:
    """The agent's turn that answers the matter; a greeting, a question or a reading back answers nothing."""
    def weigh(piece: Heard) -> int:
        text = _CIVIL.sub("", piece.text)
        return 0 if len(text) < 6 else 2 * len(_ANSWERS.findall(text)) - len(_ASKS.findall(text))

    told = next((at for at, piece in enumerate(pieces) if piece.is_caller and PROBLEM.search(piece.plain)), 0)
    agent = [piece for piece in pieces[told:] if not piece.is_caller and weigh(piece) > 0]
    return max(agent, key=lambda piece: (weigh(piece), len(piece.text)), default=None)


