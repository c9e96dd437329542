"""What kind of ticket it becomes, where the assistant heard a complaint and all that is wanted is that something be mended."""

import re

from ticketing.preset import Preset

_BLAMES = re.compile(
    r"投诉|举报|态度|差劲|太差|恶劣|推[诿脱]|推来推去|敷衍|踢皮球|不作为|不负责|不讲理|欺负|骗|坑人|凭什么|像话|说法|气死|忍很?久|白交|收钱|收费"
    r"|没有?人?(?:管|来|修|理|问|处理|解决|回|动静|下文|影|结果)|不(?:管|来|修|理|处理|解决|回)|不给(?!力)|管不管|还让不让|到底|什么(?:物业|服务|素质|医院)"
    r"|一直|老是|总是|天天|经常|多次|反复|三天两头|动不动|[好这几多]+[次回遍]|[两三四五六七八九十\d]+[次回遍]|拖|催|又|还没|[!！]{2}"
)
"""Whoever says this blames somebody, or has waited too long: 修了三次还漏 is a complaint about a repair."""


def settle(preset: Preset, kind: str, category: str | None, text: str) -> str:
    """A complaint without a word of blame whose category is asked for as a rule (马桶漏水, 病历上名字写错) is a request."""
    if kind != "complaint" or category is None or preset.category(category).kind != "request":
        return kind
    return kind if _BLAMES.search(text) else "request"
