"""A resident's page for clerks: who he is behind his addresses, who lives at the same place, joined and parted here."""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from core.conversation import Resident
from core.errors import Forbidden, Invalid, NotFound
from core.message import storable
from service import residents
from service.staff_page import Page, signed_in

SHORTEST_PROOF, LONGEST_PROOF = 4, 400


def routes() -> list[web.RouteDef]:
    return [
        web.get(r"/staff/residents/{id:\d+}", show),
        web.post(r"/staff/residents/{id:\d+}/{deed:join|part}", act),
    ]


@signed_in
async def show(page: Page) -> web.StreamResponse:
    _require_clerk(page)
    async with page.runtime.db.writing() as session:  # Reading one who is confidential is audited.
        try:
            resident = await _find(page, session)
        except NotFound:
            raise web.HTTPNotFound(text="没有这位居民，或者您不能查看。") from None
        described = await residents.read(session, page.me, resident, page.now)
    return await page.render("resident.html", r=described)


@signed_in
async def act(page: Page) -> web.StreamResponse:
    _require_clerk(page)
    form = await page.request.post()
    async with page.runtime.db.writing() as session:
        resident = await _find(page, session)
        if page.request.match_info["deed"] == "part":
            await residents.part(session, page.me, resident, page.now)
        else:
            other, proof = str(form.get("other", "")).strip(), storable(str(form.get("proof", "")).strip())
            if not other.isascii() or not other.isdecimal() or not SHORTEST_PROOF <= len(proof) <= LONGEST_PROOF:
                raise Invalid("请填写另一位居民的编号，以及凭什么认定是同一人（至少四个字）。")
            await residents.join(session, page.me, resident, int(other[:18]), proof, page.now)
    raise web.HTTPSeeOther(f"/staff/residents/{resident.id}")


async def _find(page: Page, session: AsyncSession) -> Resident:
    return await residents.find(session, page.me, int(page.request.match_info["id"][:18]))


def _require_clerk(page: Page) -> None:
    if "clerk" not in page.me.roles:
        raise Forbidden("居民的资料由坐席查看。")
