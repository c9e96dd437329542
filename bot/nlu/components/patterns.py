"""The forms of phone numbers, ticket numbers, people, scores and places in Chinese text."""
from __future__ import annotations

import re
from collections.abc import Iterator

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟"
    "谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐"
)
_TITLE = "先生|女士|小姐|阿姨|大爷|大妈|师傅|医生|大夫|主任|老师|经理|护士|护士长|科长|队长|主管|院长|所长|局长|处长|站长"
_SPOKEN = "零一二三四五六七八九幺〇"

EXACT: list[tuple[str, re.Pattern[str]]] = [
    ("phone", re.compile(r"(?P<it><phone_\d+>)")),
    ("id_number", re.compile(r"(?P<it><id_\d+>|(?<!\d)\d{17}[\dx](?![\da-z]))")),
    ("ticket_number", re.compile(r"(?P<it>hy\s?\d{8}\s?-?\s?\d{5,})")),
    ("ticket_number", re.compile(r"(?:工单号?码?|单号|编号|流水号|受理号)[是为:：\s]{0,3}(?P<it>\d{5,}(?:-\d{3,})?)")),
    ("phone", re.compile(
        r"(?<![\d-])(?P<it>(?:\+?86[-\s]?)?1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}|0\d{2,3}[-\s]?\d{7,8}|[48]00-?\d{3}-?\d{4})(?!\d)")),
    ("phone", re.compile(rf"(?P<it>[一幺][{_SPOKEN}]{{10}})(?![{_SPOKEN}])")),
]
"""Read on folded text; the group `it` is the entity."""

BROAD: list[tuple[str, re.Pattern[str]]] = [
    ("person", re.compile(rf"(?=(?P<it>(?!保安)(?<!保)[{_SURNAMES}][\u4e00-\u9fa5]{{0,2}}?(?:{_TITLE})))")),
    ("person", re.compile(
        rf"(?:我叫|名叫|名字是|姓名[:：是]?\s?|叫做|我是|本人|联系人[:：是]?\s?|称呼我)(?P<it>[{_SURNAMES}][\u4e00-\u9fa5某]{{1,2}})"
        r"(?=$|[，,。.；;！!？?\s、]|<|电话|手机|住|家住|是|，|在)")),
    ("person", re.compile(rf"(?P<it>[{_SURNAMES}]某某?)")),
    ("person", re.compile(rf"我姓(?P<it>[{_SURNAMES}])")),
    ("score", re.compile(r"(?P<it>(?:非常|很|特别|十分|挺|比较|相当)?(?:不太|不)?满意)")),
    ("score", re.compile(r"(?P<it>(?<![\d.])(?:10|[0-9]|[一二三四五十]|满|零)(?:分|颗星|星)(?!钟|之|类|级|开|局|院|店))")),
    ("department", re.compile(
        r"(?P<it>(?:[a-z]|\d{1,3}|[一二三四五六七八九十]{1,3})号?窗口)")),
]

_NUMBER = r"(?:[a-z]?\d{1,4}|[a-z](?=[栋座幢区])|[一二三四五六七八九十百]{1,4}|[甲乙丙丁东西南北](?=[区座]))"
_UNIT = (r"(?:号楼(?![下前后上底旁道顶])|号院|号门洞|号房|号门|栋楼(?![下前后上底旁道顶])|栋|幢|座|单元|门洞|室|层|楼|#楼|#|弄|房|区|期|组|队"
         r"|号(?!窗|线|[前后以之开来去]|上午|下午|早|晚|就|说|的?时候|到|至|停|交|报))")
_NOT = "我你他她它们在是的了住到去从就这那有和与跟把被让给对为不也都还要会能想请问您好里边家说看过叫个吗呢吧啊，。！？；：、,.!?;: 离向往"
_NAME = rf"[^{_NOT}\W\d_]{{1,6}}?"
_KIND = ("小区|花园|家园|花苑|佳苑|名苑|新村|新城|公寓|大厦|广场|社区|公园|菜市场|农贸市场|步行街|街道|大道|大街|胡同|医院|中学|小学|幼儿园|大学"
         "|地铁站|公交站|火车站|车站|高架桥|立交桥|工业园|开发区|酒店|商场|超市")
_ESTATE = r"[苑府轩湾郡居庭邸庄坊里园城台]"
"""Names of estates end so, where a building's number follows: 春晖苑5栋."""
_ROAD = rf"[^{_NOT}\W\d_]{{1,4}}?(?:路|街|巷)(?=\d|[一二三四五六七八九十]+号|口|上|边|段|与|和|$|[，。,]|附近|交叉)"
_FACILITY = ("地下车库|地下停车场|地下室|停车场|车库|楼道|楼梯间|消防通道|单元门|大门口|小区门口|[东南西北]门|[东南西北]广场|儿童游乐区|游乐场|健身区|花坛|绿化带"
             "|垃圾站|垃圾房|垃圾桶旁|天台|楼顶|顶楼|电梯口|电梯间|地库|服务大厅|办事大厅|大厅|候诊区|门诊楼|住院部|住院楼|急诊楼|门诊大厅|缴费处|取药处"
             "|泵房|配电房|中心花园|中庭|喷泉|凉亭|岗亭|保安亭|快递柜|充电桩|充电棚|车棚")

_ADDRESS = re.compile(
    rf"(?:{_NAME}(?:{_KIND}|{_ESTATE}(?=\d|[一二三四五六七八九十]|[a-z]\s?[栋座幢])))?\s?(?:{_ROAD})?\s?(?:{_NUMBER}\s?{_UNIT}\s?(?:的)?(?=\S|$)){{1,5}}(?:\s?-?\d{{3,4}}(?!\d|元|块|年|多|人|次|天|平)(?:室|房)?)?"
    rf"(?:的?(?:{_FACILITY}))?")
_DASHED = re.compile(r"(?<![\d-])\d{1,3}-\d{1,2}-\d{2,4}(?!\d|-)")
_NAMED = re.compile(rf"{_NAME}(?:{_KIND})(?:的?(?:{_FACILITY}))?|{_ROAD}(?:口|\d+号)?")
_SPOT = re.compile(rf"(?:{_FACILITY})")
_LEAD = re.compile(r"(?:我要|我想)?(?:投诉|举报|报修|反映|反应|感谢|表扬|建议|报警|求助|家住|地址|位置|关于|位于|本人|现住|改成|改为|应为|应该)*[:：是为]?")
"""What stands before a name without belonging to it: 投诉翠湖花园."""
_COUNTED = re.compile(r"[一二两三四五六七八九十\d]+(?:层|房|室|区|组|队|期|座|栋|户|楼)$")


def find_places(plain: str) -> Iterator[tuple[int, int]]:
    """Spans of places in folded text, the most exact form first."""
    for pattern in (_ADDRESS, _DASHED, _NAMED, _SPOT):
        for match in pattern.finditer(plain):
            start, end = match.span()
            start += _LEAD.match(plain[start:end]).end()  # type: ignore[union-attr]
            said = plain[start:end].rstrip("的 ")
            if len(said) >= 2 and not _only_counts(said, plain[end:end + 1]):
                yield start, start + len(said)


def _only_counts(said: str, following: str) -> bool:
    """一层灰, 一组照片: a measure word, not a place."""
    return bool(_COUNTED.fullmatch(said)) and said[0] in "一两" and said[-1] in "层组队期房区" and following not in "，。的 "
