"""Open questions over the API: themes with counts, and one answer that settles a theme."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select

from core.clock import write_time
from core.errors import Invalid, NotFound
from knowledge_base.guide import PRESETS
from knowledge_base.tables import GuideRow, Unanswered
from service import open_questions
from service.api.endpoint import Call, Endpoint, Result

READERS = frozenset({"editor", "supervisor", "auditor"})
EDITORS = frozenset({"editor"})
SHOWN = 50
"""Questions of a theme that are listed; `count` counts all."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    how: Literal["faq", "alias", "guide", "nothing"]
    guide: str | None = None
    question: Line | None = None
    answer: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5000)] | None = None
    alias: Line | None = None
    questions: list[int] | None = Field(None, min_length=1, max_length=open_questions.MOST)
    """Which questions of the list are settled; without it all of the theme."""


async def list_themes(call: Call) -> Result:
    """The themes, the most asked first; the cursor counts themes."""
    from knowledge_base.themes import group

    limit, after = call.limit(), call.after() or 0
    themes = group(await open_questions.read_open(call.session, _preset(call)))
    titles = await _titles(call)
    items = [describe(theme, titles) for theme in themes[after : after + limit]]
    return Result({"items": items, "next": str(after + limit) if len(themes) > after + limit else None})


def _preset(call: Call) -> str:
    preset = call.query.get("preset", call.runtime.settings.office.preset)
    if preset not in PRESETS:
        raise Invalid(f"preset is one of {', '.join(PRESETS)}", "preset")
    return preset


async def _titles(call: Call) -> dict[str, str]:
    query = select(GuideRow.slug, GuideRow.title).where(GuideRow.preset == _preset(call))
    return {slug: title for slug, title in (await call.session.execute(query)).all()}


def describe(theme: Any, titles: dict[str, str]) -> dict[str, Any]:
    """A theme as lists show it."""
    rows: list[Unanswered] = theme.rows
    nearest = [row.nearest for row in rows if row.nearest]
    best = max(set(nearest), key=nearest.count) if nearest else None
    statuses = [row.status for row in rows]
    return {
        "id": rows[0].id,
        "question": theme.question,
        "count": len(rows),
        "residents": len({row.matter_id or -row.id for row in rows}),
        "statuses": {status: statuses.count(status) for status in dict.fromkeys(statuses)},
        "nearest": {"guide": best, "title": titles.get(best, best)} if best else None,
        "first_asked_at": write_time(min(row.asked_at for row in rows)),
        "last_asked_at": write_time(max(row.asked_at for row in rows)),
        "questions": [
            {"id": row.id, "question": row.question, "status": row.status, "reason": row.reason,
             "asked_at": write_time(row.asked_at)}
            for row in rows[-SHOWN:][::-1]
        ],
    }


async def answer(call: Call) -> Result:
    """Add it to a guide as an FAQ line or a word, or name the guide that says it; whoever asked is told, once."""
    row = await call.session.get(Unanswered, call.number("id"))
    if row is None:
        raise NotFound("there is no such question: GET /unanswered lists them")
    call.require(*EDITORS)
    body: Answer = call.body()
    rows = await find_rows(call.session, row, body.questions)
    how = open_questions.Settlement(body.how, body.guide, body.question, body.answer, body.alias)
    told = await open_questions.settle(call.runtime, call.session, rows, how, call.actor.name, call.now)
    call.after_commit += ["guides", "outbox"]
    return Result({"settled": [each.id for each in rows], "guide": body.guide, "told": told})


async def find_rows(session: Any, row: Unanswered, wanted: list[int] | None) -> list[Unanswered]:
    """The theme of this question, or those of it that were named."""
    from knowledge_base.themes import theme_of

    rows = await open_questions.read_open(session, row.preset)
    theme = theme_of(rows, row.id)
    found = theme.rows if theme else [row]
    if wanted is None:
        return found
    unknown = set(wanted) - {each.id for each in rows}
    if unknown:
        raise Invalid(f"question {min(unknown)} is not open", "questions")
    return [each for each in rows if each.id in set(wanted)]


ENDPOINTS = (
    Endpoint("GET", "/unanswered", list_themes, "Questions without an answer, by theme", roles=READERS,
             query=("preset", "limit", "after"), tag="knowledge"),
    Endpoint("POST", "/unanswered/{id}/answer", answer, "Answer a theme once, for everybody", Answer,
             session="write", tag="knowledge"),
)
