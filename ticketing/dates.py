"""The days that a Chinese letter names: 3个工作日内, 月底前, 12月10日, 本周五, 国庆节后, and the day each ends on.

Nothing here knows what is said of that day: ticketing.promises judges it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from core.checking import LAST_YEAR
from core.clock import ZONE, local
from core.working_hours import WorkingHours

PAST_IS_NEARER = 0.8
"""Of a date half a year away in both directions letters tell rather than promise."""
MOST_WORDS = 200
"""Nobody names more days in one letter; what comes after them is not read."""
LONGEST_WAIT = 400
"""The next holiday of a name lies within so many days."""


@dataclass(frozen=True, slots=True)
class Dated:
    """Words that name a day or a span: where they stand, and its first and last day."""

    start: int
    end: int
    first_on: date
    last_on: date
    is_term: bool = False
    """A length counted from some event (3日内), and no place in the calendar."""
    is_coarse: bool = False
    """A month, quarter, year or season: narrations of the past name them as often as plans do."""
    is_weekday: bool = False


@dataclass(frozen=True, slots=True)
class _Letter:
    """What the words are counted from: the day of the letter, the office's calendar, the day named before."""

    on: date
    hours: WorkingHours
    before: date | None


Span = tuple[date, date]
Read = Callable[[re.Match[str], _Letter], Span | None]

_N = r"(?:\d{1,3}|[一二两三四五六七八九十]{1,3}|半)"
_YEAR = r"(?:(?P<year>\d{4})\s*年|(?P<which>今年|本年|明年|后年|当年))?\s*的?"
_MONTH = r"(?<![\d.])(?P<month>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九元])月"
_DAY = r"(?:3[01]|[12]\d|0?[1-9]|三十一?|二?十[一二三四五六七八九]?|[一二三四五六七八九])"
_BY = r"(?:之前|以前|前|之内|以内|内)?"
_HOUR = r"(?:[（(](?:周|星期)[一二三四五六日天][)）])?(?:(?:凌晨|早上|上午|中午|下午|晚上|晚|夜间|傍晚)?(?:\d{1,2}[点时：:](?:\d{1,2}分?|半|整)?)?)"
_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2, "元": 1}


def read_number(text: str) -> int:
    """十五 → 15; 0 where it is none."""
    if text.isdecimal():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if ten:
        return _DIGITS.get(tens, 1 if not tens else 0) * 10 + _DIGITS.get(ones, 0)
    return _DIGITS.get(text, 0)


def find_dates(text: str, on: date, hours: WorkingHours) -> list[Dated]:
    """Every dated word in the order of the text, none within another: the earlier and longer one wins."""
    matches = sorted(_match(text), key=lambda found: (found[0].start(), -found[0].end()))
    kept: list[Dated] = []
    read_to = seen = 0
    before: date | None = None
    for match, form in matches:
        if match.start() < read_to:
            continue
        if re.search(r"[。！？!?\n]", text[read_to : match.start()]):
            before = None
        # 2月30日 is read to its end too: nothing within it is meant by itself.
        read_to = match.end()
        seen += 1
        if seen > MOST_WORDS:
            break
        try:
            span = form.read(match, _Letter(on, hours, before))
        except (ValueError, OverflowError):
            continue
        if span is not None and span[1].year <= LAST_YEAR:
            kept.append(Dated(match.start(), match.end(), *span, form.is_term, form.is_coarse, form.is_weekday))
            before = span[1]
    return kept


def _match(text: str) -> Iterator[tuple[re.Match[str], "_Form"]]:
    for form in FORMS:
        for match in form.pattern.finditer(text):
            yield match, form


# Lengths of time


def _said(match: re.Match[str], name: str) -> str:
    """What this part of the form says; empty where the form has no such part."""
    return match.groupdict().get(name) or ""


def _within(match: re.Match[str], letter: _Letter) -> Span | None:
    """3日内, 两周之内, 5个工作日内, 24小时内: from the day of the letter on."""
    return _count(match["amount"], match["unit"], letter)


