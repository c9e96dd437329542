"""From a question to an Answer: a list of steps that one can read aloud; the first that has an outcome ends it."""

import math
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.segment import fold
from knowledge_base import compose, departments, notices
from knowledge_base.asking import asked_field, belongs_elsewhere, holds, names_something
from knowledge_base.compose import say
from knowledge_base.days import asked_day
from knowledge_base.guide import HEADINGS, Citation, Guide, Section
from knowledge_base.index import Index
from knowledge_base.shelf import Hit, settings
from knowledge_base.spoken import plainly
from knowledge_base.tables import Notice

log = structlog.get_logger(__name__)

_PARTS = re.compile(r"[,，。.!！?？;；、\s]+")

_BESIDES = re.compile(r"\s*(?:那么?|然后|除了这些?|另外)?(?:还[要需得有用]|还带)")
_ONLY = re.compile(r"\bonly\b|只[要带用有需]|光[带有]|就[带要](?!什么|啥)|带了", re.I)
"""What is brought already is no matter of its own."""

Opening = Callable[[Guide, date, datetime], str | None]
"""(guide, day asked for, now) → one sentence about whether its office is open; None where that is not known."""

Link = Callable[[Guide], str]
"""The address of a guide's page."""

OPEN_FIELDS = ("hours", "address", "window", "phone", "overview")
SHORT = 12
"""Characters up to which a question is a follow-up although it says no 那."""
BASES = ("fee_basis", "limit_statutory")
"""What stands behind a fee or a limit; left to its own question where more was asked."""
NEARLY = 0.8
"""Of two entries nearly as near that of the last guide is meant: 要空腹不 after booking a check-up."""
MOST_PARTS = 3
"""Fields, and entries of the FAQ, that a question with several parts is answered with besides the first."""
MOST_SEARCHED = 7
"""Parts that are looked at: each costs a sentence vector."""
LONGEST = 400
"""Characters of a question that are looked at; what is wanted is said by then."""


@dataclass(frozen=True)
class Candidate:
    """A guide that came near."""

    guide: str
    title: str
    score: float

    def as_json(self) -> dict[str, Any]:
        return {"guide": self.guide, "title": self.title, "score": round(self.score, 4)}


