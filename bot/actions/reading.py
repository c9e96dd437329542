"""What one message adds to a draft ticket; pure functions over slots, text and entities."""
from __future__ import annotations

import re
from typing import Any

from nlu.components.normal import fold

from actions.moments import when_of
from actions.person import confidence_in, is_named_after_all, leaves_no_number, read_person, without_wishes
from actions.places import (
    bare_spot,
    is_vague,
    leads_from_vague,
    named_place,
    nearer_place,
    only_points,
    place_anew,
    place_said,
)
from actions.slips import meant_ones, names_wrong_value

SKIPPED = "-"
"""Asked for or not needed, and left open: never asked again."""
FIELDS = ("what", "place", "happened", "phone")
KINDS = {"complain": "complaint", "request_service": "request", "suggest": "suggestion", "praise": "praise",
         "report_misconduct": "report"}
NO_ANSWER = {"urge", "ask_status", "withdraw", "ask_human", "rate", "thanks", "goodbye"}
"""What presses or turns elsewhere is neither a place nor a time: 催一下 is not where he lives."""
NEEDED = {"complaint": FIELDS, "request": ("what", "place", "phone"), "suggestion": ("what",), "praise": ("what",),
          "report": ("what",), "consultation": ("what",)}
"""A report about staff is asked nothing more: an inspector speaks with who made it."""
PETITION = 90
"""A text of so many characters tells its story: only where it happened may still be missing."""

_BARE = re.compile(r"我|要|想|来|一下|你们|帮|请|麻烦|您好|你好|投诉|举报|报修|维修|反映|提|个|建议|表扬|意见|问题|的|了|点|件|事|情"
                   r"|匿名|保密|[，。！？,.!?\s]|有人|师傅|服务|一个|进行|这里|吗|呢|吧|啊|不留电话")
_CONTACT = re.compile(r"(?:我的?)?(?:电话|手机|号码|联系方式)?(?:号码?)?[是为：:]?<[A-Z]+_\d+>")
_GREETING = re.compile(r"(?:您好|你好|哈喽|喂|在吗|谢谢您?|感谢|麻烦(?:您|你)?(?:们|了)?|辛苦了?|拜托了?)[，。！!,.\s]*")
_UNKNOWN = re.compile(r"不记得|记不(?:清|得|住)|不(?:太)?清楚|不知道|不晓得|忘了|说不(?:清|好|准|上来)|没注意|不方便|随便|不详|跳过|(?:^|[，,])没有$|不用了$|不确定|不固定|没有(?:电话|手机)")
_NAMED_FIELD: list[tuple[str, re.Pattern[str]]] = [
    ("phone", re.compile(r"电话|手机|号码|联系方式")),
    ("place", re.compile(r"地址|位置|地点|地方|住址|房号|楼号|门牌")),
    ("happened", re.compile(r"时间|日期|几号|那天")),
]
_GIVEN = re.compile(r"(?:改成|改为|换成|更正为|应该是|应为|是在?)[：:\s]*(?P<value>[^，。！？,.!?是]{2,40})(?:才对|[，。！？,.!?]|$)")
_OTHERS_PHONE = re.compile(r"(?:骚扰|值班|咨询|公示|对方|他们?的|她的|商家|店家|老板|中介|物业|客服|公司|热线|打了?|拨打?了?|致电|来电)(?:的)?(?:电话|号码|热线|手机号?)?[是为：:]?$")
_TELLS_TIME = re.compile(
    r"[早晚午夜晨昨今前去年月日号天周春夏秋冬]|\d[点时:：]|[一二三四五六七八九十半几]点|星期|礼拜|小时|分钟|时候|刚|最近|近来|一直|每|以来|开始|[以之]后|[以之]前|节|假|会儿|当时|现在|长期|经常"
    r"|将将|才将|将才|头先|啱|先头|先前|早先|老早|平时|平常|回回|[那这一]阵|一歇|[那这]歇|[那这]哈")
