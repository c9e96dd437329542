"""What is said to an office's reply: solved, not solved, a score; 没修好啊 opens the call-back whatever follows."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.booking import moment
from actions.status import ANSWERED, OPEN, meant, named_number, own_tickets
from actions.step import Events, sentence, text_of

UNSOLVED = re.compile(r"(?:没|未|不|还没)(?:有)?(?:彻底|真正|完全)?(?:解决|修好|处理|弄好|搞定|改善|通|好)|(?:还是|又|依然|仍然|照样).{0,8}(?:坏|漏|堵|吵|停|不|没|老样子|这样)")

_AT_MOST = 120
"""A longer text tells a matter."""
_LEAD = (r"(?:[\W]|喂|哎|唉|诶|啊|呀|你好|您好|什么呀?|怎么|根本|压根儿?|完全|一点儿?都?|并|都|也|还是?|依然|仍然?|仍旧|可是|但是?|其实|实际上?|就是"
         r"|(?:师傅|你们|人|他)?(?:今天|昨天|刚才?)?[来修弄换搞](?:是[来修弄换搞])?(?:了|过了?)(?:一[次趟下])?)*")
_SAYS_NOT = re.compile(
    _LEAD + r"(?:(?:没有?|未|冇|木有|哪(?:里|儿)?)(?:给我|人)?(?:彻底|真正|完全|全)?(?:解决|[修弄搞整]好|搞定|改善|好转|处理好|好(?=[啊呀呢的，,。！!？?\s]|$)|修(?=[啊呀呢，,。！!\s]|$)|变化|效果|动静|用(?=[啊呀呢，,。！!\s]|$))"
    r"|[修弄搞整]不好|解决(?:个屁|什么|啥)|白[修弄跑]|[修弄换]了(?:也|跟|和|等于|还是?)[^，。]{0,4}(?:没|白|坏|漏|一样)|(?:问题|情况|毛病)(?:还|依然|仍然?|照样)(?:在|存在|没))")
"""没修好啊，刚冲了一下又渗出来了: it answers 事情解决了吗 by itself."""
_NO = re.compile(_LEAD + r"(?:没有?呢?|没呢|不是|不行|不对|老样子|[跟和]?(?:以前|之前|原来)一样|那样|这样|假的|骗人|糊弄(?:人|鬼)?|胡说|瞎说|乱说|没(?:有)?人?(?:给我)?(?:来|换|弄|动|清|扫|装|查|管|理|退|拆|通)(?:过|好|掉|干净)?)(?=[啊呀呢吧的了嘛，,。！!？?\s]|$)")
"""These answer only what was just asked."""
_TURNS = re.compile(r"我(?:问|说的|指|要|想)|请问|[吗呢][？?]|怎么|多少")
_AGAIN = re.compile(r"(?:又|还是?|仍然?|依然|照样|照旧|继续|接着)(?:在|是|会|开始)?[^，。！？!?]{0,3}?(?P<what>漏|渗|滴|堵|坏|吵|响|臭|停|闪|黑|不亮|不热|不通|不动|没水|没电|没信号|冒|掉|卡|烂|脏|满)")
_SOLVED = re.compile(
    r"(?:[\W]|嗯+|是的?|对|好的|谢谢|感谢|师傅|都|已经|现在|终于|总算|问题|事情|完全|彻底)*(?:解决|[修弄]好|搞定|处理好|弄妥|好|通|亮|有水|有电|热|不漏|不堵|不吵)了(?:啊|呀|哦|的|啦|呢|哈)?"
    r"(?:[\W]|谢谢?|感谢|多谢|辛苦|麻烦|你们?|您|师傅|大家|啦|了|哈|啊|物业)*")
"""Nothing but that it is solved."""


async def answers_reply(say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events | None:
    """事情解决了吗 came with the reply: what answers it is the resident's own follow-up, whatever it sounded like."""
    text = text_of(tracker).strip()
    not_solved, solved = _SAYS_NOT.match(text), _SOLVED.fullmatch(text)
    bare, again = _NO.match(text) and not _TURNS.search(text), _AGAIN.search(text)
    if len(text) > _AT_MOST or named_number(tracker) or not (not_solved or solved or bare or again):
        return None
    items = await own_tickets(api)
    replied = [item for item in items if item.get("state") in ANSWERED]
    working = [item for item in items if item.get("state") in OPEN]
    if not replied or (meant(working, text) and not meant(replied, text)):
        return None
    ticket = (meant(replied, text) or replied)[0]
    told = str(ticket.get("description") or ticket.get("title") or "")
    same = bool(again and again["what"][-1] in told)
    heard = ticket.get("state") != "followed_up" and _is_heard_last(tracker, ticket)
    if not ((not_solved and (heard or not working)) or (same and (heard or meant([ticket], text))) or (heard and (bare or solved))):
        return None
    try:
        await follow_up(say, api, ticket, tracker, unsolved=not solved)
    except ApiError as problem:
        if problem.status == 409:
            return None
        raise
    return []


def _is_heard_last(tracker: Tracker, ticket: dict[str, Any]) -> bool:
    """Whether he has said nothing between the reply and this."""
    replied = [str(reply["approved_at"]) for reply in ticket.get("replies") or [] if reply.get("approved_at")]
    said = [str((e.get("metadata") or {}).get("received_at") or "") for e in tracker.events if e.get("event") == "user"][:-1]
    return bool(replied) and (not said or not said[-1] or moment(said[-1]) < moment(replied[-1]))


async def follow_up(
    say: CollectingDispatcher, api: Api, ticket: dict[str, Any], tracker: Tracker, unsolved: bool | None = None,
) -> None:
    """`reached` is true: it was he who wrote. Not solved, or a bad score, opens a call-back.

    `unsolved`: whether it is, where the caller knows; else the words tell.
    """
    text = text_of(tracker)
    score = score_of(text) if unsolved is None else 4 if not unsolved else None
    unsolved = bool(UNSOLVED.search(text)) if unsolved is None else unsolved
    bad = unsolved or (score is not None and score <= 2)
    if ticket.get("state") == "followed_up":
        # It was rated before: what he says now goes to a person, because there is no second rating.
        await api.post("/hand-over", {"reason": "回访后又来反映", "summary": f"{ticket['number']}：{text}"[:800]})
        say.utter_message(text=sentence("utter_rated_again", number=ticket["number"]))
        return
    body: dict[str, Any] = {"reached": True, "comment": text}
    if unsolved or score is not None:
        body["solved"] = not unsolved and (score is None or score >= 3)
    if score is not None:
        body["satisfied"] = score
    await api.post(f"/tickets/{ticket['number']}/follow_up", body)
    say.utter_message(text=sentence("utter_rated_bad" if bad else "utter_rated", number=ticket["number"]))


def score_of(text: str) -> int | None:
    """非常满意 5 … 非常不满意 1; 3分, 五星."""
    if found := re.search(r"([1-5一二三四五])\s?(?:分|星|颗星)(?!钟)", text):
        return "12345".find(found[1]) + 1 or "一二三四五".find(found[1]) + 1
    if re.search(r"满分|100分|10分|十分满意", text):
        return 5
    table = [("非常不满意|极不满意|太差|差评|很不满意|特别不满|零分|0分|垃圾", 1),
             ("不满意|不太满意|不行|不怎么样|失望|敷衍", 2), ("一般|还行|凑合|马马虎虎|中等", 3),
             ("非常满意|很满意|特别满意|十分满意|好评|超赞|点赞|太好了|完美", 5), ("满意|不错|可以|挺好|好的", 4)]
    return next((score for words, score in table if re.search(words, text)), None)
