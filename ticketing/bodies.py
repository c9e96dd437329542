"""What each verb is given. The API, its description and the console's forms read these models."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core.checking import Body, Moment

Kind = Literal["consultation", "complaint", "request", "suggestion", "report", "praise"]
ReplyBy = Literal["call", "letter", "collection"]
Urgency = Literal["routine", "pressing", "urgent", "emergency"]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Short = Annotated[str, Field(min_length=1, max_length=500)]


class OnBehalfOf(Body):
    name: Short | None = None
    relation: Short | None = None


class ResidentBody(Body):
    kind: Literal["person", "organisation", "staff"] = "person"
    name: Short | None = None
    phone: Short | None = None
    email: Short | None = None
    address: Short | None = None
    """A channel address such as `wechat:oX…`; a home goes to `place`."""
    on_behalf_of: OnBehalfOf | None = None


class About(Body):
    unit: str | None = None
    window: str | None = None
    staff: str | None = None


class Register(Body):
    kind: Kind
    category: str | None = None
    title: Annotated[str, Field(max_length=200)] | None = None
    description: Text
    place: Annotated[str, Field(max_length=500)] | None = None
    happened_at: Annotated[str, Field(max_length=100)] | None = None
    urgency: Urgency = "routine"
    confidential: bool = False
    anonymous: bool = False
    about: About | None = None
    reply_by: ReplyBy | None = None
    """How somebody who came or wrote on paper wants the answer; then no machine sends it."""
    resident: ResidentBody = ResidentBody()


class Alarm(Body):
    """A cry for help, as it was said; `drafted` is what he was telling before it."""

    text: Text
    drafted: Text | None = None
    place: Annotated[str, Field(max_length=500)] | None = None
    phone: Short | None = None


class Element(Body):
    name: Literal["person", "phone", "place", "time", "matter"]
    value: str


class Confirm(Body):
    elements: list[Element] | None = None


class Amend(Body):
    category: str | None = None
    kind: Kind | None = None
    title: Annotated[str, Field(max_length=200)] | None = None
    description: Text | None = None
    place: str | None = None
    happened_at: str | None = None
    about: About | None = None
    urgency: Urgency | None = None
    confidential: bool | None = None

    @model_validator(mode="after")
    def _is_not_empty(self) -> "Amend":
        if not self.model_fields_set:
            raise ValueError("say what is to be changed")
        return self


class AskSupplement(Body):
    missing: Annotated[list[Short], Field(min_length=1)]


class Supplement(Body):
    """`place` and `happened_at`: what the resident gives instead of what he gave before."""

    text: Text
    place: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    happened_at: Annotated[str, Field(min_length=1, max_length=100)] | None = None


class Nothing(Body):
    pass


class Decline(Body):
    code: Literal["out_of_area", "litigation", "reconsideration", "petition", "discipline", "duplicate",
                  "no_matter", "other"]
    reason: Text
    where_to: Text


class AnswerDirectly(Body):
    reply: Text | None = None
    call_turn: Annotated[int, Field(ge=0, lt=1 << 31)] | None = None

    @model_validator(mode="after")
    def _is_one_of_two(self) -> "AnswerDirectly":
        if (self.reply is None) == (self.call_turn is None):
            raise ValueError("give either the reply, or the turn of the call in which it was given")
        return self


class Assign(Body):
    department: Short
    assignee: Short | None = None
    joint: list[Short] = []


class Reassign(Body):
    assignee: Short


class Contact(Body):
    reached: bool
    note: Text


class Reason(Body):
    reason: Text


class PerhapsReason(Body):
    reason: str | None = None


class Extend(Body):
    reason: Text
    due_at: Moment
    clock: Literal["finish"] = "finish"


class NewMeasure(Body):
    what: Text
    owner: Short | None = None
    due_on: date


class Submit(Body):
    findings: Literal["upheld", "partly_upheld", "not_upheld"] | None = None
    action_taken: Text
    reply: Text
    attachments: Annotated[list[int], Field(max_length=20)] = []
    measures: list[NewMeasure] = []


class SaveDraft(Body):
    """What stands in the form of a submit so far; nothing of it need be there yet."""

    findings: Literal["upheld", "partly_upheld", "not_upheld"] | None = None
    action_taken: Annotated[str, Field(max_length=20_000)] = ""
    reply: Annotated[str, Field(max_length=20_000)] = ""
    measures: Annotated[list[NewMeasure], Field(max_length=50)] = []


class DraftReply(Body):
    reply: Text


class Fulfil(Body):
    measure: Annotated[int, Field(ge=1, lt=1 << 31)]
    note: Text


class FollowUp(Body):
    reached: bool
    solved: bool | None = None
    satisfied: Annotated[int, Field(ge=1, le=5)] | None = None
    comment: Annotated[str, Field(max_length=5000)] | None = None


class Merge(Body):
    into: Short


class Link(Body):
    to: Short


class Raise(Body):
    reason: Text
    due_at: Moment | None = None


class NoteBody(Body):
    text: Text


class NewTask(Body):
    department: Short
    kind: Literal["joint", "consult"]
    text: Text
    due_at: Moment | None = None


class TaskAnswer(Body):
    text: Text


Outcome = Literal["connected", "no_answer", "wrong_number", "busy", "refused", "posted", "collected"]
"""接通 无人接听 空号 占线 拒接; 已寄出 已领取 where the answer goes on paper."""
REACHING = ("connected", "posted", "collected")


class CallbackDone(Body):
    reached: bool
    note: Text
    outcome: Outcome | None = None
    """What became of the call; somebody else may answer, so `connected` does not mean that the resident was reached."""

    @model_validator(mode="after")
    def _was_connected(self) -> Self:
        if self.reached and self.outcome not in (None, *REACHING):
            raise ValueError(f"who was reached: outcome is one of {', '.join(REACHING)}, or reached is false")
        return self


RESIDENT_VERBS = frozenset({"supplement", "urge", "withdraw", "follow_up"})
"""What a resident may do through his channel or page."""