def _count(amount: str, unit: str, letter: _Letter) -> Span | None:
    on, number = letter.on, read_number(amount)
    unit = unit.removeprefix("个")
    if amount == "半":
        ends = {"月": on + timedelta(days=15), "年": _add_months(on, 6), "天": on, "小时": on}
        return (on, ends[unit]) if unit in ends else None
    if not number:
        return None
    if unit.startswith("工作"):
        due = letter.hours.add(datetime.combine(on, time(12), ZONE), f"{number} working days")
        return on, local(due - timedelta(microseconds=1)).date()
    if unit == "小时":
        return on, on + timedelta(days=0 if number < 24 else -(-number // 24))
    if unit in ("月", "年"):
        return on, _add_months(on, number * (12 if unit == "年" else 1))
    return on, on + timedelta(days=number * (1 if unit in ("天", "日") else 7))


def _after(match: re.Match[str], letter: _Letter) -> Span | None:
    span = _within(match, letter)
    return (span[1], span[1]) if span else None


def _add_months(on: date, months: int) -> date:
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return min(on.replace(day=1).replace(year=year, month=month + 1) + timedelta(days=on.day - 1),
               last_of_month(year, month + 1))


def last_of_month(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


# Dates


def _date(match: re.Match[str], letter: _Letter) -> Span | None:
    """12月10日, 明年1月5日前, 12月1日至5日."""
    month, day = read_number(match["month"]), read_number(_said(match, "day"))
    year = _year_of(match, letter, month, day)
    first = date(year, month, day)
    if not _said(match, "to_day"):
        return first, first
    to_month = read_number(_said(match, "to_month")) if _said(match, "to_month") else month
    last = date(year + (to_month < month), to_month, read_number(_said(match, "to_day")))
    return first, last


def _year_of(match: re.Match[str], letter: _Letter, month: int, day: int) -> int:
    """The year that is said, that of the word before which it goes on from, or else the nearest."""
    if _said(match, "year"):
        return int(_said(match, "year"))
    if _said(match, "which"):
        return letter.on.year + {"明年": 1, "后年": 2}.get(_said(match, "which"), 0)
    if letter.before and letter.before.year > letter.on.year:
        year = letter.before.year
        return year + ((month, day) < (letter.before.month, letter.before.day))
    on = letter.on
    whole = min(day, 28)

    def distance(year: int) -> float:
        days = (date(year, month, whole) - on).days
        return days if days >= 0 else -days * PAST_IS_NEARER

    return min((on.year, on.year + 1, on.year - 1), key=distance)


def _iso(match: re.Match[str], letter: _Letter) -> Span:
    day = date(int(_said(match, "year")), int(match["month"]), int(_said(match, "day")))
    return day, day


_THIRDS = {"上旬": (1, 10), "初": (1, 10), "中旬": (11, 20), "中": (11, 20), "上中旬": (1, 20),
           "中下旬": (11, 31), "下旬": (21, 31), "底": (21, 31), "末": (21, 31)}


def _part_of_month(year: int, month: int, part: str) -> Span:
    last = last_of_month(year, month)
    begin, end = _THIRDS.get(part.replace("份", ""), (1, 31))
    return date(year, month, begin), min(date(year, month, 1) + timedelta(days=end - 1), last)


def _month(match: re.Match[str], letter: _Letter) -> Span:
    """12月份, 明年3月, 6月底前, 4月下旬."""
    month = read_number(match["month"])
    year = _year_of(match, letter, month, 28)
    return _part_of_month(year, month, _said(match, "part"))


def _near_month(match: re.Match[str], letter: _Letter) -> Span | None:
    """本月底, 下个月5日前, 月底: a month without its number."""
    ahead = 1 if _said(match, "near").startswith(("下", "次")) else 0
    year, month = divmod(letter.on.year * 12 + letter.on.month - 1 + ahead, 12)
    if _said(match, "day"):
        day = date(year, month + 1, read_number(_said(match, "day")))
        return day, day
    return _part_of_month(year, month + 1, _said(match, "part"))


def _day_of_month(match: re.Match[str], letter: _Letter) -> Span:
    """28号上午: the next one of that number."""
    on = letter.on
    if read_number(_said(match, "day")) < on.day:
        on = _add_months(on.replace(day=1), 1)
    day = on.replace(day=read_number(_said(match, "day")))
    return day, day


def _year(match: re.Match[str], letter: _Letter) -> Span:
    """年底, 2027年内, 明年上半年, 第一季度."""
    year = int(_said(match, "year")) if _said(match, "year") else letter.on.year + {"明": 1, "后": 2}.get(_said(match, "which")[:1], 0)
    part = _said(match, "part")
    if "季度" in part:
        quarter = read_number(part.removeprefix("第")[0])
        return date(year, quarter * 3 - 2, 1), last_of_month(year, quarter * 3)
    first, last = _YEAR_PARTS.get(part, (1, 12))
    return date(year, first, 1), last_of_month(year, last)


_YEAR_PARTS = {"上半年": (1, 6), "下半年": (7, 12), "底": (12, 12), "年底": (12, 12), "末": (12, 12), "年末": (12, 12),
               "初": (1, 1), "年初": (1, 1), "春季": (3, 5), "夏季": (6, 8), "秋季": (9, 11)}


def _near_day(match: re.Match[str], letter: _Letter) -> Span:
    word = match["word"]
    ahead = next(days for sign, days in _AHEAD.items() if word.startswith(sign))
    day = letter.on + timedelta(days=ahead)
    return day, day


_AHEAD = {"大后": 3, "明后": 2, "后": 2, "明": 1, "今": 0}


def _weekday(match: re.Match[str], letter: _Letter) -> Span:
    """周五, 本周五, 下周二, 本周末; 本周 and 下周 alone end with their last day that is worked."""
    which = _said(match, "which")
    weeks = {"上上": -2, "上": -1, "下": 1, "下下": 2}.get(which, 0)
    monday = letter.on - timedelta(days=letter.on.weekday()) + timedelta(weeks=weeks)
    sign = _said(match, "day").replace("天", "日").replace("末", "日")
    if sign in ("", "内"):
        worked = [day.date for day in letter.hours.days(monday, monday + timedelta(days=6)) if day.working]
        worked = [day for day in worked if day >= letter.on] or [monday + timedelta(days=6)]
        return monday, worked[-1]
    day = monday + timedelta(days="一二三四五六日".index(sign))
    if not which and day < letter.on:
        day += timedelta(weeks=1)
    return day, day


def _holiday(match: re.Match[str], letter: _Letter) -> Span | None:
    """国庆节后 is the first day worked after it, 春节前 the day before it, 五一期间 its last day."""
    year = _said(match, "year") or {"今": letter.on.year, "明": letter.on.year + 1}.get(_said(match, "which")[:1], 0)
    run = _next_holiday(_FESTIVALS[match["name"]], letter, int(year))
    if run is None:
        return None
    if match["side"].endswith("前"):
        return letter.on, run[0] - timedelta(days=1)
    if match["side"].endswith("后"):
        worked = letter.hours.next_opening(datetime.combine(run[1] + timedelta(days=1), time(), ZONE))
        return run[1] + timedelta(days=1), local(worked).date()
    return run


_FESTIVALS = {"元旦": "元旦", "春节": "春节", "过年": "春节", "清明": "清明", "五一": "劳动", "劳动节": "劳动", "端午": "端午",
              "中秋": "中秋", "国庆": "国庆", "十一": "国庆", "节": "", "年": "春节"}


def _next_holiday(name: str, letter: _Letter, year: int) -> Span | None:
    """The next days off of this name (of that year, unless it is 0) in one piece, by the office's calendar."""
    days = [day for day in letter.hours.days(letter.on, letter.on + timedelta(days=LONGEST_WAIT))
            if not day.working and day.name]
    first = next((day.date for day in days if name in day.name and day.date > letter.on
                  and year in (0, day.date.year)), None)
    if first is None:
        return None
    off = [day.date for day in days]
    begin = end = first
    for one, following in pairwise(off):
        if following - one == timedelta(days=1) and one == end:
            end = following
    for one in reversed(off):
        if one == begin - timedelta(days=1):
            begin = one
    return begin, end


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to name a day."""

    pattern: re.Pattern[str]
    read: Read
    is_term: bool
    is_coarse: bool
    is_weekday: bool


def _form(
    pattern: str, read: Read, *, is_term: bool = False, is_coarse: bool = False, is_weekday: bool = False
) -> _Form:
    return _Form(re.compile(pattern), read, is_term, is_coarse, is_weekday)


_UNIT = r"(?P<unit>个?工作日|个?工作天|天|日|个?小时|周|个?星期|个?礼拜|个?月|年)"
_BETWEEN = rf"(?:{_N}\s?(?:至|到|-|—|–|~|～|、)\s?)?(?P<amount>{_N})\s?"
_TO = rf"(?:{_HOUR}\s?[至到—–~～-]+\s?(?:\d{{4}}年)?(?:(?P<to_month>\d{{1,2}})月)?(?P<to_day>{_DAY})[日号])?"
_WHICH_YEAR = r"(?P<year>\d{4})\s?年|(?P<which>今年|本年度?|明年|后年)"
_ENDED = r"(?:完成|完工|修好|装好|修复|答复|回复|恢复|办好|办结|解决|到位|到货|建成)"
_WEEK = r"(?:周|星期|礼拜)"
_NO_NAME = r"(?![楼栋幢座线院门机房库井厅窗馆路店铺桥口])"
"""3号楼 and 7号线 are names."""
_BARE = r"(?<![环季时调细关枝末过春])"

FORMS: tuple[_Form, ...] = (
    _form(rf"{_BETWEEN}{_UNIT}(?:时间)?(?:之内|以内|内)", _within, is_term=True),
    _form(rf"{_BETWEEN}{_UNIT}(?:之后|以后|后)", _after, is_term=True),
    _form(rf"{_BETWEEN}{_UNIT}(?:左右|上下)?(?:的?时间)?(?=(?:左右|即|就|便)?(?:可以?|能)?{_ENDED})", _within, is_term=True),
    _form(rf"(?<![\d/.-])(?P<month>1[0-2]|0?[1-9])[/.](?P<day>3[01]|[12]\d|0?[1-9])(?=之?前|以前){_BY}", _date),
    _form(rf"(?P<year>20\d\d)[-/.](?P<month>1[0-2]|0?[1-9])[-/.](?P<day>3[01]|[12]\d|0?[1-9])(?!\d){_BY}", _iso),
    _form(rf"{_YEAR}{_MONTH}\s?(?P<day>{_DAY})(?:[日号]{_NO_NAME}|(?=\s?[至到—–~～-])){_TO}{_HOUR}(?:{_BY}|起)", _date),
    _form(rf"{_YEAR}{_MONTH}(?P<part>份?(?:中下旬|上中旬|上旬|中旬|下旬|初|底|末)|份)?{_BY}", _month, is_coarse=True),
    _form(rf"(?P<near>本|这个?|当|下个?|次)月\s?(?P<day>{_DAY})[日号]{_HOUR}{_BY}", _near_month),
    _form(rf"(?P<near>本|这个?|下个?|次)月(?P<part>上旬|中旬|下旬|初|底|末)?{_BY}", _near_month, is_coarse=True),
    _form(rf"(?<![\d个份每元上当十一二三四五六七八九])月(?P<part>底|末|中(?=前|完)){_BY}", _near_month, is_coarse=True),
    _form(rf"(?<![\d月年])(?P<day>{_DAY})号(?=上午|下午|中午|晚|早|之?前|以前|起){_HOUR}(?:{_BY}|起)", _day_of_month),
    _form(rf"(?:{_WHICH_YEAR})?(?P<part>上半年|下半年|第[一二三四1-4]季度){_BY}", _year, is_coarse=True),
    _form(rf"(?:{_WHICH_YEAR})(?P<part>年?[底末初]|[春夏秋]季|[一二三四1-4]季度)?{_BY}(?![\d级代度龄])", _year, is_coarse=True),
    _form(rf"(?<![\d一二三四五六七八九十两当近几数去前半百周元新学多每])年(?P<part>底|末|(?=内)){_BY}", _year, is_coarse=True),
    _form(rf"(?P<word>大后天|明后天|后天|明天|明日|明早|明晚|今天|今日|今晚|今早){_HOUR}{_BY}", _near_day),
    _form(rf"(?P<which>上上|下下|上|本|这|下)个?{_WEEK}(?P<day>[一二三四五六日天末内])?{_HOUR}{_BY}", _weekday),
    _form(rf"{_WEEK}(?P<day>[一二三四五六日天]){_HOUR}{_BY}", _weekday, is_weekday=True),
    _form(rf"(?:{_WHICH_YEAR})?(?P<name>元旦|春节|过年|清明|五一|劳动节|端午|中秋|国庆|十一(?=假|长假|黄金|前|后)|{_BARE}节(?=前|后)"
          r"|(?<![\d一二两三四五六七八九十几多数当去今明往每半百])年(?=前(?!后)))节?"
          r"(?:假期|长假|黄金周)?(?P<side>前后|之前|以前|前|之后|以后|后|期间)", _holiday),
)
"""Every way to name a day that is read. Of two that begin at one place the longer one is taken."""
