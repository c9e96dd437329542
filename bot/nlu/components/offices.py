"""Departments and services by the parts of their names: every head with every tail is a name, and the longest counts."""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from nlu.components.kinds import Kinds
from nlu.components.normal import fold
from nlu.components.words import Words

Span = tuple[int, int]

_ZONES = ("高新区", "经开区", "开发区", "新区")
_LEVEL = rf"(?:{'|'.join(_ZONES)}|(?<![小社园片校辖景])[市区县省镇乡州]|街道|社区)?"
_WITH_NUMBER = re.compile(r"号(?:码|是|为|更正|应|[:\s\da-z<,，。]|$)|[\s,，]{0,2}[a-z]{1,2}\d{7}|[:：\s]?\d{6}")
"""身份证号: the number on it, and no service."""
_SPOKEN_TO = re.compile(r"(?:投诉|举报|表扬|感谢|批评|点名|跟|和|同|找|向|请|麻烦|问|联系|叫|通知|去|到|在|让|给|求|告|咨询|反映)(?:一下|了|过|我们|咱们?|贵)?$")
_OF_IT = re.compile(r"开庭|起诉|打官司|经理|主任|费|上门|大堂|群|管家|公司")
_IN_PASSING = re.compile(r"(?:冒领|套取|骗取|克扣|挪用|贪污?|侵占|倒卖|虚开|拿着?假?|假|带|刚传的|漏填|填|改造?成|变成|划成|划了?|新增|增加|占用?)(?:的|了)?$")
_GONE_BY = re.compile(r"用的|(?<=[保困])户|要用|那天|滞留|被扣|的?小老板|片|垃圾|噪[音声]|工人|公司|队|师傅|的?名额|的?[钱款](?:拿去|在外|被)?|门(?![诊特慢禁])|排队(?![要得还几多])|(?<=评估)报告|(?<=登记)(?:受理)?凭证|(?<=牌照)的?车|纠纷|系统|平台|网站|软件|app|公众号|小程序|记录|机(?![会构])|费|头|以?后|的[^\s,，。]{1,3}(?:科长|主任|医生|师傅|老师|姐|哥)|(?:公司|店)")
_ASKED = re.compile(
    r"(?:办理?|补办?|申请|预约|预订|预定|约|订|租|借|登记|申报|报|缴纳?|补缴|换|领取?|查|打|接种|续|退|转|改|撤|取消|挂|做|(?<![进银举施执流实发推])行|排|照|拍|看|开|重开|推迟|要|需|复印|打印|想交|来交|怎么交|如何交|去交|交不了|迁|安排|参加)"
    r"(?:一?下|一?个|一?张|一?份|一?次|不了|了|的|那个|这个|第[一二三四][针次]|(?:社区|你们|医院|那边|村里|街道)的?|[一二三四五六\d]个?月的?|(?:无痛|普通|加急|免费|全套|专家)的?|我的|我妈?|我爸|孩子的?|娃的?|老人的?|去|成|好|上午|下午|明天|后天|\s)*$|(?:那个|我的|的预约|预约是)$|(?:预约|约|预订|订|挂|改)[^,，。]{1,14}的$")
_GOES_FOR = re.compile("(?:[来去]|前往|(?<!不)[能想])(?:[集统]体|统一|单位)?$|(?:教职工|职工|员工|学生|全员|师生)的?$")
"""下午能|体检吗: what one goes to have done."""
_LENT = re.compile(r"(?:租|借|订|约|排|用|那个|用的)(?:一?下|一?个|一?间|一?次|一?台|一?把|的)?$")
_ASKS = re.compile(
    r"(?:的|这个|那个)?(?:号(?!码)|预约|申请|登记|进度|办理|业务|手续|发放|到账|怎么|如何|咋|能不?能?(?:办|用|交|补|查|推|改|换|往|挪|提|延|不|重|开|约|预约|订|做|打|领|取)|排期|可以(?:办|用|交|补|查|推|改|换|往|挪|提|延|吗)|[可能]否|是否可|先停|先不|暂停|不[办做]了|作废|撤[销回]|在哪|去哪|到哪|多少|什么时候|啥时候|几点|几天|要(?![求是命])|需要|推迟|改到|改成|改|延|取消|到期|过期|丢|办|补|换|预定|从|乱|涨|收费|挪|什么条件|续|结果|报告|周几|星期几|礼拜几|还?有没有|还有|批|审|下来|到账|卡在|加急|开具|增页|遗失|失效|轮到|排到|还要|做一[次回下]|打一[次针]|一[个次年回](?:月|季度)?(?:得|要)?多少|[^\s,，。!！?？]{0,7}(?:怎么|如何|多少|多久|多长|要不要|能不能|能不|可不可以|啥时|什么时|能同|能一[起块]|办不办))")
