"""The complete draft becomes a ticket, and the resident gets one receipt."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.form import blank
from actions.handover import hand_over
from actions.matter import describe_matter
from actions.moments import read_back
from actions.parts import slots_of_other
from actions.reading import SKIPPED, short
from actions.step import Events, Step, sentence

_NAMES = {"what": "具体情况", "place": "位置", "happened": "发生时间", "phone": "联系电话"}
_CALLED = {"妈": "妈妈", "爸": "爸爸", "姐": "姐姐", "妹": "妹妹", "哥": "哥哥", "弟": "弟弟", "店": "店里", "厂": "厂里"}
_KNOWN_BY = {"place": r"房号|位置|地点|楼栋|窗口|科室|地址|床号|岗位", "happened": r"时间|日期", "phone": r"电话|联系"}
"""Which of a category's materials a field already gives."""
_TOLD_BY = {
    "凭证|票据": r"收据|发票|小票|付款记录|转账|截图|凭证|票据|单据|流水|合同在",
    "商家|单位名称": r"(?<![一这那有某])(?!(?:一家|这家|那家|有家|某家|个|他们))[^\W\d_一这那某个家在的了是]{2,10}(?:公司|店|超市|商场|商城|健身|餐厅|饭店|酒店|宾馆|美容|美发|理发|养生|培训|教育|驾校|机构|平台|装饰|装修|中介|影城|药房|诊所|酒楼|火锅|车行|汽修|家具|电器|俱乐部|会所|工作室|商行|集团|厂)",
    "车牌": r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Za-z][·\s]?[A-Za-z\d]{5,6}",
    "住院号|病历号": r"(?:住院|病历|就诊|门诊|病案)(?:卡)?号[是为：:\s]*[A-Za-z]?\d{3,}",
    "检查项目": r"CT|ct|核磁|磁共振|B超|彩超|超声|X光|拍片|胃镜|肠镜|化验|抽血|心电图|血常规",
    "药品": r"[^\W\d_]{2,8}(?:片|胶囊|颗粒|口服液|注射液|滴眼液|软膏|胰岛素)",
    "可上门时间": r"在家|随时(?:可以|都|来|能)|都有人|(?:上午|下午|晚上|周末|下班后?)[^，。]{0,4}(?:有人|有空|可以来|方便|来修)",
}
"""Which of them the story itself gives, by words in it."""
_HOW_OFTEN = {"老是", "总是", "动不动", "反复", "多次", "一直", "经常", "长期", "常年"}
"""They stand in the story; 发生时间：老是 says nothing more."""


