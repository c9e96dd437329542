"""What residents find at the foot of an official account: the office's own menu, or the usual three buttons."""

from typing import Any

from channels.wechat import MenuItem, WeChatAccount
from channels.wechat.parse import SAYS
from core.errors import Misconfigured

USUAL = (
    MenuItem(name="办事咨询", menu=[
        MenuItem(name="办事指南", url="/guides", says="有哪些办事指南"),
        MenuItem(name="转人工", says="转人工"),
    ]),
    MenuItem(name="投诉报修", menu=[
        MenuItem(name="我要报修", says="我要报修"),
        MenuItem(name="我要投诉", says="我要投诉"),
        MenuItem(name="提个建议", says="我要提建议"),
    ]),
    MenuItem(name="查进度", url="/progress", says="查进度"),
)
"""An address that begins with / is a page of ours; without a public address its button speaks instead."""


def build_menu(account: WeChatAccount, public_url: str) -> dict[str, Any]:
    """The body of menu/create. Misconfigured where the platform would refuse it."""
    items = account.menu or list(USUAL)
    if len(items) > 3 or any(len(item.menu) > 5 for item in items):
        raise Misconfigured("wechat menu: the platform shows at most three buttons with five lines each")
    return {"button": [_button(item, public_url) for item in items]}


def _button(item: MenuItem, public_url: str) -> dict[str, Any]:
    if item.menu:
        return {"name": item.name, "sub_button": [_button(inner, public_url) for inner in item.menu]}
    if item.url and (public_url or not item.url.startswith("/")):
        address = public_url.rstrip("/") + item.url if item.url.startswith("/") else item.url
        return {"type": "view", "name": item.name, "url": address}
    if not item.says:
        raise Misconfigured(f"wechat menu: {item.name} leads to {item.url}: set web.public_url, or give it `says`")
    return {"type": "click", "name": item.name, "key": SAYS + item.says}