_LINE_END = re.compile(r"[\s,，。.!！?？、]|$|吧|呗")
_ANOTHER = re.compile(r"(?:胃镜|肠镜|[bB]超|彩超|ct|抽血|核磁|心电图|身份证|户口本?|社保卡?|医保卡?|水费|电费|物业费|停车费)[和跟与加还有]*$")
"""胃镜|肠镜: what is asked of one is asked of the other."""
_DONE = re.compile(r"(?:做|打|拍|查|排)(?:了|过|完)?的$")
_RESULT = re.compile(r"[^,，。!！?？]{0,4}(?:结果|报告|片子|单|出来|什么时候|几时|啥时)")
_WANTS = re.compile(r"[约定订挂]个|帮我[约定订挂排]|预约|预定|申请|要办|想办")
_WINDOW = re.compile(r"窗口|病房")
_FOR = ("n", "vn", "j", "b", "v", "nz", "l", "a")
_WARD_NUMBER = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
_WHOSE = "(?:老?干部|离休干部|儿童|成人|青少年|妇女|特需|国际)?"
_NUMBERED_WINDOW = r"(?:(?<![a-z\d])[a-z](?:\d{1,3})?|\d{1,3}|[一二三四五六七八九十]{1,3})号?窗口"
_FLOOR_ONLY = re.compile(r"(?:负?\d{1,2}|负?[一二三四五六七八九十]{1,2})[楼层]")
_ON_FLOOR = re.compile(r"窗口$|室$")
_HALL = re.compile("(?:大厅|中心|[院局所处站])$")
"""政务大厅|3号窗口: the window is one of it."""
_PART_OF_OFFICE = re.compile(r"(?:窗口|护士站|病房|门诊|办公室|值班室|icu|监护室|抢救室|分诊台|导诊台|药房)$")
_GOES_ON = re.compile(r"病房|值班室|窗口(?![外前上下里内边旁])")
_THEIR_OWN = re.compile("(?:我司|我校|我公司|我单位|我厂|我们公司|我们单位|我们学校|我们厂|[的要是在]公司|[的要是在]学校|^学校|[,，。]学校)的?$")
_IS_TOLD = re.compile(r"也[说讲]|反映[均都了过后没]")
"""多次向物业反映均被推诿: what went before."""
_WINGS = frozenset("住院部 门诊部 急诊部 门诊 急诊".split())
_INSTITUTION = re.compile(r"(?:医院|卫生院|卫生所|卫生室|保健院|[市县一二三四五六]院|服务中心|便民中心|市民中心|分中心|服务站|政务中心|政务大厅)$")
_AROUND_IT = re.compile(r"[旁边对附前后门里内外停路]|附近|大厅|[东南西北]")
_TREATS = re.compile(r"挂[个号了]|[约排放]个?号|帮[我俺].{0,3}[约挂排]|约[的了好在个]|预约|排个|[给]我?.{0,2}看[的了]?病|大夫|中医|办理|大厅办|中心办")
_WHOLE_PARTY = frozenset(("物业",))
_MOST_BETWEEN = 3
_CLAUSE = re.compile(r"[\s,，。.!！?？;；:：、]")
_BOOKED_ON = re.compile("[约定排是原]")
_DAY = re.compile(r"[\d一二三四五六七八九十今明后下这本]|周|星期|礼拜")
_AT_DAY = re.compile(r"(?:原来|本来|原先|原定)?(?:第[一二三四五六]次)?(?:就|那个)?(?:是|在|排在|排到|约在|约的|定在|安排在|改到|推到|挪到)?")
_EDGE_BEFORE = re.compile(r"[a-z\d]$")


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Any]:
    """The parts of names; data, so that an office's words can be read and changed without code."""
    read: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "offices.yml").read_text(encoding="utf-8"))
    return read


def _one_of(words: Iterable[str]) -> str:
    """A pattern of these words, the longest first, that looks at each character of the text once: 社保局|社保卡 → 社保[局卡]."""
    tree: dict[str, Any] = {}
    for word in words:
        branch = tree
        for character in word:
            branch = branch.setdefault(character, {})
        branch[""] = {}
    return _branches(tree)


