"""The desk: letters and walk-ins registered by keyboard alone, the paper attached, a receipt to take along."""

from typing import Any, get_args

import segno
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from channels.files import NotAllowed
from core.attachments import StoredFile
from core.errors import HuiyinError, Invalid, NotFound
from core.message import Attachment, storable
from service import ocr
from service.runtime import Runtime
from service.staff_page import Page, signed_in
from service.words import KINDS, REPLY_WAYS
from ticketing import clock_words, tickets
from ticketing.bodies import Kind
from ticketing.model import Ticket

MAY_REGISTER = frozenset({"clerk", "officer", "supervisor", "inspector"})
GIVES_CODES = frozenset({"clerk", "supervisor", "inspector"})
FIELDS = ("kind", "category", "description", "place", "happened_at", "reply_by")
OF_RESIDENT = ("name", "phone")


def routes() -> list[web.RouteDef]:
    return [
        web.get("/staff/desk", show_form),
        web.post("/staff/desk", register),
        web.post("/staff/desk/read", read_picture),
        web.get("/staff/desk/receipt/{number}", show_receipt),
    ]


@signed_in
async def show_form(page: Page) -> web.StreamResponse:
    return await _show(page, {})


async def _show(page: Page, typed: dict[str, str], error: str | None = None) -> web.StreamResponse:
    """The form; after a mistake with everything that was typed: nobody types a letter twice."""
    preset = page.runtime.office.preset
    return await page.render(
        "desk.html", status=422 if error else 200, error=error, typed={"kind": "complaint", "reply_by": "call"} | typed,
        kinds=[(kind, KINDS[kind]) for kind in get_args(Kind)], ways=REPLY_WAYS.items(),
        categories=[(item.code, item.name) for item in preset.categories], can_read=ocr.is_installed(),
    )


@signed_in
async def register(page: Page) -> web.StreamResponse:
    """The ticket with its papers, in one transaction; files that are not taken stop it before anything is written."""
    form = await page.request.post()
    try:
        number = await _register(page, form)
    except HuiyinError as error:
        typed = {name: str(form.get(name, "")) for name in (*FIELDS, *OF_RESIDENT)}
        return await _show(page, typed, error.detail)
    page.runtime.news.notify("outbox")
    raise web.HTTPSeeOther(f"/staff/desk/receipt/{number}")


async def _register(page: Page, form: Any) -> str:
    if not page.me.roles & MAY_REGISTER:
        raise Invalid("登记来信来访需要坐席、专员或主管角色。")
    papers = [await keep_upload(page.runtime, item) for item in form.getall("file", []) if _is_file(item)]
    body: dict[str, Any] = _filled(form, FIELDS)
    body["resident"] = _filled(form, OF_RESIDENT)
    async with page.runtime.db.writing() as session:
        ticket = await tickets.register(
            session, page.runtime.office, page.me, body, page.now, channel="desk"
        )
        _attach(session, ticket, papers, page)
        return ticket.number


def _filled(form: Any, names: tuple[str, ...]) -> dict[str, str]:
    values = {name: storable(str(form.get(name, "")).strip()) for name in names}
    return {name: value for name, value in values.items() if value}


def _is_file(item: Any) -> bool:
    return isinstance(item, web.FileField) and bool(item.filename)


async def keep_upload(runtime: Runtime, upload: Any) -> Attachment:
    """A file that came with a form. Invalid, in words for the clerk, when its kind is not taken."""
    try:
        return await runtime.files.keep(upload.file.read(), storable(upload.filename))
    except NotAllowed as error:
        raise Invalid(f"“{upload.filename}”不能接收（{error}）：请用图片、PDF 或 Office 文件，最大 20 MB。") from None


def _attach(session: AsyncSession, ticket: Ticket, papers: list[Attachment], page: Page) -> None:
    session.add_all(
        StoredFile(ticket_id=ticket.id, uploaded_by=page.me.name, name=paper.name, type=paper.type, size=paper.size,
                   path=paper.path, at=page.now)
        for paper in papers
    )


@signed_in
async def read_picture(page: Page) -> web.StreamResponse:
    """A photographed letter as a draft, which the clerk corrects: nothing is stored here."""
    form = await page.request.post()
    upload = form.get("file")
    if not ocr.is_installed() or not isinstance(upload, web.FileField):
        return web.json_response({"text": "", "detail": "没有安装识别组件，请对照图片录入。"}, status=501)
    try:
        text = await ocr.read_text(upload.file.read())
    except Exception:  # whatever a broken picture does to the engine: the clerk types the letter
        return web.json_response({"text": "", "detail": "这张图片识别不了，请对照图片录入。"}, status=422)
    return web.json_response({"text": storable(text), "detail": "" if text else "没有认出文字，请对照图片录入。"})


@signed_in
async def show_receipt(page: Page) -> web.StreamResponse:
    """To print and hand over: number, code, what was said, until when; the QR code opens the progress page."""
    number = page.request.match_info["number"]
    async with page.runtime.db.reading() as session:
        try:
            ticket = await tickets.find_visible(session, page.me, number)
        except NotFound:
            raise web.HTTPNotFound(text="没有这张工单，或者您不能查看。") from None
        if not page.me.roles & GIVES_CODES and ticket.registered_by != page.me.name:
            raise web.HTTPNotFound(text="回执由坐席或登记人打印。")  # The code opens what the resident may read.
        promise = await clock_words.promise(session, ticket)
        values = {"number": ticket.number, "code": ticket.code, "kind": ticket.kind, "title": ticket.title,
                  "place": ticket.place, "at": ticket.registered_at.isoformat(), "reply_by": ticket.reply_by}
    link = f"{page.runtime.settings.public_url}/progress?number={number}"
    return await page.render("receipt.html", t=values, promise=promise, link=link, code_image=_draw(link))


def _draw(link: str) -> str:
    """The QR code as a data address: nothing is loaded from elsewhere, and it prints sharply."""
    return str(segno.make(link, error="m").svg_data_uri(scale=4, border=2))
