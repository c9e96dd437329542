"""One ticket in the console: what is known, what can be done, and the reply that officers write together."""

import hashlib
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.checking import check_body
from core.errors import HuiyinError, Invalid, NotFound, Stale
from service.console import list_messages
from service.forms import VerbForm, describe_verbs, offer_choices, read_elements, read_form, read_measures
from service.staff_page import Page, signed_in
from ticketing import canned_replies, drafts, joint, promises, repeats, tickets, views
from ticketing.bodies import SaveDraft
from ticketing.model import Ticket
from ticketing.reader import reader_of
from ticketing.visibility import hides_person

VERSIONS_SHOWN = 6
SAVED = "草稿已保存，同事打开这张工单就能接着写。"
LOOK = "答复里有带日期的承诺：请核对“记入承诺台账”里的各项，勾好后再点一次“报审”。"
BEHIND = "{who}刚才也存了草稿。您写的已另存为最新一版，没有丢；请对照下面的“以前的草稿”合并。"

REPEATS = 5
"""So many tickets that are likely about the same matter stand on the page."""


@signed_in
async def show_ticket(page: Page) -> web.StreamResponse:
    """Reading a confidential resident's ticket is audited, hence the writing transaction."""
    number = page.request.match_info["number"]
    office = page.runtime.office
    async with page.runtime.db.writing() as session:
        try:
            ticket = await tickets.find_visible(session, page.me, number)
        except NotFound:
            raise web.HTTPNotFound(text="没有这张工单，或者您不能查看。") from None
        described = await views.describe(session, office, page.me, ticket, page.now)
        messages = await list_messages(session, ticket.conversation_id, hides_person(page.me, ticket))
        again = await repeats.list_repeats(session, page.me, ticket, REPEATS)
        canned = await canned_replies.offer(session, office, page.me, ticket, page.now)
        writing = await _describe_writing(page, session, ticket) if "submit" in described["allowed"] else {}
    departments = {item.code: item.name for item in office.preset.departments}
    categories = {item.code: item.name for item in office.preset.categories}
    return await page.render(
        "ticket.html", t=described, repeats=again, messages=messages, verbs=_forms(page, described), canned=canned,
        category=categories.get(described["category"]), department=departments.get(described["department"]),
        departments=departments,
        today=clock.local(page.now).date().isoformat(), notice=_NOTICES.get(page.request.query.get("notice", "")),
        **writing,
    )


_NOTICES = {"saved": SAVED, "look": LOOK}


def _forms(page: Page, described: dict[str, Any]) -> list[VerbForm]:
    """The verbs' forms; which measure is kept is chosen among those that are not yet."""
    waiting = tuple((str(item["id"]), f"{item['what']}（{item['due_on']} 前）")
                    for item in described["measures"] if not item["fulfilled_at"])
    found = describe_verbs(described["allowed"], page.runtime.office.preset)
    if described.get("call_id"):
        # What was heard lies open beside its words: a clerk confirms a call with one look, before anything else.
        found.sort(key=lambda form: form.name != "confirm")
    return [offer_choices(form, "measure", waiting) for form in found if form.name != "fulfil" or waiting]


async def _describe_writing(page: Page, session: AsyncSession, ticket: Ticket) -> dict[str, Any]:
    """What stands in the form of the submit: the newest draft, the other departments' answers, what it promises."""
    reader = await reader_of(session, ticket, hides_person(page.me, ticket))
    versions = await drafts.list_versions(session, ticket, VERSIONS_SHOWN)
    draft = views.describe_draft(versions[0] if versions else None, reader)
    answers = await joint.list_answers(session, page.runtime.office, ticket, reader)
    if not versions:
        draft["reply"] = joint.merge_answers("", answers)
    today = clock.local(page.now).date()
    kept = {(item["what"], item["due_on"]) for item in draft["measures"]}
    offered = [
        {"what": item.what, "due_on": item.due_on.isoformat()}
        for item in promises.find_promises(draft["reply"], today, page.runtime.office.calendars.of_letters(ticket.department))
    ]
    return {
        "draft": draft, "answers": answers, "seen": _digest(draft["reply"]),
        "offered": [item for item in offered if (item["what"], item["due_on"]) not in kept],
        "before": [views.describe_draft(row, reader) for row in versions[1:]],
    }