def _branches(tree: Mapping[str, Any]) -> str:
    longer = [re.escape(character) + _branches(below) for character, below in tree.items() if character]
    if not longer:
        return ""
    return f"(?:{'|'.join(longer)}){'?' if '' in tree else ''}" if len(longer) > 1 or "" in tree else longer[0]


def _heads_and_tails(part: Mapping[str, str]) -> str:
    tails = "|".join(sorted(part["tails"].split(), key=len, reverse=True))
    return f"{_one_of(part['heads'].split())}(?:{tails})"


class Offices:
    """Departments and services in a text; `lookups` of the training data are names as well."""

    def __init__(self, lookups: Mapping[str, Sequence[str]]) -> None:
        clinics, offices, services = (_table()[name] for name in ("clinics", "offices", "services"))
        self._kinds = Kinds(services["kinds"])
        self._familiar = frozenset(offices["familiar"].split())
        self._asked = frozenset(services["familiar"].split())
        self._public = frozenset(offices["public"]["heads"].split())
        self._booked = frozenset(services["booked"].split())
        self._lent = frozenset(services["lent"].split())
        self._no_window = frozenset(offices["no_window"].split())
        self._absorbing = frozenset(offices["absorbing"].split())
        clinic = clinics["heads"].split()
        every = {fold(word) for word in lookups.get("department", ())} | set(clinics["whole"].split())
        own = set(offices["whole"].split())
        self._departments = [re.compile(form) for form in (
            rf"{_WHOSE}(?:{_one_of(clinic)}科(?:门诊)?|{_one_of(word for word in clinic if len(word) > 1)}(?:门诊(?![楼大费])|中心(?![思位区花广医小])))(?![学技目研普长])",
            _LEVEL + _heads_and_tails(offices["public"]), _heads_and_tails(offices["inner"]),
            rf"{_one_of(clinic)}[一二三四五六七八九]科(?![目室学])", r"\bwindow (?:no\.? ?)?[a-z]?\d{1,3}(?!\d)", rf"(?:{_one_of(clinic)}科|{_one_of(clinics['short'].split())})?第?{_WARD_NUMBER}病区(?!第?{_WARD_NUMBER}号?[床室])", _NUMBERED_WINDOW, _LEVEL + _one_of(word for word in own if word[-1] in "会局院所委联" or word.endswith(("血站", "血液中心"))), _LEVEL + "妇幼保健院", _one_of(own | every))]
        self._short = re.compile(
            rf"(?:[挂看约是去转到在住个了楼层们号是,，。、\s“\"]|^)(?P<it>{_one_of(clinics['short'].split())})(?=$|[\s,，。、.!！?？吧吗的”\"]|还是|或|那边|专家|医生|主任|大夫|病房|住院处|门诊|\d|[一二三四五六七八九十]{{1,3}}(?:号|床|病区))"
            rf"|(?:[挂约排][了个的]?|[上下]午的?|周[一二三四五六日天]的?|[天晚]的?|^|[\s,，。])(?P<other>(?:儿童|小儿)?{_one_of(word for word in clinic if len(word) > 1 and word != '体检')})(?=的?(?:专家|普通|特需|夜间)?号(?![楼窗线码]))")
        benefits = rf"{_one_of(services['benefits'].split())}(?:生活)?(?:补助金?|补贴|救助金?|津贴|抚恤金|保险金)"
        whole = {fold(word) for word in lookups.get("service", ())} | set(services["whole"].split()) | self._asked | self._lent
        actions = _one_of(services["actions"].split())
        self._services = [re.compile(form) for form in (rf"{_one_of(services['certificates'].split())}证明书?", benefits, f"{_one_of(whole)}{actions}?")]

    def _windows(self, plain: str, words: Words) -> Iterator[Span]:
        """企业窗口, 月子病房: whatever a window or a ward is for."""
        for match in _WINDOW.finditer(plain):
            word = words.at(max(match.start() - 1, 0))
            if word.end == match.start() + 1 and word.tag[0] == "n" and len(word.text) > 2:
                yield word.start, match.end()  # 月子病|房.
            elif word.end == match.start() and len(word.text) > 1 and word.tag in _FOR and word.text not in self._no_window:
                yield self._whose_window(plain, word.start), match.end()

    def _whose_window(self, plain: str, start: int) -> int:
        """不动产|登记窗口: with the office's matter before it."""
        return next((start - size for size in (5, 4, 3, 2) if plain[max(start - size, 0):start] in self._public and start >= size), start)

    def departments(self, plain: str, words: Words, people: Sequence[Span], places: Sequence[Span]) -> Iterator[Span]:
        """Offices and wards by name, in order."""
        over = {at: (start, end) for start, end in places for at in range(start, end)}
        ends = {end for _, end in places}
        named = {start for start, _ in people}
        found = _longest([*(match.span() for pattern in self._departments for match in pattern.finditer(plain)), *self._windows(plain, words)])
        for start, end in _side_by_side(plain, list(found)):
            name = plain[start:end]
            if name.isascii() and (_EDGE_BEFORE.search(plain[:start][-1:]) or (plain[end:end + 1].isascii() and plain[end:end + 1].isalnum())):
                continue
            if (more := _GOES_ON.match(plain, end)) and name[-1] in "科部室处所办":
                yield start, more.end()
                continue
            if _THEIR_OWN.search(plain[max(start - 6, 0):start]):
                continue  # 我司行政部: an office of theirs.
            first, last = over.get(start - 1, (start, start))
            by_name = name in self._absorbing and (first < start <= last < end or _named_before(words, start) < start)
            if name in self._familiar and not by_name and not self._is_meant(plain, start, end, named, ends):
                continue
            if first < last == start and _FLOOR_ONLY.fullmatch(plain, first, last) and _ON_FLOOR.search(name):
                start = first  # 二楼4号窗口, 三楼彩超室.
            elif first < last == start and (plain[last - 1] == "院" or (name.endswith("窗口") and _HALL.search(plain[:last][-2:]))) and name not in _WINGS:
                start = first  # 县医院儿科.
            elif first < start <= last < end:  # 澄江新区管委会 is one name; in 翠湖花园物业 the office begins behind the place.
                start = first if plain[last:end] in self._absorbing or (start < last and name in self._absorbing) or ((last == start + 1 or plain[start:last] in _ZONES) and name[-1] in "局府院委") else last  # 清流县人社局.
            elif name in self._absorbing or name.endswith(("分局", "分中心")):
                start = _named_before(words, start)
            yield start, end
        for match in self._short.finditer(plain):
            start, end = match.span(match.lastgroup or 0)
            first, last = over.get(start - 1, (start, start))
            yield (first if first < last == start and _FLOOR_ONLY.fullmatch(plain, first, last) else start), end  # 三楼内分泌.

    @staticmethod
    def is_seen(plain: str, span: Span, people: Sequence[Span] = ()) -> bool:
        """Whether a hospital or a hall is meant as the office where one books or is treated, and not as a spot on the map."""
        of_it = plain.startswith("的", span[1]) and any(start == span[1] + 1 for start, _ in people)
        return bool(_INSTITUTION.search(plain[slice(*span)])) and (
            of_it or (not _AROUND_IT.match(plain, span[1]) and bool(_TREATS.search(plain, max(span[0] - 60, 0), span[1] + 60))))

    @staticmethod
    def is_wing(plain: str, span: Span) -> bool:
        """住院部 behind a hospital's name is a building of it."""
        return plain[slice(*span)] in _WINGS

    def _is_meant(self, plain: str, start: int, end: int, people: set[int], places: set[int]) -> bool:
        """投诉物业, 物业的小陈, 翠湖花园物业: but 物业 in passing is everybody's."""
        of_him = end + (plain[end:end + 1] == "的") in people
        if of_him or end == len(plain):
            return True
        if _OF_IT.match(plain, end) or _IS_TOLD.match(plain, end):
            return False
        return bool(_SPOKEN_TO.search(plain[max(start - 6, 0):start])) or start in places

    def services(self, plain: str, words: Words, others: Sequence[Span], coming: Sequence[Span] = ()) -> Iterator[Span]:
        """What is applied for or booked, in order; `others` are entities of other kinds, `coming` the times ahead among them."""
        listed = {match.span() for pattern in self._services for match in pattern.finditer(plain)}
        known = {end: start for start, end in listed if not self._kinds.is_ending(plain[start:end])}
        # 补交|身份证: what is done with a known name is no part of it, but 困难|职工补助 is one name.
        named = {(start, end): sure for start, end, sure in self._kinds.find(plain, words, others)
                 if end not in known or self._kinds.only_names(words.within(start, known[end]))}
        around = _Around(plain, others, coming)
        yield from _longest(span for span in {*named, *listed} if self._is_service(plain, span, around, span in listed or named[span]))

    def _is_service(self, plain: str, span: Span, around: _Around, listed: bool) -> bool:
        start, end = span
        name = plain[start:end]
        if name.isascii() and (_EDGE_BEFORE.search(plain[:start][-1:]) or (plain[end:end + 1].isascii() and plain[end:end + 1].isalnum())):
            return False
        before = plain[max(start - 10, 0):start]
        if (name[-1] == "证" and plain.startswith("明", end)) or _WITH_NUMBER.match(plain, end) or _IN_PASSING.search(before) or _GONE_BY.match(plain, end):
            return False
        if name in self._lent:
            return bool(_LENT.search(around.before(start)[-10:]))
        return (listed and name not in self._asked) or around.asks(start, end, name in self._booked)


