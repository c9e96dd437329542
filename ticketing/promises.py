"""What a draft reply promises for a day: found before it is sent, and offered as measures 承诺.

A dated word promises something unless one of `REFUSALS` speaks against it: what is past, a rule, a limit of the
resident's, his own words quoted, opening hours, a condition. The officer decides; nothing is entered by itself.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from core.working_hours import WorkingHours
from ticketing.dates import Dated, find_dates

SHORT = 8
"""A clause with fewer characters does not say what is promised: the one before it is read with it."""
LONGEST_WHAT = 200
REACH = 150
"""So many characters around a dated word are looked at: no clause of a letter is longer, and a text without any signs
costs no more than another."""
_EDGES = " 　、—-（）()"


@dataclass(frozen=True, slots=True)
class Promise:
    """One dated promise: what, until when, and the words of the draft it was read from."""

    what: str
    due_on: date
    quote: str
    start: int
    """Where the dated word begins in the draft."""
    end: int


@dataclass(frozen=True, slots=True)
class Said:
    """A dated word among the words around it."""

    on: date
    word: Dated
    text: str
    """The dated word itself."""
    lead: str
    """The sentence before its clause."""
    before: str
    """Its clause up to the word."""
    after: str
    """Its clause from the word on."""
    follow: str
    """The clause after it, where the sentence goes on."""
    is_quoted: bool

    @property
    def clause(self) -> str:
        return self.before + self.text + self.after

    @property
    def clause_before(self) -> str:
        """The clause that this one follows on."""
        return re.split(r"[，,：]", self.lead.rstrip("，,："))[-1] if self.lead else ""

    @property
    def is_open(self) -> bool:
        """What is said of a span that has begun, or of a length of time, may as well be told of the past."""
        return self.word.is_term or self.word.first_on <= self.on


def find_promises(text: str, on: date, hours: WorkingHours) -> list[Promise]:
    """The promises of a draft written on this day, in its order; `hours` counts its working days."""
    found: list[Promise] = []
    for word in find_dates(text, on, hours):
        said = _read_around(text, on, word)
        if not any(refuses(said) for refuses in REFUSALS):
            quote = _quote(text, word)
            promise = Promise(_write_what(said), word.last_on, quote, word.start, word.end)
            if not found or (found[-1].quote, found[-1].due_on) != (quote, word.last_on):
                found.append(promise)
    return found


_SENTENCE_ENDS = "。！？!?；;\n"
_CLAUSE_ENDS = "，,：" + _SENTENCE_ENDS


def _read_around(text: str, on: date, word: Dated) -> Said:
    sentence = _last_of(text, word.start, _SENTENCE_ENDS)
    begin = _last_of(text, word.start, _CLAUSE_ENDS)
    end = _first_of(text, word.end, _CLAUSE_ENDS)
    follow = text[end + 1 : _first_of(text, end + 1, _CLAUSE_ENDS)] if text[end : end + 1] in ("，", ",") else ""
    return Said(
        on, word, text[word.start : word.end], text[sentence:begin], text[begin : word.start], text[word.end : end],
        follow, _is_quoted(text, word),
    )


def _last_of(text: str, start: int, signs: str) -> int:
    """Where the piece begins that holds this place."""
    first = max(start - REACH, 0)
    return max(first, *(text.rfind(sign, first, start) + 1 for sign in signs))


def _first_of(text: str, start: int, signs: str) -> int:
    last = min(start + REACH, len(text))
    return min([last, *(place for sign in signs if (place := text.find(sign, start, last)) >= 0)])


_MARKS = {"“": "”", "「": "」", "‘": "’", "《": "》"}


def _is_quoted(text: str, word: Dated) -> bool:
    before, after = text[max(word.start - REACH, 0) : word.start], text[word.end : word.end + REACH]
    return any(before.rfind(mark) > before.rfind(end) and end in after for mark, end in _MARKS.items())


def _quote(text: str, word: Dated) -> str:
    """The sentence, letter by letter."""
    return text[_last_of(text, word.start, _SENTENCE_ENDS) : _first_of(text, word.end, _SENTENCE_ENDS)].strip()


def _write_what(said: Said) -> str:
    """What is promised, without the day: its clause, and the one before where that says too little."""
    rest = re.sub(r"(?:将?在|将?于|至|到|从|自)\s*$", lambda found: "将" if "将" in found[0] else "", said.before) + said.after
    rest = rest.strip(_EDGES) or said.follow.strip(_EDGES)
    if len(rest) < SHORT and said.clause_before:
        rest = f"{said.clause_before.strip()}，{rest}"
    return rest[:LONGEST_WHAT] or said.clause.strip()


# What speaks against a promise. Each is one question to what is said; the first that says yes is enough.

_ORDERED = re.compile(r"责令|责成|要求|督促|通知书|约定|答应|承诺|安排|定于|约了?您|已约|协调|计划|预计")
_DONE = re.compile(r"已(?!安排|约|定|计划|责令|责成|要求|下达|派|订|列入|纳入|通知|联系|协调|请)|(?<![为除])了(?!解)|曾|(?<![通经超])过(?!年|来|去|程|渡)")
_DID = re.compile(r"(?:进行|完成|作出|下达|开展|召开)了")
_COMES = re.compile(
    r"将|会|预计|计划|拟|定于|力争|争取|有望|确保|承诺|保证|最迟|前|内|可|完成|完工|竣工|建成|投入|启动|开工|开通|恢复|安排|办好|晚|清理|责令"
)
_PLANNED = re.compile(r"预计|计划(?!，|建设|项目)|力争|争取|拟|将|有望|至$|到$|全部完成")
_SIGNED = re.compile(r"\s$|[局处办会室心司院校]$")
_TOLD = re.compile(r"(?:您|你|网友|反映人|投诉人|信访人|来信|来电|来帖)[^，。]{0,8}(?:反映|提到|提出|称|说|询问|咨询|问|表示|认为|要求)|来信|来电")
_RESIDENT = re.compile(r"请(?:您|你|业主|居民|及时|务必|携带|持|在|于)|请[^，]{0,6}[于在]$|(?:您|你)(?:们)?(?:也|还)?(?:可|应|须|需|如|要|得)|申请人|参保人|用人单位|当事人(?!承诺)"
                       r"|建议|复议|起诉|诉讼|申诉|逾期")
_HIS_STEP = re.compile(r"复议|诉讼|起诉|登记报名|申请(?!人|书)|领取")
_MUST = re.compile(r"应当|必须|(?<!供|反|相|响|适|效|回|呼|对)应(?!急|对|付|用|聘|诉|邀|当)|须|不得|规定(?!完成|时间)")
_BY_LAW = re.compile(r"应当|规定(?!完成|时间)|(?:须|应)[^，]{0,6}(?:缴|报名|提交|办理|参保|申报)")
_IF = re.compile(r"如果|(?<![例比诸假不])如(?!下|何|期|实|此|上|数|今|意|同|故|约|火|荼|愿|释)|若(?!干)|倘|一旦|假如|的话|除非")
_EVENT = re.compile(r"(?:后|之日起|日起|起|时起|满|之时)$")
_NOT = re.compile(r"无法|不能|难以|不可能|不会|没有|并未|未能|不对外|不办公|不予|不受理|停止受理")
_EVER = re.compile(r"每(?:天|日|周|月|年|逢|隔|次|季)|天天|一般|通常|原则上|往年|平均|长期")
_HISTORY = re.compile(r"(?:近|过去|最近|前|连续|累计|曾|此前|当时|历时|截至|截止|截止到)(?:的)?$|以来")
_LASTS = re.compile(r"有效期|质保|保修|保质|合同|任期|公示期|期限|试运行期|收费标准")
_ENDS = re.compile(r"到期|届满|期满|有效|止(?:$|，)|为期|实施$|年?满|未满|周岁")
_OPEN_HOURS = re.compile(r"办公|营业|开放时间|上班|受理时间|服务时间|均可|接待|照常|(?:为您|提供)?(?:解答|咨询)")


def _is_past(said: Said) -> bool:
    return said.word.last_on < said.on


def _is_done(said: Said) -> bool:
    """已 and 了. Of a day still to come only what was done on it is past: a letter may be entered late."""
    return bool(_DONE.search(said.clause)) if said.is_open else bool(_DID.search(said.after))


def _is_told(said: Said) -> bool:
    """Quoted, or said to be what the resident wrote."""
    return said.is_quoted or bool(_TOLD.search(said.before))


def _is_residents_own(said: Said) -> bool:
    """A limit that the resident, not the office, is to keep."""
    if _RESIDENT.search(said.before):
        return True
    return bool(_HIS_STEP.search(said.after) or re.match(r"逾期", said.follow))


def _is_rule(said: Said) -> bool:
    """What is to be done by law, or by everybody. A day of the calendar with a must is an order in this matter."""
    must = _MUST if said.word.is_term else _BY_LAW
    return bool(must.search(said.before + said.after)) and not _ORDERED.search(said.lead + said.before)


def _hangs_on_event(said: Said) -> bool:
    """A length of time counted from something that has not come: 收到材料后5日内."""
    if _IF.search(said.before) or _IF.search(said.clause_before):
        return True
    if not said.word.is_term:
        return False
    follows = re.search(r"(?:后|之日起|时)$", said.clause_before.strip())
    return bool(_EVENT.search(said.before.strip()) or follows)


def _is_denied(said: Said) -> bool:
    return bool(_NOT.search(said.clause))


def _is_custom(said: Said) -> bool:
    return bool(_EVER.search(said.clause) or _HISTORY.search(said.before.strip()) or "办理时限" in said.lead)


def _is_validity(said: Said) -> bool:
    return bool(_LASTS.search(said.before) or _ENDS.search(said.after))


def _is_hours(said: Said) -> bool:
    """周一至周五 and what is open then."""
    is_row = re.search(r"[至到、和及—-]$", said.before) or re.match(r"[至到、和及—-]", said.after)
    return bool((said.word.is_weekday and is_row) or _OPEN_HOURS.search(said.after))


def _is_no_plan(said: Said) -> bool:
    """A signature's date; a year, a month or a day begun of which no word says that anything is to come in it."""
    if re.search(r"年$|期间$", said.text):
        return not _PLANNED.search(said.before + said.after)
    if _SIGNED.search(said.before) and not said.after.strip() and not said.follow:
        return True
    if said.word.is_coarse or (not said.word.is_term and said.word.first_on <= said.on):
        return not _COMES.search(said.before[-12:] + said.text + said.after[:12])
    return len(re.sub(r"\W|\d", "", said.before + said.after + said.follow)) < 2


REFUSALS: tuple[Callable[[Said], bool], ...] = (
    _is_past, _is_done, _is_told, _is_residents_own, _is_rule, _hangs_on_event, _is_denied, _is_custom, _is_validity,
    _is_hours, _is_no_plan,
)