def _digest(text: str) -> str:
    """Which words the page showed the promises of; line ends are the browser's own."""
    return hashlib.sha256("\n".join(text.split()).encode()).hexdigest()[:16]


@signed_in
async def act(page: Page) -> web.StreamResponse:
    """A verb's form: the version seen on the page decides, so that two people do not overwrite each other."""
    verb = page.request.match_info["verb"]
    form = await _form(page)
    body = read_form(verb, form)
    if verb == "confirm" and (elements := read_elements(form)):
        body["elements"] = elements
    await _perform(page, verb, body)
    raise web.HTTPSeeOther(f"/staff/tickets/{page.request.match_info['number']}")


async def _form(page: Page) -> dict[str, str]:
    return {key: str(value) for key, value in (await page.request.post()).items()}


async def _perform(page: Page, verb: str, body: dict[str, Any]) -> None:
    version = str((await page.request.post()).get("version", ""))
    async with page.runtime.db.writing() as session:
        await tickets.perform(
            session, page.runtime.office, page.me, page.request.match_info["number"], verb, body,
            int(version) if version.isdecimal() else None, page.now,
        )
    page.runtime.news.notify("outbox")


@signed_in
async def save_draft(page: Page) -> web.StreamResponse:
    form = await _form(page)
    await _save(page, form, _body(form))
    raise web.HTTPSeeOther(f"/staff/tickets/{page.request.match_info['number']}?notice=saved")


@signed_in
async def submit(page: Page) -> web.StreamResponse:
    """What was written is kept whatever becomes of it. What it promises is looked at once before it goes on."""
    number, form = page.request.match_info["number"], await _form(page)
    body = _body(form)
    if await _save(page, form, body) and form.get("seen") != _digest(form.get("reply", "")):
        raise web.HTTPSeeOther(f"/staff/tickets/{number}?notice=look")
    await _perform(page, "submit", body)
    raise web.HTTPSeeOther(f"/staff/tickets/{number}")


def _body(form: dict[str, str]) -> dict[str, Any]:
    return read_form("submit", form) | {"measures": read_measures(form)}


async def _save(page: Page, form: dict[str, str], body: dict[str, Any]) -> bool:
    """Keep the draft; whether it promises something for a day.

    A colleague who saved meanwhile loses nothing, and neither does this one: his goes on top, and he is told.
    """
    read = int(form["draft"]) if form.get("draft", "").isdecimal() and len(form["draft"]) < 9 else None
    written = {name: body[name] for name in drafts.FIELDS if name in body}
    try:
        checked = check_body(SaveDraft, written)
    except Invalid:
        await _keep(page, check_body(SaveDraft, written | {"measures": []}), None)
        raise
    try:
        return await _keep(page, checked, read)
    except Stale as error:
        await _keep(page, checked, None)
        who = "、".join(dict.fromkeys(str(item["actor"]) for item in error.changed))
        raise _Behind(BEHIND.format(who=who)) from None


class _Behind(HuiyinError):
    """A colleague saved a draft while this one was written: look at both, then go on."""

    status = 412


async def _keep(page: Page, body: SaveDraft, read: int | None) -> bool:
    async with page.runtime.db.writing() as session:
        ticket = await tickets.find_visible(session, page.me, page.request.match_info["number"])
        await drafts.save(session, page.me, ticket, body, read, page.now)
        hours = page.runtime.office.calendars.of_letters(ticket.department)
    return bool(promises.find_promises(body.reply, clock.local(page.now).date(), hours))


def routes() -> list[web.RouteDef]:
    return [
        web.get("/staff/tickets/{number}", show_ticket),
        web.post("/staff/tickets/{number}/draft", save_draft),
        web.post("/staff/tickets/{number}/submit", submit),
        web.post("/staff/tickets/{number}/{verb}", act),
    ]
