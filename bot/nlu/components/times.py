"""Time expressions of residents → spans with their moments; none is invented where a sentence has none."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from re import Match

from nlu.components.english import find_english
from nlu.components.feasts import LUNAR, SOLAR, ZONE
from nlu.components.moments import MEALS, PERIODS, Parts, number, resolve
from nlu.components.normal import fold

_N = r"(?:[0-9]{1,2}|[一二两三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])"

_OF_A_DAY = frozenset(("全天", "整天", "全日", "一早", "白天", "夜间", "朝", "夜", "晨", "早", "晚", "擦黑"))
"""No time by themselves: they need a day before them."""

_PERIOD = "|".join(sorted((p for p in PERIODS if len(p) > 1), key=len, reverse=True))
_BARE_MONTH = r"(?:[份底末初中上下]|$|[\s，,。；;！!？?、）)]|说|的时候|开始|起|以来|就|那会|那时|到|至|交|约|来|去|办|搬|买|生|出院|住院)"
"""What may stand behind a month without its year: 三月花店 is a shop."""
_FEAST = "|".join(sorted((*SOLAR, *LUNAR), key=len, reverse=True))
_SPOKEN_HOUR = "一二两三四五六七八九十"
_AROUND = "(?:快|大概|大约|差不多|将近|临近|约|刚过)"
_DATE = rf"""
    (?P<yonly>(?:(?:19|20)[0-9]{{2}}|[二一][零〇九][零〇一二三四五六七八九]{{2}})年(?:[底初]|春天|夏天|秋天|冬天|上半年|下半年)?(?![0-9一二三四五六七八九十]{{1,2}}\s?月|[级度款版份]))
  | (?P<year>(?:19|20)\d\d|(?:二[零〇]|一九)[零〇一二三四五六七八九]{{2}}(?=\s?年))\s?[年/.-]\s?(?P<ymonth>{_N})\s?[月/.-]\s?(?P<yday>{_N})\s?[日号]?
  | (?<![0-9/.-])(?P<smonth>1[0-2]|0?[1-9])[/.](?P<sday>3[01]|[12][0-9]|0?[1-9])(?![0-9/.])
  | (?P<month>{_N})\s?月\s?(?:份\s?)?(?P<day>{_N})(?:\s?[日号](?![个人名元块])|(?![0-9个人名元块]))
  | (?<![0-9一二三四五六七八九十])(?P<lmonth>冬|十[一二]?|[二三四五六七八九])月(?P<lmday>初[一二三四五六七八九十])(?![中高])
  | (?P<rday>大前|大后|外后|万后|前|昨|今|当|明|后|听|琴|噚|寻|夜(?=[来个儿](?:个|早|晚|上|黑|晌|后|前|下|[，,。 ]|$)))(?P<rword>儿个|天|日子?(?!程|用|报|记)|早晨|早上?|晚[上黑夕]?|夜[里黑]?|朝|晨|(?<=[今昨明])(?:上午|下午|中午|个儿|个(?![人星周礼月位头名])|仔日|儿(?![子科童媳女歌保]))|(?<=明)仔载|(?<=夜)来|个儿|(?<=夜)个
      |儿(?=[早上下中晚夜傍凌晌前后头就天要能去来我俺你他有没住把给的是,，。 ]|$))(?!后(?![天日晌半]))
  | (?P<wkrel>大上|大下|上上|(?<!一)下下|上|下|这|本|今|呢)?个?(?:周|星期|礼拜)(?P<wkday>[一二三四五六日天1-6])(?![月年岁次]|[0-9](?!\d?\s?[点时:：]))
  | (?P<werel>上上|下下|上|下|这个?|本)?个?(?P<weekend>周末)
  | (?P<wrel>大上|大下|上上|(?<!一)下下|上|下|这|本|今|呢)个?(?:周|星期|礼拜)(?![一二三四五六日天末1-6])
  | (?P<mrel>上|下|这|本)个?月(?:份)?(?P<mday>{_N}|二?十几)[日号]
  | (?P<mpart_rel>上|下|这|本)?个?月(?P<mpart>底|末|初|中旬|中)
  | (?P<mwhole>上|下|这|本)个?月(?!\w{{0,1}}[底末初])
  | (?:(?P<oyear>(?:19|20)\d\d)年)?(?<![0-9个])(?:(?<=年)|(?<=[于自从])|(?<=[去今前明后]年)|(?<=[去今前明后]年的)|(?=\S{{1,3}}\s?月{_BARE_MONTH}))(?P<onlymonth>{_N})\s?月(?:(?:份|(?P<onlypart>底|末|初|中旬|上旬|下旬))(?:之前|以前)?|(?<![一两]月)(?!报(?![的修名警]))(?![份子嫂饼球租卡供薪经亮票息均考检光牌结]))
  | (?P<tenth>上|中|下)旬
  | (?P<season>春天|夏天|秋天|冬天|春季|夏季|秋季|冬季)
  | (?P<past>出了?|过了?)?(?P<lunar>正|腊)月(?:(?P<lday>初[一二三四五六七八九十]|二十[一二三四五六七八九]|[十廿][一二三四五六七八九]|[一二]十)|里|间)?
  | (?:初|(?=[十廿二])(?<=[改调换挪推等延约放订定]到)|(?=十)(?<=或者))(?P<moonday>(?<!初)(?:十[一二三四五六七八九]|廿[一二三四五六七八九]?|二十[一二三四五六七八九]?)|(?<=初)[一二三四五六七八九十])(?![中高一二三四年级班次点号栋楼度个多几])
  | (?<=[ ,，])(?P<moonday2>十[一二三四五六七八九])(?=[再就]?[去来])
  | (?<![0-9一二三四五六七八九十几两多半前去今明后每去百])年(?P<newyear>前|后)(?![轻来])|过完年|过了年
  | (?P<yendrel>去|今|明)?年(?P<yend>底|末|初)
  | (?P<ago_n>{_N}|半|几)个?(?P<ago_unit>天|日|周|星期|礼拜|月|小时|钟头|分钟|刻钟|年)(?P<ago_way>之前|以前|前|之后|以后|后)(?!台|面|门)
  | (?<![0-9一二三四五六七八九零])(?P<feast>{_FEAST})(?![一二三四五六七八九零路街桥村小社新广苑园湾府庭阁郡月儿粥])(?:假期|长假|放假)?(?:期间|当天|那天|那几天|前夕|(?P<fday>第[一二三四五六七八]天|最后一天))?
  | (?P<dday>(?<![0-9a-z第路街巷弄道百千商市一二三四五六七八九十])(?:[1-9]|[12][0-9]|3[01]|[一二三]?十[一二三四五六七八九]?|[一二三四五六七八九]))[号日](?![闸井楼]|住院|病房|[一二三四五六]层)(?P<dday_end>)
  | (?P<now>刚才|刚刚|方才)
