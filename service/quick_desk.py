"""Quick work in the console: canned texts, lists under a name, and one verb on the tickets that were ticked."""

from typing import Any

from aiohttp import web
from multidict import MultiMapping
from pydantic import ValidationError
from sqlalchemy import select

from core import audit
from core.errors import Forbidden, HuiyinError, Invalid
from core.message import storable
from service.api.quick_work import WRITERS, NewCannedReply
from service.forms import describe_verb, read_form
from service.staff_page import Page, signed_in
from ticketing import bulk, canned_replies, saved_views, search
from ticketing.canned_replies import PLACEHOLDERS, CannedReply
from ticketing.lifecycle import VERBS

SHOWN = 200
REFUSALS = {
    403: "您没有这个权限", 404: "没有这张工单，或您不能查看", 409: "现在的状态不能这样做", 412: "刚刚有人改动过，请重新查看",
    422: "填写的内容不合适",
}
PURPOSES = {"reply": "答复", "progress": "阶段性答复", "decline": "不予受理", "note": "备注"}


def routes() -> list[web.RouteDef]:
    return [
        web.post("/staff/views", keep_view),
        web.post(r"/staff/views/{id:\d+}/remove", remove_view),
        web.post("/staff/bulk", do_to_many),
        web.get("/staff/canned", list_canned),
        web.post("/staff/canned", add_canned),
        web.post(r"/staff/canned/{id:\d+}/remove", remove_canned),
    ]


@signed_in
async def keep_view(page: Page) -> web.StreamResponse:
    """The filters of the page it was sent from, under a name."""
    form = await page.request.post()
    name = storable(str(form.get("name", "")).strip())[:50]
    if not name:
        raise Invalid("请给这个列表起个名字。", "name")
    filters = {key: str(form[key]) for key in search.FILTERS if form.get(key)}
    async with page.runtime.db.writing() as session:
        view = await saved_views.add(session, page.me, name, filters, "shared" in form, page.now)
    raise web.HTTPSeeOther(f"/staff/?view={view.id}")


@signed_in
async def remove_view(page: Page) -> web.StreamResponse:
    async with page.runtime.db.writing() as session:
        await saved_views.remove(session, page.me, int(page.request.match_info["id"][:18]))
    raise web.HTTPSeeOther("/staff/")


@signed_in
async def do_to_many(page: Page) -> web.StreamResponse:
    """Three steps on one page: choose the verb, see what would happen, do it."""
    form = await page.request.post()
    verb, step = str(form.get("verb", "")), str(form.get("step", "choose"))
    wanted = _read_wanted(form)
    if not wanted:
        raise web.HTTPSeeOther("/staff/?error=请先勾选工单。")
    if verb not in bulk.BULK_VERBS:
        raise web.HTTPSeeOther("/staff/?error=请选择要做的事。")
    values = {
        name: str(form.get(name, "")) for name in VERBS[verb].body.model_fields if name not in ("tickets", "verb")
    }
    outcomes: list[bulk.Outcome] = []
    error = None
    if step != "choose":
        try:
            outcomes = await _perform(page, wanted, verb, values, dry_run=step == "try")
        except HuiyinError as found:
            error = found.detail
    return await page.render(
        "bulk.html", status=422 if error else 200, error=error, verb=verb, wanted=wanted, values=values,
        form=describe_verb(verb, page.runtime.office.preset), outcomes=outcomes, refusals=REFUSALS,
        done=step == "do" and not error, ready=any(outcome.error is None for outcome in outcomes),
    )


def _read_wanted(form: MultiMapping[Any]) -> list[bulk.Wanted]:
    """What was ticked: `number version` each."""
    wanted = []
    for value in form.getall("ticket", [])[: bulk.MOST]:
        number, _, version = str(value).partition(" ")
        wanted.append(bulk.Wanted(storable(number), int(version) if version.isdecimal() and version.isascii() else None))
    return wanted


async def _perform(
    page: Page, wanted: list[bulk.Wanted], verb: str, values: dict[str, str], *, dry_run: bool
) -> list[bulk.Outcome]:
    async with page.runtime.db.writing() as session:
        outcomes = await bulk.perform_all(
            session, page.runtime.office, page.me, wanted, verb, read_form(verb, values), page.now, dry_run=dry_run
        )
    if not dry_run:
        page.runtime.news.notify("outbox")
    return outcomes


@signed_in
async def list_canned(page: Page) -> web.StreamResponse:
    return await _show_canned(page, {}, None)


async def _show_canned(page: Page, typed: dict[str, str], error: str | None) -> web.Response:
    preset = page.runtime.office.preset
    async with page.runtime.db.reading() as session:
        rows = (await session.scalars(select(CannedReply).order_by(CannedReply.purpose, CannedReply.title).limit(SHOWN))).all()
    categories = [(item.code, item.name) for item in preset.categories]
    departments = [(item.code, item.name) for item in preset.departments]
    return await page.render(
        "canned.html", status=422 if error else 200, error=error, typed=typed, rows=rows, names=dict(categories + departments),
        purposes=PURPOSES, placeholders=list(PLACEHOLDERS), may_write=bool(page.me.roles & WRITERS),
        categories=categories, departments=departments,
    )


@signed_in
async def add_canned(page: Page) -> web.StreamResponse:
    """After a mistake the page comes back with everything that was typed."""
    _require_writer(page)
    form = await page.request.post()
    typed = {name: storable(str(form.get(name, "")).strip()) for name in NewCannedReply.model_fields}
    try:
        await _add(page, typed)
    except HuiyinError as error:
        return await _show_canned(page, typed, error.detail)
    except ValidationError:
        return await _show_canned(page, typed, "请填写名称和内容。")
    raise web.HTTPSeeOther("/staff/canned")


async def _add(page: Page, typed: dict[str, str]) -> None:
    body = NewCannedReply.model_validate({name: value for name, value in typed.items() if value})
    canned_replies.check_text(body.text)
    canned_replies.check_place(page.runtime.office, body.category, body.department)
    async with page.runtime.db.writing() as session:
        row = CannedReply(**body.model_dump(), version=1, changed_by=page.me.name, changed_at=page.now)
        session.add(row)
        await session.flush()
        audit.record(session, page.now, page.me.name, "canned_reply:add", f"canned_reply:{row.id}")


@signed_in
async def remove_canned(page: Page) -> web.StreamResponse:
    _require_writer(page)
    async with page.runtime.db.writing() as session:
        row = await canned_replies.find(session, int(page.request.match_info["id"][:18]))
        await session.delete(row)
        audit.record(session, page.now, page.me.name, "canned_reply:remove", f"canned_reply:{row.id}")
    raise web.HTTPSeeOther("/staff/canned")


def _require_writer(page: Page) -> None:
    if not page.me.roles & WRITERS:
        raise Forbidden("常用语由主管或编辑维护。")
