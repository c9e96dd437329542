"""The console's list of reminders: what the system told this member of staff, newest first."""

from aiohttp import web

from core.clock import write_time
from service.staff_page import Page, signed_in
from ticketing import staff_notices

MOST = 100


def routes() -> list[web.RouteDef]:
    return [web.get("/staff/notices", list_notices), web.post("/staff/notices/read", read_all)]


@signed_in
async def list_notices(page: Page) -> web.StreamResponse:
    async with page.runtime.db.reading() as session:
        rows = await staff_notices.list_of(session, page.me.name, MOST)
    items = [
        {"id": notice.id, "at": write_time(notice.told_at), "text": notice.text, "ticket": number,
         "is_new": notice.read_at is None}
        for notice, number in rows
    ]
    return await page.render("notices.html", items=items, last=items[0]["id"] if items else 0)


@signed_in
async def read_all(page: Page) -> web.StreamResponse:
    """Everything up to the newest that the page showed."""
    last = str((await page.request.post()).get("last", ""))
    if last.isascii() and last.isdecimal() and len(last) <= 18:
        async with page.runtime.db.writing() as session:
            await staff_notices.mark_read(session, page.me.name, int(last), page.now)
    raise web.HTTPSeeOther("/staff/notices")