"""Without one of them an answer says no time: 浙A12345 is whose car it was."""
_URGES_TO_REGISTER = re.compile(
    r"(?:那|就|好|行|嗯|哦|可以|的|吧|请|麻烦|你们?|您|先|赶紧|赶快|快点?|直接|帮|给|替|我们?|[，,\s])*"
    r"(?:登记|记录|记|报|登|提交|上报|反映|处理|投诉|报修|立案)(?:一?下|上去?|下来?|个(?:修|案|投诉)?|一个|修)?(?:来|去|就?行|就?好|就?可以)?(?:了|吧|啊|呗|呀|嘛|哈|谢谢|[，。！!,.\s])*")
"""那你帮我登记一下: that is what the form is doing."""
_NAMES_OF_KINDS = {"投诉": "complaint", "报修": "request", "求助": "request", "建议": "suggestion", "表扬": "praise", "举报": "report"}
_KIND_NAMED = re.compile(r"(?<!不是)(?<!不是要)(?<!不是想)(?<!不)(投诉|报修|求助|建议|表扬|举报)")
_REPORTS = re.compile(r"(?<![不没被别])(?<!不是)(?<!不想)(?<!不要)举报(?!电话|热线|方式|平台|信箱|邮箱|奖励|属实|后|了)|(?:黄牛|号贩子?)[^。！？]{0,12}(?:卖|倒|炒|领|拉客)|(?:卖|倒卖|炒)[^，。！？]{0,8}(?:专家|门诊)?号(?=[，。！!,\s一二三四五六七八九十\d]|$)")
_ASKS_FOR_REPAIR = re.compile(r"(?:[我想要帮给替来]|麻烦)[^，。！？\s]{0,6}报(?:个|一个|一?下)?修(?!了|过|[一两三四几多好\d]|后|没|电话|热线|单|的|流程|要|怎)")
_SLIP = re.compile(r"[点选按搞弄说]错|不是(?:要|想)?(?:投诉|报修|求助|建议|表扬|举报)")
_NO_TICKET = re.compile(
    r"(?:不是|没(?:有|想|打算|要)?|不(?:想|要|用|打算)?|别)(?:想|要|来|打算|在)?(?:给我)?(?:登记|投诉|举报|报修|反映)")
_ONLY_ASKS = re.compile(
    r"(?:就|只|光|先|单|仅)(?:是|要|想)*(?:问|打听|咨询|了解|知道|请教|搞清|弄清)|(?:想|来)(?:问|打听|咨询|了解|知道|请教)[^，。]{0,12}(?:归|找|谁|哪|怎|什么|多少)|咨询(?:一下|而已)?$")
_ASKS_OF_US = re.compile(
    r"(?:收|要|花|付|出|算)(?:多少|什么|啥)?[个点]?(?:费用?|钱)(?:吗|么|不|呢|嘛|[?？]|$)|多少钱|免费的?(?:吗|么|不|呢|[?？])|[怎咋]么?收费|要不要(?:收费|花?钱|付钱)"
    r"|收不收(?:费|钱)|几点(?:钟)?(?:上班|下班|开门|关门|营业)|(?:上班|下班|开门|关门)(?:时间|是?几点)|(?:上班|下班|营业|办公)时间")
