"""The editors' page in the console: questions without an answer by theme, answered once for all who asked."""

from typing import Any

from aiohttp import web
from pydantic import ValidationError

from core.errors import Forbidden, Invalid, NotFound
from knowledge_base.tables import Unanswered
from service import open_questions
from service.api import unanswered
from service.staff_page import Page, signed_in

SHOWN = 50
STATUSES = {
    "no_guide": "没有指南", "clarify": "问不清", "expired": "指南过期", "out_of_scope": "不归这里", "error": "出错",
    "badly_rated": "评价差", "asked_again": "又问了一遍",
}


@signed_in
async def list_themes(page: Page) -> web.StreamResponse:
    from knowledge_base.themes import group

    _require(page, unanswered.READERS)
    preset = page.runtime.settings.office.preset
    async with page.runtime.db.reading() as session:
        themes = group(await open_questions.read_open(session, preset))
        guides = await open_questions.published_guides(session, preset)
    titles = {guide.slug: guide.title for guide in guides}
    items = [unanswered.describe(theme, titles) for theme in themes[:SHOWN]]
    for item in items:
        item["statuses"] = "、".join(f"{STATUSES.get(name, name)} {count}" for name, count in item["statuses"].items())
    return await page.render(
        "unanswered.html", items=items, more=len(themes) - len(items), guides=guides,
        may_answer=bool(page.me.roles & unanswered.EDITORS),
    )


@signed_in
async def answer(page: Page) -> web.StreamResponse:
    """The form of one theme; the same checks as the API's."""
    _require(page, unanswered.EDITORS)
    form = await page.request.post()
    body = _read(form)
    async with page.runtime.db.writing() as session:
        row = await session.get(Unanswered, int(page.request.match_info["id"][:18]))
        if row is None:
            raise NotFound("没有这个问题，可能已经有人答复了。")
        rows = await unanswered.find_rows(session, row, body.questions)
        how = open_questions.Settlement(body.how, body.guide, body.question, body.answer, body.alias)
        await open_questions.settle(page.runtime, session, rows, how, page.me.name, page.now)
    page.runtime.news.notify("guides")
    page.runtime.news.notify("outbox")
    raise web.HTTPSeeOther("/staff/unanswered")


def _read(form: Any) -> unanswered.Answer:
    """The browser's fields as the API's body; what was left empty was not said."""
    names = ("how", "guide", "question", "answer", "alias")
    said = {name: str(form.get(name, "")).strip() for name in names}
    try:
        return unanswered.Answer.model_validate({name: text for name, text in said.items() if text})
    except ValidationError as error:
        raise Invalid("请选一种答复方式，并把要填的写上。") from error


def _require(page: Page, roles: frozenset[str]) -> None:
    if not page.me.roles & roles:
        if page.request.method == "GET":
            raise web.HTTPForbidden(text="这一页需要编辑角色，请联系管理员。")
        raise Forbidden("答复需要编辑角色，请联系管理员。")


def routes() -> list[web.RouteDef]:
    return [
        web.get("/staff/unanswered", list_themes),
        web.post(r"/staff/unanswered/{id:\d+}", answer),
    ]