class _Around:
    """What stands around a name, without the times, places and people that come between: 订|礼拜五下午的|会议室."""

    def __init__(self, plain: str, others: Sequence[Span], coming: Sequence[Span]) -> None:
        self._plain = plain
        self._starts = {end: start for start, end in sorted(others, reverse=True)}
        self._wants = bool(_WANTS.search(plain))
        self._days_end = frozenset(end for start, end in others if _DAY.match(plain, start))
        self._others = frozenset(start for start in self._starts.values() if _DAY.match(plain, start))
        self._begin_at = {start for start, _ in coming}
        self._end_at = {end for _, end in coming}

    def before(self, at: int) -> str:
        """The clause up to here."""
        end = at
        for _ in range(_MOST_BETWEEN):
            left = self._plain[max(end - 8, 0):end]
            bare = end - len(left) + len(left.rstrip("的那在 "))
            end = self._starts.get(bare, end)
        return _CLAUSE.split(self._plain[max(end - 16, 0):end])[-1]

    def asks(self, start: int, end: int, booked: bool) -> bool:
        """预约体检, 疫苗推迟几天, 停车费怎么交, 明天的核磁: a word of applying or asking, or a day to come, stands beside it."""
        if booked:
            day = start - 1 if self._plain[start - 1:start] == "的" else start
            at = _AT_DAY.match(self._plain, end)
            if (goes := _GOES_FOR.search(self._plain[max(start - 5, 0):start])) and (len(goes[0]) < 3 or goes[0][0] in "来去前能想" or start - len(goes[0]) in self._days_end):
                return True
            if day in self._end_at or (at and (at.end() in self._begin_at or (_BOOKED_ON.search(at[0]) and at.end() in self._others and not self._plain.startswith("的", at.end())))):
                return True
        clause = _ANOTHER.sub("", self.before(start))
        if _DONE.search(clause) and not _RESULT.match(self._plain, end):
            return False
        if not clause and _LINE_END.match(self._plain, end) and self._wants:
            return True
        return bool(_ASKS.match(self._plain, end)) or bool(_ASKED.search(clause) if clause else _LINE_END.match(self._plain, end) and start == 0)