"""What the office's own visit costs and when it is open, asked while it is registered: 要收钱吗."""
_REPROACH = re.compile(r"凭什么|为什么|为啥|怎么[还又]|乱|投诉|举报|他们?|她|对方|商家|了我")
_REGISTERS = re.compile(r"登记|报个?修|报修|投诉|反映|记一?下|来修|派人|派师傅|安排|上门|处理|(?:帮|替|给)[^，。]{0,4}(?:问|打听|了解|咨询)")
_OF_THAT = re.compile(r"^(?:那|行|好|嗯|哦|就)|这个?(?:事|件|问题|情况)|就?这个")
"""那你给我报个修吧 speaks of what was said before."""
_NOTHING_OF_IT = re.compile(r"那|给|修|登记|记录|记|就|先|行|好|嗯|哦|这|帮|报|家里|赶紧|尽?快|安排|派|上门|处理|解决|看看|看|联系|电话|手机|地址|在|是|住|位置|吧|呗|个|问|打听|了解|咨询|到|打|回复?|告诉|通知|知道|结果|姓|有了?")
_HAS_IT_ASKED = re.compile(r"(?:帮|替|给)[^，。]{0,4}(?:问|打听|了解|咨询)")
_SPOKEN = str.maketrans("零〇洞一幺二两三四五六七拐八九杠", "000112234567789-")
_QUESTION = re.compile(r"[?？吗呢]\s*$|[了过好来]没有?[。！!]?$|啥|怎么|如何|多少|什么|哪|几点|([\u4e00-\u9fff])(?:不|没)\1|可不可以|有没有")
_GIVE_UP = re.compile(r"^(?:那就?|还是|唉|哎|嗯)?[，,]?算了|(?:不|别)(?:投诉|报修?|登记|办|反映|提|说|弄|填|想投诉|想报)了|取消(?:登记|投诉|报修|预约)?(?:吧|了|$)|不(?:想|用|要)(?:投诉|登记|报|办)了?|不(?:弄|搞|办|填|说|聊)了|当我没说|退出")
LETS_GO = 40
_LETS_GO = re.compile(r"(?:^|[，。！？!?,…~\s])(?:那就?|还是|唉|哎|嗯|哦+|要不|行吧|好吧|呃)*(?:算了|拉倒|作罢)(?=$|[吧啊呀哈啦嘛呗算，。！!,…~\s]|我|不|你们?(?!记|登)|咱)")
"""这么贵，那算了，我送人好了: a clause lets it go, wherever it stands."""
_GOES_ON = re.compile(r"电话|匿名|\d{5,}|继续|接着|(?<!不)(?<![不别][用想要])(?<!别)(?:登记|记一?下|报修|报上|留个)")
"""算了，不留电话了 and 算了，你登记吧 let only the question go."""
_SHORT_OF_PHONE = re.compile(r"(?<!\d)\d{5,13}(?!\d)")
_NARRATIVE = re.compile(r"[了没]|已经|反映|投诉|希望|赶紧|快点|谢谢|好的|嗯|哦|为什么|怎么|什么|多少|[?？]|^(?:是|对|行|好|有|可以)(?:的|啊|吧)?$")
_PLACELESS = re.compile(
    r"收费|费用|乱收|涨价|物业费|停车费|发票|退款|退费|退钱|欠薪|工资|社保|医保|公积金|养老金|补贴|低保|合同|押金|保证金|网站|系统|APP|app|小程序|公众号|"
    r"骚扰|推销|短信|打不通|没人接|热线|客服|政策|报销|户口|落户|签证|驾照|学位|录取|证书|退休")
"""Money, papers and lines: there is no spot that somebody has to go to."""
_MONEY_BACK = re.compile(r"退(?!休|出|伍)(?:还|回|给|款|费|钱|一下)?[^，。！？]{0,6}(?:押金|保证金|费|钱|款)|(?:押金|保证金|费|钱|款)[^，。！？]{0,10}退(?!休|出)")
_REFUSED = re.compile(r"不[给肯让]?退|不还|拖|凭什么|扣着|赖|乱|没退|太|态度|投诉|骗|抢|讲理|说法")
_IN_THE_OFFICE = re.compile(r"窗口|大厅|门诊|病房|住院|诊室|护士|医生|打印机|取号|叫号|你们[一二三四五六七八九十\d]+[楼层]")
"""It is in the office's own house: a floor there leads to it."""
_STANDING = re.compile(
    r"坏了|坏掉|失灵|没反应|不能用|用不了|漏水|渗水|滴水|漏电|堵|不[亮热通]|不制冷|不出水|[打刷关]不[开上]|没水|没电|没气|停水|停电|裂|塌|脱落|掉落|报修|维修|来修|没人(?:管|清|修|处理)|乱(?:停|堆|扔|丢|摆|搭)|占用|占道|违建|脏|臭|异味|垃圾|积水|老鼠|蟑螂|态度|不作为")
"""What is so now: nobody has to say on which day it began."""


def give_up(text: str) -> bool:
    """算了, 不投诉了, 太贵了，那算了，我找别人; not 算了，不用保密了 nor 算了，不留电话了."""
    if confidence_in(text) is not None:
        return False
    if found := _LETS_GO.search(text):
        return len(text) <= LETS_GO and not _GOES_ON.search(text, found.start())
    return bool(_GIVE_UP.search(text)) and len(text) <= 20 and not text.lstrip("那还是唉哎嗯，,").startswith("算了")


