"""Letters in the console: a ticket's letters as sheets, and that one was collected at the desk."""

from urllib.parse import urlencode

from aiohttp import web

from core.checking import check_body
from core.errors import HuiyinError
from core.message import storable
from service.api.letters import Collected, respond
from service.staff_page import Page, signed_in
from ticketing import letter_desk


def routes() -> list[web.RouteDef]:
    return [
        web.get(r"/staff/letters/{id:\d+}/{form:pdf|txt}", give_sheet),
        web.post(r"/staff/tickets/{number}/letters/{id:\d+}", collect),
    ]


@signed_in
async def give_sheet(page: Page) -> web.StreamResponse:
    """The sheet, to be printed or looked at, for who may see its ticket."""
    params = page.request.match_info
    try:
        return await respond(page.runtime, page.me, params["id"], params["form"])
    except HuiyinError as error:
        raise web.HTTPNotFound(text=error.detail) from None


@signed_in
async def collect(page: Page) -> web.StreamResponse:
    params = page.request.match_info
    form = await page.request.post()
    note = storable(str(form.get("note", "")).strip())
    back = f"/staff/tickets/{params['number']}"
    try:
        async with page.runtime.db.writing() as session:
            await letter_desk.collect(
                session, page.runtime.office, page.me, int(params["id"][:18]),
                lambda: str(check_body(Collected, {"note": note}).note), page.now,
            )
    except HuiyinError as error:
        raise web.HTTPSeeOther(f"{back}?{urlencode({'error': error.detail})}") from None
    raise web.HTTPSeeOther(back)
