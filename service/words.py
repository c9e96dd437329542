"""What staff read for the words of the API: states, kinds, verbs, channels; and the filters templates use."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from core import clock
from core.errors import HuiyinError, Stale
from ticketing.lifecycle import VERBS

STATES = {
    "registered": "已登记", "accepted": "已受理", "in_progress": "办理中", "in_approval": "待审批",
    "approved": "待送达", "replied": "已答复", "closed": "已办结", "followed_up": "已回访",
    "declined": "不予受理", "withdrawn": "已撤回", "merged": "已并单", "archived": "已归档",
}
KINDS = {
    "consultation": "咨询", "complaint": "投诉", "request": "求助/报修", "suggestion": "建议", "report": "举报",
    "praise": "表扬",
}
URGENCIES = {"routine": "一般", "pressing": "较急", "urgent": "紧急", "emergency": "特急"}
CHANNELS = {"wechat": "微信", "email": "邮件", "phone": "电话", "webchat": "网页", "desk": "窗口", "sms": "短信"}
AUTHORS = {"resident": "居民", "assistant": "智能助手", "staff": "工作人员"}
DELIVERIES = {"waiting": "发送中", "sent": "已发出", "announced": "已通知，待打开", "delivered": "已送达",
              "failed": "未送达"}
CLOCKS = {
    "accept": "受理", "finish": "办结", "first_reply": "首次答复", "sign_for": "签收", "progress": "阶段性告知",
    "call_back": "回拨", "extension": "延期审批", "return": "退单处理", "redo": "重办", "supplement": "等居民补正",
    "supervision": "督办", "task": "协办", "measure": "承诺",
}
REPLY_WAYS = {"call": "打电话", "letter": "寄信", "collection": "来窗口领取"}
OUTCOMES = {"connected": "接通", "no_answer": "无人接听", "wrong_number": "空号", "busy": "占线", "refused": "拒接",
            "posted": "已寄出", "collected": "已领取"}
VISITS = {"planned": "已约", "on_the_way": "已出发", "arrived": "已到达", "finished": "已完工", "cancelled": "已取消",
          "missed": "居民不在家"}
ROLES = {"clerk": "坐席", "officer": "专员", "supervisor": "主管", "inspector": "纪检", "editor": "编辑",
         "auditor": "审计", "administrator": "管理员"}


def _words(table: dict[str, str]) -> Callable[[str], str]:
    return lambda code: table.get(code, code)


def _moment(text: str | None) -> str:
    """11月25日 14:05 on the office's clock."""
    if not text:
        return ""
    local = clock.local(datetime.fromisoformat(text))
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def _day(moment: datetime) -> str:
    local = clock.local(moment)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def _verb(code: str) -> str:
    return VERBS[code].chinese if code in VERBS else {"register": "登记"}.get(code, code)


def describe_error(error: HuiyinError) -> str:
    """What went wrong, as staff read it; who changed what meanwhile in their own words."""
    if not isinstance(error, Stale) or not error.changed:
        return error.detail
    said = [f"{item['actor']} {_verb(item['verb']) if 'verb' in item else '存了草稿'}" for item in error.changed]
    return f"您打开之后有人改过：{'、'.join(said[-3:])}。请看一下现在的内容，再决定。"


def _when(text: str | None) -> str:
    """A time as it was told, or a moment in words."""
    try:
        return _moment(text)
    except ValueError:
        return text or ""


FEATURES = {"person": "同一人", "place": "地点", "category": "类别相同", "words": "用词", "meaning": "意思相近", "time": "相隔"}


def _because(features: list[dict[str, Any]]) -> str:
    """同一人；地点 3号楼；用词 电梯、停了；相隔 2.0 小时: what agrees between two tickets."""
    return "；".join(_feature(each["feature"], each.get("value")) for each in features)


def _feature(name: str, value: Any) -> str:
    word = FEATURES.get(name, name)
    if name in ("person", "category", "meaning"):
        return word
    return f"{word} {value} 小时" if name == "time" else f"{word} {'、'.join(value) if isinstance(value, list) else value}"


FILTERS: dict[str, Callable[..., str]] = {
    "state": _words(STATES), "kind": _words(KINDS), "urgency": _words(URGENCIES), "channel": _words(CHANNELS),
    "author": _words(AUTHORS), "delivery": _words(DELIVERIES), "clockname": _words(CLOCKS), "role": _words(ROLES),
    "outcome": _words(OUTCOMES), "replyway": _words(REPLY_WAYS), "visit": _words(VISITS),
    "moment": _moment, "because": _because, "when": _when, "verb": _verb, "day": _day,
}