def is_question(text: str) -> bool:
    """The resident asks back instead of answering; 得唔得 is 得不得."""
    return bool(_QUESTION.search(fold(text))) and not _UNKNOWN.search(text)


def substance(text: str) -> str | None:
    """The description in a message, or None when it only says 我要投诉."""
    return text.strip() if len(_BARE.sub("", _CONTACT.sub("", text))) >= 3 else None


def only_place(text: str, entities: list[dict[str, Any]]) -> bool:
    """6栋2单元 and not a word of what is wrong there."""
    rest = text
    for entity in sorted((e for e in entities if e["entity"] == "place"), key=lambda e: -int(e["start"])):
        rest = rest[:entity["start"]] + rest[entity["end"]:]
    return rest != text and not _BARE.sub("", re.sub(r"我们?家?|住在?|在|是|就|位于|这边|那边|的", "", rest))


def read(slots: dict[str, Any], message: dict[str, Any], requested: str | None, now: str = "") -> dict[str, Any]:
    """New values for slots: everything said is taken, and what was asked for counts as its answer."""
    text = str(message.get("text") or "").strip()
    entities = meant_ones(text, list(message.get("entities") or []))
    corrects = names_wrong_value(text) or (message.get("intent") or {}).get("name") == "correct"
    corrects = corrects and any(slots.get(field) not in (None, SKIPPED) for field in FIELDS)
    said: dict[str, Any] = {}
    if phone := own_phone(text, entities):
        said["phone"] = phone
    # The poster he scanned hangs somewhere: there, unless he says another place.
    scanned = (message.get("metadata") or {}).get("place") if slots.get("place") in (None, SKIPPED) else None
    old = slots.get("place") if slots.get("place") != SKIPPED else None
    place = place_anew(old, text, entities) if corrects and old else place_said(text, entities, broad=len(text) >= 40)
    if place is None and slots.get("what") not in (None, SKIPPED) and not corrects:
        place = bare_spot(text)
    if place := place or scanned:
        said["place"] = place
    said |= when_of(text, entities, now)
    new = {field: value for field, value in said.items()
           if field in ("phone", "happened_at") or corrects or slots.get(field) in (None, SKIPPED)
           or (field == requested == "place" and leads_from_vague(slots["place"], str(value), text))}
    if "happened" not in new:
        new.pop("happened_at", None)
    if corrects and "place" in new and re.search(r"\d", str(old or "")) and not re.search(r"\d", new["place"]):
        del new["place"]  # 单元门禁 is what is broken, not where he lives now.
    elif "place" in said and "place" not in new and (near := nearer_place(str(slots["place"]), text, said["place"])):
        new["place"] = near
    extra = read_person(text, entities, dict(slots.get("extra") or {}), kind=slots.get("kind"), corrects=corrects)
    if leaves_no_number(text) and "phone" not in new and not slots.get("phone"):
        new["phone"] = SKIPPED
    elif is_named_after_all(text) and slots.get("phone") == SKIPPED and "phone" not in new:
        new["phone"] = None
    about_person = extra != (slots.get("extra") or {}) or confidence_in(text) is not None
    presses = (message.get("intent") or {}).get("name") in NO_ANSWER
    new |= _answer(slots, new, text, entities, requested, corrects, about_person, presses)
    return new | {"extra": extra}


def own_phone(text: str, entities: list[dict[str, Any]]) -> str | None:
    """The telephone to call him back; not the one he complains about."""
    phones = [e for e in entities if e["entity"] == "phone"]
    own = [e for e in phones if not _OTHERS_PHONE.search(text[:e["start"]]) or re.search(
        r"(?:我的?|联系|本人|回|手机|打)(?:电话|号码|手机号?|我)?[是为：:，,\s]*$", text[:e["start"]])]
    return in_digits(str(own[-1]["value"])) if own else None


def in_digits(number: str) -> str:
    """幺三九零零零零二二二二, as somebody reads it aloud, is what can be dialled; 杠 is the hyphen of a ticket's number."""
    return number.translate(_SPOKEN) if re.fullmatch(r"[零〇洞一幺二两三四五六七拐八九杠]{4,}", number) else number