"""
_CLOCK = r"""
    (?:(?:[一二两三四五六七八](?=[二三四五六七八九十]点))?(?P<hour>[01]?[0-9]|2[0-4]|十[一二三四五六七八九]?|二十[一二三四]?|[一二两三四五六七八九])
       \s?(?:点钟|点整|点|时(?!候|间|常|代|期|刻|效|段|尚|不)|:|：)\s?
       (?P<minute>半|[一三]刻|(?:[0-5][0-9]|[二三四五]?十[一二三四五六七八九]?|零[0-9一二三四五六七八九])(?:分)?(?![0-9个次人号栋幢座楼单室层])|[0-9一二三四五六七八九]分(?!钟))?)
"""
_WHEN = re.compile(
    rf"(?P<every>每天|天天|每日|每个?月|每年|每逢|每个?|(?<!个)工作日)?(?:(?P<yrel>去年|前年|今年|明年|后年)的?(?=\S?[0-9一二三四五六七八九十初春夏秋冬五国中端清元除腊正暑寒过]))?"
    rf"(?:(?:{_DATE})的?\s?,?)?(?:(?P<period>{_PERIOD}|(?<=[日号天一二三四五六末每])[早晚](?!上|饭|餐|了|于|到|点[^钟半0-9]|就|晚|早|高|产|退|教|恋))的?\s?|(?P<meal>{'|'.join(MEALS)})(?P<meal_way>之前|以前|前|之后|以后|后|(?<=到天[亮黑]))(?![面台院门勤]))?"
    rf"(?:(?:,?{_AROUND})?{_CLOCK})?(?P<tail>左右|前后|之前|以前|前头|前(?![面台天晌])|之后|以后|过后|往后|(?<=[点钟半分刻节庆旦])后(?![面台院门勤续来悔果])|之内|以内|(?<=[点个期周月])内|(?<=[今明当][日天])内(?![科外分存])|(?<=点)[多几]|(?<=点)(?:来钟|不到|出头))?",
    re.VERBOSE)
_MAY_BEGIN = re.compile(
    "[0-9零一二两三四五六七八九十廿半几每天工去前今明后大外万夜昨当听琴噚寻上下这本呢个周星礼月年中春夏秋冬正腊出过初刚方早晚夜快差将临约"
    + "".join({word[0] for word in (*PERIODS, *MEALS, *SOLAR, *LUNAR) if len(word) > 1}) + "]")
"""Only here a time can begin; nine of ten characters are passed over at once."""
_NOT_A_DAY = re.compile(r"\d{1,2}\s?[栋幢座#]|[楼栋幢座门窗线院井厅岗桌机馆地区厂柜台诊病床铺仓库房址码牌称召令段家单室口信桩]|之门|[车泊]位|车库|充电|电梯")
_IDIOM = re.compile(r"一时半|[0-9一二三四五六七八九十]+点钟?方向|一点一|七点八|两点一线|三点式")
_NOT_A_CLOCK = re.compile(r"要(?!得)|[都也儿不没建意问希内小声反忙钱用吧事办法]|[^\d]?滴")


@dataclass(frozen=True)
class Time:
    """`text[start:end]` means the moments from `begins` to `ends` (equal for a time of the clock)."""

    start: int
    end: int
    begins: datetime
    ends: datetime
    relative_to_future: bool
    """A bare weekday was taken as the coming one; a report of what happened may mean the last one."""


_LATIN = re.compile("day|tonight|tomorrow")


def find_times(text: str, now: datetime) -> list[Time]:
    """All time expressions of a text, as seen at `now` (aware); ranges (从…到…) are one expression."""
    plain = fold(text)
    now = now.astimezone(ZONE)
    english = [Time(*found, False) for found in find_english(plain, now)] if _LATIN.search(plain) else []
    return [*_joined(plain, list(_single(plain, now))), *english]


def _single(plain: str, now: datetime) -> Iterator[Time]:
    at = 0
    for here in _MAY_BEGIN.finditer(plain):
        if here.start() < at:
            continue
        match = _WHEN.match(plain, here.start())
        if match is None or match.end() == here.start() or not _means_time(match, plain) or (found := resolve(match, now)) is None:
            continue
        yield Time(match.start(), _end(match), *found, _future(match))
        at = match.end()


def _end(match: Match[str]) -> int:
    raw = match.group(0)
    return match.start() + len(raw.rstrip(" ,的"))


def _means_time(match: Match[str], plain: str) -> bool:
    """Refuse what only looks like a time: 一点都不方便, 6号楼, 有点, 前前后后."""
    parts = match.groupdict()
    has_date = any(value for key, value in parts.items() if key in _DATE_KEYS)
    following = plain[match.end():match.end() + 2]
    if any(parts[key] and refuses(parts, plain, match) for key, refuses in _REFUSED.items()):
        return False
    if _HABITUAL.match(match[0]) and not any(parts[key] for key in ("hour", "period", "wkday", "weekend", "dday", "month", "onlymonth", "feast", "meal")):
        return False
    if parts["hour"] and not has_date and not parts["period"]:
        return _bare_clock(match, parts, plain, following)
    if not has_date and not parts["hour"] and parts["period"]:
        return parts["tail"] in (None, "以后", "之后", "以前", "之前", "过后") and (bool(parts["every"]) or (
            parts["period"] not in _OF_A_DAY and plain[max(match.start() - 1, 0):match.start()] not in ("一", "整", "半", "个", "大")))
    return has_date or bool(parts["hour"]) or bool(parts["meal"])


def _is_bare(parts: Parts) -> bool:
    return not (parts["hour"] or parts["period"] or parts["meal"])


def _no_day(parts: Parts, plain: str, match: Match[str]) -> bool:
    return (_is_bare(parts) and bool(_NOT_A_DAY.match(plain, match.end()))) or not 1 <= number(parts["dday"] or "") <= 31


def _no_near_day(parts: Parts, plain: str, match: Match[str]) -> bool:
    """当儿, 后早, 听天由命: no days."""
    day, word = parts["rday"], parts["rword"] or ""
    if day == "当":
        return word not in ("天", "晚", "晚上")
    if day in ("听", "琴", "噚", "寻"):
        return word[0] not in "日晚朝"
    return day in ("后", "大后") and word[0] in "早夜"


def _no_month(parts: Parts, plain: str, match: Match[str]) -> bool:
    return not 1 <= number(parts["onlymonth"] or "") <= 12 or (not parts["oyear"] and plain[max(match.start() - 1, 0):match.start()] in tuple("第半几多整"))


_AT_EVENT = re.compile(r"(?:^|[\W_]|[就是在我])$")
_SAID_JUST_NOW = re.compile(r"[,，]?我?(?:孩子|有人|有个|那|的|漏|说|讲|写|填|报|语音|念|读|给(?=你|您)|没讲|忘|发|打错|接线|房号|号码|单)")
_REFUSED: Mapping[str, Callable[[Parts, str, Match[str]], bool]] = {
    "dday": _no_day,
    "smonth": lambda parts, plain, match: _is_bare(parts),  # 3/4 of something: only what names a day's part too is a date.
    "rday": _no_near_day,
    "onlymonth": _no_month,
    "season": lambda parts, plain, match: not parts["yrel"],
    "yonly": lambda parts, plain, match: bool(re.match("[0-9一二三四五六七八九十]", plain[max(match.start() - 1, 0):match.start()])) or plain[match.end():match.end() + 1] == "前",
    "moonday2": lambda parts, plain, match: not _MOON.search(plain, max(match.start() - 60, 0), match.end() + 60),
    "moonday": lambda parts, plain, match: (parts["moonday"] or "") in "一二三" and plain[max(match.start() - 2, 0):match.start()] not in ("大年", "农历", "阴历"),
    "now": lambda parts, plain, match: bool(_SAID_JUST_NOW.match(plain, match.end())) or not _AT_EVENT.search(plain[max(match.start() - 1, 0):match.start()]),
    "yrel": lambda parts, plain, match: not any(parts[key] for key in ("month", "onlymonth", "season", "feast", "lunar", "moonday")),
}
"""By what was found: when it is no time after all."""
_MOON = re.compile("初[一二三四五六七八九十]|[正腊]月|农历|阴历")
"""十六再去: a day of the moon only where another one is told."""
_HABITUAL = re.compile(r"每|天天|工作日")


def _bare_clock(match: Match[str], parts: dict[str, str | None], plain: str, following: str) -> bool:
    said = match.group(0)
    before = plain[max(0, match.start() - 1):match.start()]
    if ":" in said or "：" in said:
        return bool(parts["minute"]) and len(parts["minute"] or "") >= 2 and not before.isdigit()
    if "时" in said and not parts["minute"] and "点" not in said:
        return before in {"", "，", "。", " ", "在", "到"} and said[0].isdigit()
    if re.match(_AROUND, said) or (before and plain[match.start() - 2:match.start()] not in ("最快", "最早", "最晚", "最多") and before in ("第几有差快慢早晚多早" if said[0] in _SPOKEN_HOUR else "第几有差快慢早晚多早0123456789.")):
        return False
    if (parts["hour"] or "") in {"一", "两", "1"} and not parts["minute"] and not re.search("[钟整]|..点", said) and before not in ("留", "换", "约", "改") and not _BOOKED_HOUR.match(plain, match.end()) and not _HOUR_IS.search(plain[max(match.start() - 6, 0):match.start()]):
        return False
    if _IDIOM.match(plain[match.start():match.end() + 4]):
        return False
    if parts["minute"] or "钟" in said or "整" in said or parts["tail"]:
        return True
    return before in ("到", "约") or not _NOT_A_CLOCK.match(following)


_BOOKED_HOUR = re.compile("的?(?:时段|那个?号|号(?!楼))|的场")
_HOUR_IS = re.compile("时间(?:还是|就是|定在|改到|改成|约在|是|在|换成)$")
"""留一个两点的时段, 时间还是两点: no two points."""
_DATE_KEYS = frozenset((
    "year", "month", "smonth", "rday", "wkday", "wrel", "mrel", "mpart", "mwhole", "onlymonth", "yend", "ago_n", "feast",
    "dday", "now", "yonly", "moonday2", "lmonth", "weekend", "tenth", "season", "lunar", "moonday", "newyear"))


def _future(match: Match[str]) -> bool:
    parts = match.groupdict()
    return bool((parts["wkday"] and not parts["wkrel"]) or parts["every"])


def _joined(plain: str, times: list[Time]) -> Iterator[Time]:
    """Two expressions with 到 or 至 between them are one range; so are two days side by side, and a day with its hour."""
    waiting: Time | None = None
    for time in times:
        between = plain[waiting.end:time.start].strip() if waiting else ""
        if waiting and between in _UNTIL:
            waiting = _until(waiting, time)
            continue
        if waiting and between in (",", "(") and _DATED.search(plain, waiting.start, waiting.end) and (weekday := _WEEKDAY.match(plain, time.start)) and weekday.end() == time.end:
            waiting = Time(waiting.start, time.end + (between == "(" and plain[time.end:time.end + 1] == ")"), waiting.begins, waiting.ends, waiting.relative_to_future)
            continue
        if waiting and (between in ("", "从") or (between in ("或", "或者", "和", "跟") and _shares(plain, waiting, time))) and "\n" not in plain[waiting.end:time.start]:
            if waiting.end == time.start or between:
                waiting = _together(waiting, time)
                continue
        if waiting:
            yield _until_now(plain, waiting)
        waiting = time
    if waiting:
        yield _until_now(plain, waiting)


_DATED = re.compile(r"\d\s?[号日]?$|[一二三四五六七八九十][号日]?$")
_WEEKDAY = re.compile("(?:周|星期|礼拜)[一二三四五六日天]")
"""11月21日（周六）: the day by both its names."""
_UNTIL = frozenset(("到", "至", "-", "—", "~", "一直到"))
_CLOCKED = re.compile(r"点|[:：]|[上下]午|早|晚|中午|晌|夜|晨")
_NOW = re.compile("到(?:现在|如今|目前)")


def _until(first: Time, last: Time) -> Time:
    """A range; 明天下午三点到五点: the day is said once."""
    ends = last.ends
    if ends < first.begins:
        moved = first.begins.replace(hour=ends.hour, minute=ends.minute)
        ends = moved if moved >= first.begins else moved + timedelta(hours=12)
    return Time(first.start, last.end, first.begins, ends, first.relative_to_future)


def _shares(plain: str, first: Time, last: Time) -> bool:
    """12号或13号早上: the hour that is said once holds for both."""
    return not _CLOCKED.search(plain, first.start, first.end) and bool(_CLOCKED.search(plain, last.start, last.end))


def _together(first: Time, last: Time) -> Time:
    """今天从六点, 22号礼拜天: the day and its hour or its other name; of two days the whole stretch."""
    whole = first.ends - first.begins >= timedelta(days=1)
    if whole and last.ends - last.begins < timedelta(days=1):
        shift = timedelta(days=(first.begins.date() - last.begins.date()).days)
        return Time(first.start, last.end, last.begins + shift, last.ends + shift, first.relative_to_future)
    return Time(first.start, last.end, min(first.begins, last.begins), max(first.ends, last.ends), first.relative_to_future)


def _until_now(plain: str, time: Time) -> Time:
    """从早上六点到现在 is one stretch."""
    if (match := _NOW.match(plain, time.end)) and re.search("从", plain[max(time.start - 1, 0):time.end]):
        return Time(time.start, match.end(), time.begins, time.ends, time.relative_to_future)
    return time