class Register(Step):
    """Runs when the form is complete; a form that was given up leaves nothing to register."""

    def name(self) -> str:
        """One POST /tickets, one message."""
        return "action_register"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Receipt and, for a report about staff, a person: nothing more is asked by a machine."""
        slots = dict(tracker.slots)
        if slots.get("kind") is None:
            return []
        ticket = await api.post("/tickets", body_of(slots))
        extra = slots.get("extra") or {}
        materials = await _materials(api, slots, ticket) if "missing" in extra else []
        others = [slots_of_other(slots, other) for other in extra.get("others") or []]
        told = [receipt(slots, ticket, materials), *[await self._register_other(api, other) for other in others]]
        say.utter_message(text="\n".join(told))  # An empty line would make two messages of it, and two mails.
        if "report" in [slots["kind"], *(other["kind"] for other in others)] and (await describe_matter(api)).get("interactive"):
            try:
                await hand_over(say, tracker, api, "举报工作人员")
            except ApiError:
                return blank()   # It is registered: an inspector reads it all the same.
        return [*blank(), SlotSet("offer", None)]

    async def _register_other(self, api: Api, slots: dict[str, Any]) -> str:
        """The next matter of the same message; what cannot be registered is said, the first one stands."""
        try:
            ticket = await api.post("/tickets", body_of(slots))
        except ApiError:
            return sentence("utter_other_failed", what=short(slots["what"]))
        return sentence("utter_other_receipt", number=ticket["number"], promise=ticket.get("promise", ""),
                        code=ticket.get("code", ""), what=short(slots["what"]), details="".join(_details(slots)))


def body_of(slots: dict[str, Any]) -> dict[str, Any]:
    """The ticket as the API wants it; what was not said is left out."""
    extra = slots.get("extra") or {}
    said = {k: slots.get(k) for k in ("what", "place", "happened_at", "phone") if slots.get(k) not in (None, SKIPPED)}
    what = said.get("what", "")
    happened = slots.get("happened")
    if happened not in (None, SKIPPED) and not said.get("happened_at") and str(happened) not in what:
        what = f"{what}（发生时间：{happened}）"
    resident = {"phone": said.get("phone"), "name": extra.get("name"), "on_behalf_of": extra.get("on_behalf_of"),
                "kind": "organisation" if extra.get("organisation") else None}
    body = {"kind": slots.get("kind") or "complaint", "description": what or "（未说明）", "place": said.get("place"),
            "happened_at": said.get("happened_at"), "confidential": extra.get("confidential"),
            "anonymous": extra.get("anonymous") or None}
    return {k: v for k, v in body.items() if v is not None} | {
        "resident": {k: v for k, v in resident.items() if v is not None}}


async def _materials(api: Api, slots: dict[str, Any], ticket: dict[str, Any]) -> list[str]:
    """What the category's list asks for and was not given: a letter is told all at once (一次性告知)."""
    if not ticket.get("category"):
        return []
    try:
        categories = (await api.get("/categories?limit=200")).get("items") or []
    except ApiError:
        return []
    listed = next((c.get("materials") or [] for c in categories if c.get("code") == ticket["category"]), [])
    given = [words for field, words in _KNOWN_BY.items()
             if slots.get(field) not in (None, SKIPPED) or field in ((slots.get("extra") or {}).get("missing") or [])]
    story = f"{slots.get('what') or ''}\n{ticket.get('title') or ''}"
    given += [items for items, told in _TOLD_BY.items() if re.search(told, story)]
    return [item for item in listed if not any(re.search(words, item) for words in given)]


def receipt(slots: dict[str, Any], ticket: dict[str, Any], materials: list[str]) -> str:
    """Number, promise, way to follow it, and everything read back once."""
    extra = slots.get("extra") or {}
    lines = _details(slots)
    lines += [f"\n称呼：{extra['name']}"] if extra.get("name") else []
    who = (extra.get("on_behalf_of") or {}).get("relation")
    lines += [f"\n您替{_CALLED.get(who, who)}反映，我们记下了。"] if who else []
    lines += ["\n匿名处理，不留您的信息。"] if extra.get("anonymous") else []
    lines += ["\n已按保密件登记：承办人员看不到您的姓名和电话，也不会告诉对方是您反映的。"] if extra.get("confidential") else []
    # What is known of the event is the office's own sentence, whole.
    lines += [f"\n{ticket['known_event']}"] if ticket.get("known_event") else []
    missing = "、".join([*(_NAMES[name] for name in extra.get("missing") or []), *materials])
    return sentence(
        "utter_receipt", number=ticket["number"], promise=ticket.get("promise", ""), code=ticket.get("code", ""),
        what=short(slots.get("what")), details="".join(lines),
        missing=sentence("utter_missing", missing=missing) if missing else "")


def _details(slots: dict[str, Any]) -> list[str]:
    said = {k: slots.get(k) for k in ("place", "happened", "phone")}
    if said["happened"] not in (None, SKIPPED):
        said["happened"] = read_back(str(said["happened"]), slots.get("happened_at"))
    return [f"\n{_NAMES[k]}：{value}" for k, value in said.items() if value not in (None, SKIPPED) and value not in _HOW_OFTEN]