def is_meant(number: str, named: str) -> bool:
    """Whether a ticket has the number that was named, whole or by its end; what stands before a hyphen is its day."""
    day, _, end = named.rpartition("-")
    plain = number.replace("-", "")
    return plain.endswith(end) and day in plain


def _answer(
    slots: dict[str, Any], new: dict[str, Any], text: str, entities: list[dict[str, Any]], requested: str | None,
    corrects: bool, about_person: bool, presses: bool,
) -> dict[str, Any]:
    """The message as the answer to what was asked, as a correction, or as more of the story."""
    what = slots.get("what")
    if corrects and any(field in new for field in FIELDS):
        return {}
    if corrects and (found := _correct(slots, text)):
        return found
    if what is None:
        return {"what": substance(text)} if substance(text) and not only_place(text, entities) else {}
    if requested in new:
        return _more(what, text, entities)
    if requested == "phone":
        if _UNKNOWN.search(text) or re.fullmatch(r"(?:不|没有|算|免)[^，。]{0,6}", text):
            return {"phone": SKIPPED}
        return _more(what, text, entities)
    if requested in ("place", "happened"):
        if urges_to_register(text) or (requested == "place" and only_points(text)):
            return {}
        if _UNKNOWN.search(text):
            return {requested: SKIPPED}
        if not about_person and not any(field in new for field in FIELDS) and len(text) <= 30 and not presses and may_be(requested, text):
            return {requested: text}
    return _more(what, text, entities)


def may_be(requested: str, text: str) -> bool:
    """Whether words in which no value was found may still be the answer: a place may have any name, a time may not."""
    if requested == "happened":
        return bool(_TELLS_TIME.search(text))
    return not _NARRATIVE.search(text) and not only_points(text)


def urges_to_register(text: str) -> bool:
    """那你帮我登记一下 and nothing else."""
    return bool(_URGES_TO_REGISTER.fullmatch(text.strip()))


def _correct(slots: dict[str, Any], text: str) -> dict[str, Any]:
    """A correction without an entity: of the field it names, else of the last answer; else it stands with the story."""
    field = next((name for name, words in _NAMED_FIELD if words.search(text)), None) or (slots.get("extra") or {}).get("last")
    given = _GIVEN.search(text)
    if given and field in ("place", "happened") and slots.get(field) not in (None, SKIPPED):
        return {field: given["value"].strip()} | ({"happened_at": None} if field == "happened" else {})
    what = slots.get("what")
    return {"what": f"{what}\n更正：{text}"} if what and what != SKIPPED and substance(text) else {}


def _more(what: str, text: str, entities: list[dict[str, Any]]) -> dict[str, Any]:
    """What is said beyond the values is part of the story."""
    if mistyped_phone(text, entities) and len(re.sub(r"\D", "", text)) * 2 > len(text):
        return {}
    rest = text
    for entity in sorted(entities, key=lambda e: -int(e["start"])):
        if entity["entity"] in ("place", "time", "phone", "person", "id_number"):
            rest = rest[:entity["start"]] + rest[entity["end"]:]
    rest = re.sub(r"我?的?(?:电话|手机|号码|联系方式|地址|位置)(?:号码?)?是?|我叫|就?在|大概|大约|左右|好像|应该|那里|那边|吧|哦|嗯", "", _GREETING.sub("", rest))
    rest = without_wishes(rest)
    told = len(_BARE.sub("", rest)) >= 4 and not leaves_no_number(text) and not _UNKNOWN.search(rest)
    return {"what": f"{what}\n{text}"} if told and what != SKIPPED and text not in what else {}


def mistyped_phone(text: str, entities: list[dict[str, Any]]) -> bool:
    """A row of digits that is no telephone number, where one was asked for."""
    return not any(e["entity"] in ("phone", "id_number", "ticket_number") for e in entities) and bool(
        _SHORT_OF_PHONE.search(re.sub(r"[\s-]", "", text)))