_NO_QUARTER = frozenset("当地 本地 附近 辖区 外地 周边 旁边 对面 隔壁 楼下 门口 里面 外面".split())


def _named_before(words: Words, start: int) -> int:
    """城东|税务分局: where the name of its quarter begins."""
    word = words.at(max(start - 1, 0))
    return word.start if word.end == start and 2 <= len(word.text) <= 3 and word.tag in ("ns", "nr", "nz", "s") and word.text not in _NO_QUARTER else start


def _side_by_side(plain: str, spans: list[Span]) -> Iterator[Span]:
    """Offices of one another are one: 内科|护士站, 派出所的|户籍窗口; of 物业|工程部 only the second is meant."""
    waiting: Span | None = None
    for start, end in spans:
        if waiting:
            between, whole = plain[waiting[1]:start], plain[slice(*waiting)]
            if whole not in _WHOLE_PARTY and between in ("", "的") and (_PART_OF_OFFICE.search(plain[start:end]) or (whole[-1] == "院" and not between)):
                waiting = waiting[0], end
                continue
            if whole not in _WHOLE_PARTY or between:
                yield waiting
        waiting = start, end
    if waiting:
        yield waiting


def _longest(spans: Iterable[Span]) -> Iterator[Span]:
    found = sorted(spans, key=lambda span: (span[0] - span[1], span[0]))
    taken: set[int] = set()
    kept = []
    for start, end in found:
        if taken.isdisjoint(range(start, end)):
            kept.append((start, end))
            taken.update(range(start, end))
    return iter(sorted(kept))
