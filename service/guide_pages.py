"""Residents' pages of the guides: catalogue and search, one page a guide, print view, forms, and what search engines read."""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from aiohttp import web
from sqlalchemy import select

from core import clock
from core.segment import fold
from knowledge_base import library
from knowledge_base.guide import FIELDS, Guide
from knowledge_base.tables import GuideRow
from service import guide_forms, notice_board
from service.api.endpoint import RUNTIME
from service.markdown import render as to_html
from service.pages import render
from service.runtime import Runtime

FACTS = ("fee", "limit_promised", "visits", "window", "address", "hours", "phone")
"""What stands in the box on top of a guide's page."""
WHERE_TO_ASK = ("phone", "window", "address", "hours", "supervision_phone")
"""All that is said of a guide that is over."""
LONGEST_QUERY = 100
FOUND = 10
TEASER = 48
SMALLEST_GROUP = 2
OTHERS = "其他事项"
DESCRIBED = 120
"""Characters of the line under a search engine's hit."""
CLOSED_TO_ROBOTS = ("/staff/", "/api/", "/channels/", "/r/", "/rate/", "/progress", "/demo")


async def list_guides(request: web.Request) -> web.Response:
    """All published guides by life event; `q` searches, `audience` and `life_event` choose."""
    runtime = request.app[RUNTIME]
    guides = await _published(runtime)
    query = request.query.get("q", "").strip()[:LONGEST_QUERY]
    audience, life_event = request.query.get("audience", ""), request.query.get("life_event", "")
    chosen = await _search(runtime, guides, query) if query else [
        guide for guide in guides
        if (not audience or audience in guide.audience) and (not life_event or life_event in guide.life_events)
    ]
    narrowed = bool(query or audience or life_event)
    return render(
        request, "guides.html", guides=chosen, query=query, audience=audience, life_event=life_event,
        narrowed=narrowed, audiences=_count(guides, "audience"), events=_count(guides, "life_events"),
        groups=[] if narrowed else _group(guides), teasers={guide.slug: _describe(guide, TEASER) for guide in chosen},
        notices=await notice_board.read(runtime, clock.now()), canonical=f"{runtime.settings.public_url}/guides",
    )


async def _published(runtime: Runtime) -> list[Guide]:
    today = clock.local(clock.now()).date()
    async with runtime.db.reading() as session:
        found = await library.guides(session, [runtime.settings.office.preset], ["published"])
    return sorted((guide for guide in found if guide.is_in_force(today)), key=lambda guide: guide.title)


def _count(guides: Iterable[Guide], name: str) -> list[tuple[str, int]]:
    """Each audience (or life event) with the number of its guides, the larger first."""
    counts: dict[str, int] = {}
    for guide in guides:
        for word in getattr(guide, name):
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def _group(guides: Sequence[Guide]) -> list[tuple[str, list[Guide]]]:
    """By life event, the larger groups first; an event of a single guide makes no group of its own."""
    groups = [(event, [guide for guide in guides if event in guide.life_events])
              for event, count in _count(guides, "life_events") if count >= SMALLEST_GROUP]
    shown = {guide.slug for _, many in groups for guide in many}
    others = [guide for guide in guides if guide.slug not in shown]
    return [*groups, (OTHERS, others)] if others else groups


async def _search(runtime: Runtime, guides: Sequence[Guide], query: str) -> list[Guide]:
    """Titles and other names that hold the words, then what the assistant would find; the same order of nearness."""
    plain = fold(query)
    named = [guide for guide in guides if any(plain in fold(name) for name in (guide.title, *guide.aliases))]
    known = {guide.slug: guide for guide in guides}
    near = [known[slug] for slug in await runtime.knowledge.find(query, runtime.settings.office.preset) if slug in known]
    return list({guide.slug: guide for guide in (*named, *near)}.values())[:FOUND]


async def read_guide(request: web.Request) -> web.Response:
    """One guide; of one that is over only when it ended and where to ask. `?print=1` is the sheet to take along."""
    runtime, now = request.app[RUNTIME], clock.now()
    row, guide = await _find(request)
    if row is None or guide is None:
        return render(request, "missing.html", 404)
    url = f"{runtime.settings.public_url}/guides/{quote(guide.slug)}"
    values: dict[str, Any] = {"guide": guide, "canonical": url, "description": _describe(guide, DESCRIBED), "overview": to_html(guide.overview)}
    if guide.is_expired(clock.local(now).date()):
        return render(request, "guide_expired.html", facts=_facts(guide, WHERE_TO_ASK), **values)
    opening = runtime.knowledge.opening(guide, clock.local(now).date(), now)
    forms = guide_forms.find_forms(runtime.settings, guide, row.sample)
    template = "guide_print.html" if request.query.get("print") == "1" else "guide.html"
    return render(request, template, parts=_parts(guide), facts=_facts(guide, FACTS), opening=opening, forms=forms,
                  materials=_materials(guide), data=_structured(guide, url), **values)