def kind_of_slip(text: str) -> str | None:
    """The kind that was meant, where the wrong button was pressed: 点错了，我想投诉."""
    if not _SLIP.search(text):
        return None
    meant = [match[1] for match in _KIND_NAMED.finditer(text)]
    return _NAMES_OF_KINDS[meant[-1]] if meant else None


def reports_misconduct(text: str) -> bool:
    """举报两个黄牛卖专家号 is a report, whatever else it speaks of; how to report is a question."""
    return bool(_REPORTS.search(text)) and len(substance(text) or "") >= 10 and not (is_question(text) and len(text) <= 20)


def asks_for_repair(text: str) -> bool:
    """替我妈报个修: a repair is wanted, whatever else is told; 报修三次了 complains."""
    return bool(_ASKS_FOR_REPAIR.search(text)) and not _REFUSED_REPAIR.search(text)


_REFUSED_REPAIR = re.compile(r"没人(?:来|管|理|修)|投诉|不(?:给|肯|管|理)|推[脱诿托]|拖(?:着|了|到)|报修[^，。]{0,6}(?:次|遍|回)")


def demands_money_plainly(text: str) -> bool:
    """请退还多收的费用 is a request; only what was refused, kept or put off is complained of."""
    return len(text) <= 40 and bool(_MONEY_BACK.search(text)) and not _REFUSED.search(text)


def is_placeless(what: str) -> bool:
    """Money, papers and lines: nobody has to go anywhere."""
    return bool(_PLACELESS.search(what))


def asks_of_us(text: str) -> bool:
    """对了师傅上门要收钱吗 in the middle of a form is a question, whatever it sounds like."""
    return len(text) <= 24 and bool(_ASKS_OF_US.search(text)) and not _REPROACH.search(text)


def speaks_of_before(text: str, entities: list[dict[str, Any]]) -> bool:
    """那你给我报个修吧，9幢2201: it is to be registered, and not a word of what it is."""
    rest = text
    for entity in sorted(entities, key=lambda e: -int(e["start"])):
        if entity["entity"] in ("place", "time", "phone", "person"):
            rest = rest[:entity["start"]] + rest[entity["end"]:]
    return bool(_REGISTERS.search(text) and _OF_THAT.search(text)) and len(_NOTHING_OF_IT.sub("", _BARE.sub("", rest))) < 2


def has_it_asked(text: str) -> bool:
    """那帮我问问吧: it is a question that the office is to find the answer to."""
    return bool(_HAS_IT_ASKED.search(text))


def only_asks(text: str) -> bool:
    """我不是要投诉，就想知道归谁管: no ticket is wanted, and the wrong button was not what he meant."""
    return bool(_NO_TICKET.search(text) and _ONLY_ASKS.search(text)) and kind_of_slip(text) is None


def needed(kind: str, slots: dict[str, Any], known_phone: bool, *, everything: bool = False) -> list[str]:
    """What still has to be asked for. `everything`: all at once, in a receipt."""
    wanted = set(NEEDED[kind])
    what = str(slots.get("what") or "")
    if kind in ("complaint", "request") and _MONEY_BACK.search(what):
        wanted -= {"place", "happened"}
    if not everything:
        told = len(what) >= PETITION
        wanted -= {"happened", "phone"} if told and kind == "complaint" else set()
        wanted -= {"place"} if told and named_place(what) else set()
        wanted -= {"happened"} if kind == "complaint" and _STANDING.search(what) else set()
        wanted -= {"place", "happened"} if kind == "complaint" and _PLACELESS.search(what) else set()
        vague = not told and not _IN_THE_OFFICE.search(what) and not (slots.get("extra") or {}).get("near_enough") and is_vague(slots.get("place"))
    else:
        vague = False
    return [slot for slot in FIELDS if slot in wanted and not (slot == "phone" and known_phone)
            and (slots.get(slot) is None or (slot == "place" and vague))]


def short(what: Any) -> str:
    """The matter read back: a long story by its beginning, since he knows what he wrote."""
    text = str(what or SKIPPED)
    if text == SKIPPED:
        return "（未说明）"
    # A token that is cut in two stands for nobody's number any more.
    return text if len(text) <= 160 else re.sub(r"<[A-Z]*_?\d*$", "", text[:150]) + "……（全文已登记）"
