"""States, and the one table of transitions: buttons, `allowed`, permissions, diagram and tests read it."""

from dataclasses import dataclass
from enum import StrEnum

from core.checking import Body
from ticketing import bodies


class State(StrEnum):
    """Where a case stands."""

    REGISTERED = "registered"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    IN_APPROVAL = "in_approval"
    APPROVED = "approved"
    """The reply is on its way."""
    REPLIED = "replied"
    """The reply was delivered."""
    CLOSED = "closed"
    FOLLOWED_UP = "followed_up"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    ARCHIVED = "archived"


S = State
OPEN = frozenset({S.REGISTERED, S.ACCEPTED, S.IN_PROGRESS, S.IN_APPROVAL, S.APPROVED})
ANY = frozenset(S)
SAME = None


@dataclass(frozen=True, slots=True)
class Verb:
    """One row. `to` None leaves the state as it is; `also_to` are other ends the verb may have.

    `who` holds staff roles and `resident`, `assistant`, `system`.
    """

    name: str
    chinese: str
    sources: frozenset[State]
    to: State | None
    who: frozenset[str]
    body: type[Body] = bodies.Nothing
    also_to: tuple[State, ...] = ()


def _row(
    name: str,
    chinese: str,
    sources: set[State] | frozenset[State],
    to: State | None,
    who: str,
    body: type[Body] = bodies.Nothing,
    also_to: tuple[State, ...] = (),
) -> Verb:
    return Verb(name, chinese, frozenset(sources), to, frozenset(who.split()), body, also_to)


TABLE: tuple[Verb, ...] = (
    _row("confirm", "初审", {S.REGISTERED}, SAME, "clerk", bodies.Confirm),
    _row("amend", "更正", OPEN, SAME, "clerk officer", bodies.Amend),
    _row("ask_supplement", "补正", {S.REGISTERED, S.IN_PROGRESS}, SAME, "clerk officer supervisor",
         bodies.AskSupplement),
    _row("supplement", "补充", OPEN, SAME, "resident clerk", bodies.Supplement),
    _row("accept", "受理", {S.REGISTERED}, S.ACCEPTED, "clerk"),
    _row("decline", "不予受理", {S.REGISTERED}, S.DECLINED, "clerk supervisor", bodies.Decline, (S.REGISTERED,)),
    _row("answer_directly", "当场办结", {S.REGISTERED, S.ACCEPTED}, S.APPROVED, "clerk assistant",
         bodies.AnswerDirectly, (S.REPLIED,)),
    _row("assign", "派单", {S.ACCEPTED}, S.IN_PROGRESS, "clerk", bodies.Assign),
    _row("reassign", "改派", {S.IN_PROGRESS}, SAME, "officer supervisor", bodies.Reassign),
    _row("sign_for", "签收", {S.IN_PROGRESS}, SAME, "officer"),
    _row("contact", "联系", {S.IN_PROGRESS}, SAME, "officer", bodies.Contact),
    _row("progress", "阶段性答复", OPEN, SAME, "clerk officer", bodies.Supplement),
    _row("request_return", "退单", {S.IN_PROGRESS}, SAME, "officer", bodies.Reason),
    _row("grant_return", "同意退单", {S.IN_PROGRESS}, S.ACCEPTED, "clerk"),
    _row("refuse_return", "不同意退单", {S.IN_PROGRESS}, SAME, "clerk", bodies.Reason),
    _row("request_extension", "申请延期", {S.IN_PROGRESS}, SAME, "officer", bodies.Extend),
    _row("extend", "延期", {S.IN_PROGRESS}, SAME, "supervisor", bodies.Extend),
    _row("refuse_extension", "不同意延期", {S.IN_PROGRESS}, SAME, "supervisor", bodies.Reason),
    _row("submit", "报审", {S.IN_PROGRESS}, S.IN_APPROVAL, "officer", bodies.Submit, (S.APPROVED,)),
    _row("send_back", "驳回", {S.IN_APPROVAL, S.APPROVED, S.REGISTERED}, S.IN_PROGRESS, "supervisor", bodies.Reason,
         (S.REGISTERED,)),
    _row("approve", "审批", {S.IN_APPROVAL}, S.APPROVED, "supervisor"),
    _row("reply", "反馈", {S.APPROVED}, S.REPLIED, "system"),
    _row("close", "办结", {S.REPLIED}, S.CLOSED, "system officer"),
    _row("fulfil", "兑现", {S.REPLIED, S.CLOSED, S.FOLLOWED_UP}, SAME, "officer", bodies.Fulfil),
    _row("follow_up", "回访", {S.REPLIED, S.CLOSED}, S.FOLLOWED_UP, "clerk resident", bodies.FollowUp),
    _row("redo", "重办", {S.REPLIED, S.CLOSED, S.FOLLOWED_UP}, S.IN_PROGRESS, "clerk supervisor", bodies.Reason),
    _row("withdraw", "撤回", OPEN, S.WITHDRAWN, "resident clerk", bodies.PerhapsReason),
    _row("merge", "并单", OPEN, S.MERGED, "clerk", bodies.Merge),
    _row("unmerge", "撤销并单", {S.MERGED}, SAME, "clerk", also_to=tuple(sorted(OPEN))),
    _row("link", "关联", OPEN, SAME, "clerk", bodies.Link),
    _row("unlink", "解除关联", OPEN, SAME, "clerk"),
    _row("share_reply", "同案答复", OPEN - {S.APPROVED}, S.APPROVED, "system"),
    _row("take_back", "同案撤回", {S.APPROVED}, S.IN_PROGRESS, "system", also_to=(S.REGISTERED, S.ACCEPTED)),
    _row("urge", "催办", OPEN, SAME, "resident clerk"),
    _row("raise", "督办", OPEN, SAME, "clerk officer supervisor", bodies.Raise),
    _row("exclude", "剔除", ANY, SAME, "supervisor", bodies.Reason),
    _row("note", "备注", ANY - {S.ARCHIVED}, SAME, "clerk officer supervisor inspector administrator editor",
         bodies.NoteBody),
    _row("archive", "归档", {S.CLOSED, S.FOLLOWED_UP, S.DECLINED, S.WITHDRAWN, S.MERGED}, S.ARCHIVED, "system"),
)
"""`register` is not in it: it makes the ticket."""

VERBS: dict[str, Verb] = {row.name: row for row in TABLE}

PLAIN_WORDS = {
    S.REGISTERED: "已登记，等待受理", S.ACCEPTED: "已受理，正在安排承办部门", S.IN_PROGRESS: "正在办理",
    S.IN_APPROVAL: "正在办理", S.APPROVED: "已有结果，正在答复您", S.REPLIED: "已答复", S.CLOSED: "已办结",
    S.FOLLOWED_UP: "已办结并回访", S.DECLINED: "不予受理", S.WITHDRAWN: "已撤回", S.MERGED: "已与另一件合并办理",
    S.ARCHIVED: "已归档",
}
"""What residents read for a state."""