async def _find(request: web.Request) -> tuple[GuideRow | None, Guide | None]:
    """The guide of the address, where residents may read it."""
    runtime = request.app[RUNTIME]
    async with runtime.db.reading() as session:
        row = await session.scalar(select(GuideRow).where(
            GuideRow.preset == runtime.settings.office.preset, GuideRow.slug == request.match_info["slug"],
            GuideRow.state.in_(("published", "expired"))))
    if row is None:
        return None, None
    guide = Guide.from_json(row.content, version=row.version, state=row.state)
    today = clock.local(clock.now()).date()
    return (row, guide) if guide.is_in_force(today) or guide.is_expired(today) else (None, None)


def _facts(guide: Guide, names: Iterable[str]) -> list[tuple[str, str]]:
    headings = {field.name: field.heading for field in FIELDS}
    return [(headings[name], to_html(guide.fields[name])) for name in names if guide.fields.get(name)]


def _parts(guide: Guide) -> list[dict[str, str]]:
    """The sections of the page but for the materials, which are a checklist of their own."""
    parts = [
        {"name": field.name, "heading": field.heading, "html": to_html(guide.fields[field.name])}
        for field in FIELDS if guide.fields.get(field.name) and field.name != "materials" and field.name not in FACTS
    ]
    faq = "".join(f"<h3>{to_html(item.question, inline=True)}</h3>{to_html(item.answer)}" for item in guide.faq)
    return [*parts, {"name": "faq", "heading": "常见问题", "html": faq}] if faq else parts


def _materials(guide: Guide) -> list[dict[str, Any]] | str:
    """One thing to tick off a row of the table; text where there is no table, as HTML."""
    from knowledge_base.compose import cells, rows

    text = guide.fields.get("materials", "")
    lines = [line for line in text.split("\n") if line.strip()]
    table = [line for line in lines if line.lstrip().startswith("|")]
    if not table:
        return to_html(text)
    head = cells(table[0])
    items: list[dict[str, Any]] = [
        {"name": to_html(row[0], inline=True),
         "details": [(name, to_html(cell, inline=True)) for name, cell in zip(head[1:], row[1:], strict=False)
                     if cell and cell != "—"]}
        for row in rows("\n".join(table))
    ]
    rest = "\n".join(line for line in lines if not line.lstrip().startswith("|"))
    return [*items, {"name": "", "rest": to_html(rest)}] if rest else items


def _describe(guide: Guide, longest: int) -> str:
    """The beginning of what the guide says of itself, without marks."""
    from knowledge_base.compose import plain

    text = " ".join(plain(guide.overview).split()) or guide.title
    return text if len(text) <= longest else f"{text[:longest]}…"


def _structured(guide: Guide, url: str) -> str:
    """The questions and answers as search engines read them (schema.org FAQPage)."""
    data = {
        "@context": "https://schema.org", "@type": "FAQPage", "url": url, "name": guide.title,
        "dateModified": guide.checked_on.isoformat() if guide.checked_on else None,
        "mainEntity": [{"@type": "Question", "name": each.question,
                        "acceptedAnswer": {"@type": "Answer", "text": each.answer}} for each in guide.faq],
    }
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026")


async def read_form(request: web.Request) -> web.StreamResponse:
    """A blank form to download; only what the guide's page lists."""
    runtime = request.app[RUNTIME]
    row, guide = await _find(request)
    wanted = request.match_info["name"]
    if row is not None and guide is not None:
        for form in guide_forms.find_forms(runtime.settings, guide, row.sample):
            if form.file_name == wanted:
                return web.Response(
                    body=await guide_forms.read_form(form, guide), content_type=form.type,
                    headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(form.file_name)}",
                             "X-Content-Type-Options": "nosniff"},
                )
    return render(request, "missing.html", 404)


async def robots(request: web.Request) -> web.Response:
    """An office that is trying Huiyin out is not for search engines; one that serves residents is, but for their own pages."""
    settings = request.app[RUNTIME].settings
    if not settings.web.public_url:
        return web.Response(text="User-agent: *\nDisallow: /\n")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED_TO_ROBOTS),
             f"Sitemap: {settings.public_url}/sitemap.xml"]
    return web.Response(text="\n".join(lines) + "\n")


async def sitemap(request: web.Request) -> web.Response:
    """Every page that may be found."""
    runtime = request.app[RUNTIME]
    pages: list[tuple[str, date | None]] = [("/", None), ("/guides", None)]
    pages += [(f"/guides/{quote(guide.slug)}", guide.checked_on) for guide in await _published(runtime)]
    entries = "".join(
        f"<url><loc>{escape(runtime.settings.public_url + path)}</loc>"
        f"{f'<lastmod>{day}</lastmod>' if day else ''}</url>" for path, day in pages
    )
    text = f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'
    return web.Response(text=text, content_type="application/xml")


def routes() -> list[web.RouteDef]:
    return [
        web.get("/guides", list_guides),
        web.get("/guides/{slug}", read_guide),
        web.get("/guides/{slug}/forms/{name}", read_form),
        web.get("/robots.txt", robots),
        web.get("/sitemap.xml", sitemap),
    ]