@dataclass(frozen=True)
class Answer:
    """What to say, where it comes from, and, when nothing is answered, why not (`reason`)."""

    status: str
    """answered·clarify·no_guide·expired·out_of_scope·error"""
    text: str
    field: str | None = None
    citations: tuple[Citation, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    """What came nearest, best first, whether or not it came near enough."""
    choices: tuple[Candidate, ...] = ()
    """What the question back offers (status clarify)."""
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """As interfaces §4 writes it."""
        return {
            "status": self.status, "field": self.field, "text": self.text, "reason": self.reason,
            "citations": [each.as_json() for each in self.citations],
            "candidates": [each.as_json() for each in self.candidates],
            "choices": [each.as_json() for each in self.choices],
        }


@dataclass
class Asked:
    """A question on its way through the steps, and what they found out so far."""

    question: str
    preset: str
    now: datetime
    index: Index
    session: AsyncSession | None = None
    context_guide: str | None = None
    chosen: str | None = None
    place: str | None = None
    opening: Opening | None = None
    link: Link | None = None
    field: str | None = None
    hits: Sequence[Hit] = ()

    @property
    def today(self) -> date:
        return clock.local(self.now).date()

    @property
    def limits(self) -> dict[str, float]:
        """The thresholds in force: they go with the weights."""
        shelf = self.index.shelves[self.preset]
        limits: dict[str, float] = settings()["threshold" + shelf.kind]
        return limits

    def candidates(self, count: int = 5) -> tuple[Candidate, ...]:
        """The nearest guides; nothing may be concluded from their being there."""
        return tuple(Candidate(hit.guide.slug, hit.guide.title, hit.score) for hit in self.hits[:count])

    def near(self) -> tuple[Candidate, ...]:
        """Those that may be meant, to be offered as such."""
        return tuple(Candidate(hit.guide.slug, hit.guide.title, hit.score) for hit in self.hits[:3]
                     if self.sureness(hit) >= self.limits["candidate"])

    def close(self) -> list[Hit]:
        """The first guide and those nearly as near, three at most."""
        return [hit for hit in self.hits[:3] if self.hits[0].score - hit.score <= self.limits["clarify_margin"]]

    @property
    def spoken_of(self) -> Hit | None:
        """The guide the matter was answered from last, as this question finds it."""
        return next((hit for hit in self.hits if hit.guide.slug == self.context_guide), None)

    @property
    def is_close(self) -> bool:
        """Whether it must be asked back which of two guides is meant."""
        close = self.close()
        if len(close) < 2:
            return False
        return close[0].score < self.limits["clear"] or close[0].score - close[1].score <= self.limits["tie"]

    def sureness(self, hit: Hit) -> float:
        """How surely this guide is meant: its nearness, and how far it lies before all that is not ours."""
        word = belongs_elsewhere(self.question, self.preset)
        foreign = word is not None and word not in fold(" ".join(hit.names))
        return hit.score - self.limits["lead"] * hit.foreign - (self.limits["elsewhere"] if foreign else 0.0)

    @property
    def surest(self) -> float:
        """The sureness of the best hit; -inf without one."""
        return self.sureness(self.hits[0]) if self.hits else -math.inf


async def answer(
    session: AsyncSession | None, index: Index, question: str, preset: str, now: datetime, *,
    context_guide: str | None = None, chosen: str | None = None, place: str | None = None,
    opening: Opening | None = None, link: Link | None = None,
) -> Answer:
    """The answer to one question out of the guides of one preset; never an exception for an odd question.

    `context_guide` is the slug of the matter's last guide, `chosen` that of the guide the resident chose when asked
    back, `place` where the resident is, as far as known; `opening` and `link` say what only the service knows.
    """
    asked = Asked(plainly(question.strip()[:LONGEST]), preset, now, index, session, context_guide, chosen, place, opening, link)
    try:
        for step in STEPS:
            found = await step(asked)
            if found is not None:
                return found
    except Exception:
        log.exception("answer_failed", preset=preset)
    return Answer("error", say("error"), reason="failed")


async def tell_notice(asked: Asked) -> Answer | None:
    """A notice in force for this question and place is the answer."""
    if asked.session is None:
        return None
    for notice in await notices.in_force(asked.session, asked.preset, asked.now):
        if notices.fits(notice, asked.question, asked.place):
            return _quote_notice(notice)
    return None


async def understand_field(asked: Asked) -> Answer | None:
    """Which field is asked for, if one is named."""
    asked.field = asked_field(asked.question)
    return None


async def quote_the_chosen(asked: Asked) -> Answer | None:
    """What was chosen is not asked back again."""
    guide = next((each for each in asked.index.shelves[asked.preset].guides if each.slug == asked.chosen), None)
    if guide is None:
        return None
    asked.hits = await asked.index.search(asked.question, asked.preset, context=asked.chosen)
    return await _quote_guide(asked, guide, next((hit for hit in asked.hits if hit.guide is guide), None))


async def find_guides(asked: Asked) -> Answer | None:
    """The nearest guides; a question that names nothing leans on the matter's last guide."""
    asked.hits = await asked.index.search(asked.question, asked.preset, context=asked.context_guide)
    spoken_of = asked.spoken_of
    if spoken_of is not None and _goes_on(asked.question) and (_ONLY.search(asked.question) or not _is_another(asked)):
        return await _quote_guide(asked, spoken_of.guide, spoken_of)
    if spoken_of is None or names_something(asked.question):
        return None
    if asked.field or (len(asked.question) <= SHORT and not _is_another(asked)):
        return await _quote_guide(asked, spoken_of.guide, spoken_of)
    return None


def _goes_on(question: str) -> bool:
    """只要护照? 还要带什么: what is asked besides belongs to the matter that is spoken of."""
    return any(_BESIDES.match(piece) and asked_field(piece) and not names_something(piece)
               for piece in re.split(r"[,，。.!！?？;；、]+", question))


def _is_another(asked: Asked) -> bool:
    """Whether a guide other than the last one is surely meant."""
    return (asked.hits[0].guide.slug != asked.context_guide and asked.surest >= asked.limits["answer"]
            and not asked.is_close)


async def warn_of_danger(asked: Asked) -> Answer | None:
    """Warning signs at the hospital go to 120 and the emergency room before anything else is said."""
    if asked.preset != "hospital" or not _is_danger(asked):
        return None
    guide = _guide(asked, "emergency")
    if guide is None:
        return Answer("no_guide", say("warning"), reason="warning_sign")
    sections = [each for name in ("address", "phone") if (each := guide.section(name))]
    body = [say("warning"), *map(compose.show_along, sections), _source(asked, guide)]
    return Answer("answered", "\n".join(body), "overview", tuple(compose.cite(guide, sections)),
                  asked.candidates(), reason="warning_sign")


def _is_danger(asked: Asked) -> bool:
    """A warning sign, or an accident where no other guide is surely meant: who pays after one is a plain question."""
    if holds(asked.question, "warning"):
        return True
    plain = asked.surest >= asked.limits["answer"] and asked.hits[0].guide.slug not in ("emergency", "which-department")
    return holds(asked.question, "accident") and not plain


async def lead_to_department(asked: Asked) -> Answer | None:
    """A complaint leads to a department by the approved table, never to a diagnosis, a dose or an opinion."""
    guide = _guide(asked, "which-department")
    if asked.preset != "hospital" or guide is None:
        return None
    nearest = bool(asked.hits) and asked.hits[0].guide.slug == guide.slug
    surely_another = not nearest and asked.surest >= asked.limits["answer"]
    diagnosis = holds(asked.question, "diagnosis") or (holds(asked.question, "opinion") and not surely_another)
    if not diagnosis and not nearest:
        return None
    found = departments.rows_for(guide, asked.question)
    if not found:
        return Answer("no_guide", say("no_diagnosis"), candidates=asked.candidates(),
                      reason="diagnosis") if diagnosis else None
    danger = any("120" in cell for _, row, _ in found for cell in row[1:])
    parts = [say("warning")] if danger else [say("no_diagnosis")] if diagnosis else []
    parts.append(say("heading", title=guide.title, heading=HEADINGS[found[0][0].field]))
    parts += [" → ".join(compose.plain(cell) for cell in row if cell) for _, row, _ in found]
    citations = tuple(Citation(guide.slug, section.name, guide.title, guide.version, guide.checked_on, quote)
                      for section, _, quote in found)
    return Answer("answered", "\n".join([*parts, _source(asked, guide)]), citations[0].section, citations,
                  asked.candidates(), reason="department")


async def refuse_foreign_matters(asked: Asked) -> Answer | None:
    """What no service window answers, unless a guide is surely meant."""
    if holds(asked.question, "out_of_scope") and asked.surest < self_evident(asked):
        return Answer("out_of_scope", say("out_of_scope"), asked.field, candidates=asked.candidates(),
                      reason="out_of_scope")
    return None


async def stay_with_the_last_guide(asked: Asked) -> Answer | None:
    """我老公是外地户口能交吗 after the answer about health insurance: what its FAQ says, unless another guide is surely meant."""
    hit = asked.spoken_of
    if hit is None or hit.faq is None or not _follows(hit):
        return None
    best = asked.hits[0]
    rival = max(best.faq_score, best.title_score)
    nearer = len(asked.question) <= SHORT and hit.faq_score >= max(NEARLY * rival, settings()["faq"]["nearer"])
    if _is_another(asked) and not nearer:
        return None
    elsewhere = belongs_elsewhere(asked.question, asked.preset) is not None and hit.faq_score < settings()["faq"]["nearer"]
    if elsewhere or hit.foreign > settings()["faq"]["foreign"]:
        return None
    return await _quote_guide(asked, hit.guide, hit)


def _follows(hit: Hit) -> bool:
    """Whether an entry of the guide that is spoken of already is near enough."""
    return _is_near(hit, "follows", "lead")


def _is_near(hit: Hit, score: str, lead: str) -> bool:
    limits = settings()["faq"]
    return bool(hit.faq is not None and hit.faq_score >= limits[score] and hit.faq_lead >= limits[lead])


async def ask_which_matter(asked: Asked) -> Answer | None:
    """A question that names a field and no matter is asked back."""
    if asked.field and not names_something(asked.question) and asked.surest < asked.limits["answer"]:
        return Answer("clarify", say("which_matter"), asked.field, candidates=asked.candidates(), choices=asked.near(),
                      reason="no_matter_named")
    return None


async def refuse_what_is_unknown(asked: Asked) -> Answer | None:
    """Below the threshold nothing is answered; near guides are offered as such."""
    if asked.surest >= asked.limits["answer"]:
        return None
    near = asked.near()
    text = say("no_guide_near", choices=compose.choices(each.title for each in near)) if near else say("no_guide")
    reason = "belongs_elsewhere" if asked.hits and asked.hits[0].foreign > 0 else "below_threshold"
    return Answer("no_guide", text, asked.field, candidates=asked.candidates(), reason=reason)


async def ask_back_between_near_ones(asked: Asked) -> Answer | None:
    """Two guides equally near: the one that is spoken of already, else one short question back, their titles as choices."""
    if not asked.is_close:
        return None
    spoken_of = asked.spoken_of
    if spoken_of is not None and spoken_of in asked.close():
        return await _quote_guide(asked, spoken_of.guide, spoken_of)
    if (plain := [hit for hit in asked.close() if _says_plainly(hit)]) and len(plain) == 1:
        return await _quote_guide(asked, plain[0].guide, plain[0])
    close = asked.candidates(len(asked.close()))
    return Answer("clarify", say("clarify", choices=compose.choices(each.title for each in close)), asked.field,
                  candidates=asked.candidates(), choices=close, reason="several_near")


async def quote_best(asked: Asked) -> Answer | None:
    """The best guide's own words: the field that was asked for first."""
    return await _quote_guide(asked, asked.hits[0].guide, asked.hits[0])


STEPS: tuple[Callable[[Asked], Awaitable[Answer | None]], ...] = (
    tell_notice,
    understand_field,
    quote_the_chosen,
    find_guides,
    warn_of_danger,
    lead_to_department,
    refuse_foreign_matters,
    stay_with_the_last_guide,
    ask_which_matter,
    refuse_what_is_unknown,
    ask_back_between_near_ones,
    quote_best,
)


def self_evident(asked: Asked) -> float:
    """From here on a guide is meant, whatever else the question holds."""
    return asked.limits["self_evident"]


async def _quote_guide(asked: Asked, guide: Guide, hit: Hit | None) -> Answer:
    if not guide.is_in_force(asked.today):
        return _refuse_expired(asked, guide)
    first = _first_sections(asked, guide, hit)
    more = [each for each in await _other_parts(asked, guide) if each not in first]
    if any(each.field == "faq" for each in more) and first[0].field == "faq" and (hit is None or not _is_likely(hit)):
        first = [more.pop(0)]  # What a part asks plainly stands for what the whole merely resembled.
    elif more:
        first = [each for each in first if each.field not in (*BASES, "overview")] or [more.pop(0)]
    name = asked.field if asked.field and compose.sections_of(guide, asked.field) else first[0].name
    along = [] if more or first[0].field == "faq" else compose.sections_along(guide, name)
    parts = [compose.show(guide, section) for section in (*first, *more)] + [compose.show_along(each) for each in along]
    if asked.opening is not None and name in OPEN_FIELDS:
        state = asked.opening(guide, asked_day(asked.question, asked.today) or asked.today, asked.now)
        parts += [state] if state else []
    told = [*first, *more, *along]
    parts += [_source(asked, guide), compose.offer(guide, [each.field for each in told])]
    return Answer("answered", "\n".join(filter(None, parts)), name, tuple(compose.cite(guide, told)), asked.candidates(),
                  reason="found")


async def _other_parts(asked: Asked, guide: Guide) -> list[Section]:
    """丢了咋补，我是外地的，多少钱: what else was asked, a field or an entry of the FAQ for each part of the question."""
    pieces = [each for each in _PARTS.split(asked.question) if len(each.strip()) >= 2]
    if len(pieces) < 2:
        return []
    found: list[Section] = []
    # Who he is stands before what he asks: 我是外地的，要不要回去.
    told = list(dict.fromkeys([*pieces, *map("，".join, pairwise(pieces))]))
    kept = sorted(told, key=lambda each: asked_field(each) is None)[:MOST_SEARCHED]  # In a long story what asks first.
    for piece in filter(kept.__contains__, told):
        hits = await asked.index.search(piece, asked.preset, context=guide.slug)
        hit, field = next((each for each in hits if each.guide is guide), None), asked_field(piece)
        # What the whole asks for is answered already; beside it only an entry that asks the same counts.
        least = "likely" if asked.field and field == asked.field else "part"
        entry = hit.faq if hit is not None and _is_near(hit, least, "part_lead") else None
        if entry is not None:
            found.append(_entry(guide, entry))
        if field not in (None, asked.field) and (entry is None or field != "steps") and piece in pieces:
            found += compose.sections_of(guide, str(field))[:1]
    return list(dict.fromkeys(found))[:MOST_PARTS]


def _source(asked: Asked, guide: Guide) -> str:
    page = [say("page", link=asked.link(guide))] if asked.link else []
    return "\n".join([compose.source(guide), *page])


def _first_sections(asked: Asked, guide: Guide, hit: Hit | None) -> list[Section]:
    """The field asked for, with an FAQ line that is near besides; else that FAQ line; else the overview.

    A line that says it plainly comes first, and takes the place of the steps, which 怎么办 asks for too.
    """
    entry = [] if _is_name(guide, asked.question) else _near_entry(asked, guide, hit)
    found = compose.sections_of(guide, asked.field) if asked.field else []
    if entry and hit is not None and _says_plainly(hit):
        return entry if asked.field == "steps" else [*entry, *found[:1]]
    if not found and not entry and len(asked.question) <= SHORT and asked_day(asked.question, asked.today):
        found = compose.sections_of(guide, "hours")  # 那明天有号不
    return [*found, *entry] or compose.sections_of(guide, "overview") or guide.sections()[:1]


def _is_name(guide: Guide, question: str) -> bool:
    """Whether nothing but (a part of) the guide's name was said: 护照 asks for the whole matter, not for a lost one."""
    said = fold(question).strip(" ?？。.!！,，")
    return any(said in fold(name) for name in (guide.title, *guide.aliases))


def _near_entry(asked: Asked, guide: Guide, hit: Hit | None) -> list[Section]:
    """The FAQ entry that was asked for; none where the title is as near. Of the last guide one that follows is enough."""
    if hit is None or hit.faq is None:
        return []
    follows = guide.slug == asked.context_guide and _follows(hit) and not asked.field
    return [_entry(guide, hit.faq)] if follows or _is_likely(hit) else []


def _lead_of_entry(hit: Hit) -> float:
    """How near the entry is, and how much nearer than the title."""
    return 2 * hit.faq_score - hit.title_score


def _is_likely(hit: Hit) -> bool:
    return _lead_of_entry(hit) >= float(settings()["faq"]["likely"])


def _says_plainly(hit: Hit) -> bool:
    """Whether an entry of the FAQ asks the very question."""
    return _is_near(hit, "plain", "lead") and _is_likely(hit)


def _entry(guide: Guide, number: int) -> Section:
    return Section("faq", guide.faq[number].answer, guide.faq[number].question)


def _refuse_expired(asked: Asked, guide: Guide) -> Answer:
    phone = guide.fields.get("phone", "")
    key = "expired" if phone else "expired_no_phone"
    text = say(key, title=guide.title, valid_to=guide.valid_to or "", phone=compose.plain(phone))
    return Answer("expired", text, asked.field, candidates=asked.candidates(), reason="expired")


def _quote_notice(notice: Notice) -> Answer:
    until = clock.local(notice.valid_to).strftime("%Y-%m-%d %H:%M")
    text = f"{notice.text}\n{say('notice_source', title=notice.title, until=until)}"
    day = clock.local(notice.created_at).date()
    return Answer("answered", text, "overview",
                  (Citation(f"notice:{notice.id}", "overview", notice.title, 1, day, notice.text),),
                  reason="notice")


def _guide(asked: Asked, slug: str) -> Guide | None:
    return next((each for each in asked.index.shelves[asked.preset].guides
                 if each.slug == slug and each.is_in_force(asked.today)), None)
