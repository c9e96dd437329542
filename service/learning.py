"""Learning categories from the office's own tickets: read, learn, examine, and put in force what is better."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy.exc import IntegrityError

from core import clock, log
from core.db import Database
from core.embed import Embedder
from core.encryption import Keyring
from core.errors import Conflict
from core.known_vectors import KnownVectors
from service.weights_store import FILE, keep_file, name_with, read_file, sweep
from ticketing import examination, weights
from ticketing.examination import Question, Verdict
from ticketing.lesson import learn
from ticketing.matters import Matrix, Matters, Phrase, phrases_of, pieces, unit
from ticketing.own_tickets import Lesson, Lessons, read_lessons
from ticketing.preset import Preset
from ticketing.weights import Weights

logger = log.logger(__name__)

AT_LEAST = 40
"""Tickets: fewer say nothing about how an office sorts."""
HELD_OUT_AT_LEAST = 8
TOGETHER = 8
"""Tickets made into vectors before the learning says that it lives."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Office:
    """Whose tickets: its database, keys, categories, and where its files lie."""

    db: Database
    keys: Keyring
    preset: Preset
    folder: Path
    vectors: bool


@dataclass(frozen=True, slots=True)
class Taught:
    """What came of a learning; `version` stands in the list, `in_force` says whether tickets are sorted by it now."""

    version: int
    outcome: str
    figures: dict[str, Any]
    in_force: bool


async def teach(office: Office, by: str, now: datetime, progress: Progress = lambda done, of: None) -> Taught:
    """Learn from the office's own tickets. Conflict while another learning is under way.

    Vectors are made by an engine of its own: residents' questions do not wait for it. No transaction is open meanwhile.
    """
    turn = f"{by}:{secrets.token_hex(4)}"
    try:
        async with office.db.writing() as session:
            await weights.begin(session, office.preset.name, turn, now)
    except IntegrityError:  # Two first ones at one moment: the other one learns.
        raise Conflict(weights.BUSY) from None
    embedder = Embedder(office.vectors)
    try:
        return await _teach(office, by, turn, now, embedder, progress)
    finally:
        embedder.close()
        async with office.db.writing() as session:
            await weights.go_on(session, office.preset.name, turn, None)


async def _teach(
    office: Office, by: str, turn: str, now: datetime, embedder: Embedder, progress: Progress
) -> Taught:
    preset = office.preset
    async with office.db.reading() as session:
        lessons = await read_lessons(session, preset)
        version, _ = await weights.in_force(session, preset.name)
        last = await weights.newest(session, preset.name)
    if last is not None and last.lessons == lessons.digest:
        return Taught(last.id, "nothing_new", last.figures, last.id == version)
    figures = _count(lessons)
    if reason := _why_not(lessons):
        return await _keep(office, by, now, reason, figures, lessons, None)
    asked = await _make_vectors(office, turn, lessons.items, embedder, progress)
    fixed = [
        Question(text, code, await embedder.query(pieces(text)))
        for text, code in examination.fixed_questions(preset)
    ]
    before = await _matters_in_force(office, version, embedder)
    matters, verdict, share = await _choose(office, lessons.items, asked, fixed, before, embedder)
    figures |= {"fixed": verdict.fixed.as_json(), "held_out": verdict.held_out.as_json(), "share": share}
    outcome = "better" if verdict.is_better else "not_better"
    from ticketing import weights_file

    content = await asyncio.to_thread(weights_file.write, matters)
    return await _keep(office, by, now, outcome, figures, lessons, content, instead_of=version)


def _count(lessons: Lessons) -> dict[str, Any]:
    items = lessons.items
    return {
        "tickets": len(items), "amended": sum(item.amended for item in items),
        "categories": len({item.category for item in items}), "lost": lessons.of_lost_categories,
        "learnt_from": sum(not item.is_held_out for item in items),
    }


def _why_not(lessons: Lessons) -> str | None:
    """What these tickets are too few for, if anything."""
    held_out = sum(item.is_held_out for item in lessons.items)
    if len(lessons.items) < AT_LEAST or held_out < HELD_OUT_AT_LEAST:
        return "too_few"
    learnt = {item.category for item in lessons.items if not item.is_held_out}
    return "one_category" if len(learnt) < 2 else None


async def _make_vectors(
    office: Office, turn: str, items: Sequence[Lesson], embedder: Embedder, progress: Progress
) -> list[Question]:
    """The tickets as questions, a few at a time; each time the learning says that it lives."""
    asked: list[Question] = []
    for begins in range(0, len(items), TOGETHER):
        for item in items[begins : begins + TOGETHER]:
            asked.append(Question(item.text, item.category, await embedder.query(pieces(item.text))))
        async with office.db.writing() as session:
            if not await weights.go_on(session, office.preset.name, turn, clock.now() + weights.LEASE):
                raise Conflict("这次学习中断太久，另一次已经开始：以那一次为准。")
        progress(len(asked), len(items))
    return asked


async def _matters_in_force(office: Office, version: int, embedder: Embedder) -> Matters:
    """What tickets are sorted by now, or what is shipped where that cannot be read."""
    if version != weights.SHIPPED:
        try:
            return await read_file(office.db, office.keys, office.preset, office.folder, version)
        except Exception as error:
            logger.warning("the weights in force cannot be read: the shipped ones are compared", error=str(error))
    phrases = phrases_of(office.preset)
    return await asyncio.to_thread(learn, office.preset, phrases, await _known(office, phrases, embedder))


async def _known(office: Office, phrases: Sequence[Phrase], embedder: Embedder) -> Matrix | None:
    return await KnownVectors(embedder, office.folder / "vectors" / FILE).of([phrase.text for phrase in phrases])


async def _choose(
    office: Office, items: Sequence[Lesson], asked: Sequence[Question], fixed: Sequence[Question], before: Matters,
    embedder: Embedder,
) -> tuple[Matters, Verdict, float]:
    """The weights in which the office's tickets count most among those that do no worse on the fixed test."""
    ours = phrases_of(office.preset)
    known = await _known(office, ours, embedder)
    taught = [(item, question) for item, question in zip(items, asked, strict=True) if not item.is_held_out]
    held_out = [question for item, question in zip(items, asked, strict=True) if item.is_held_out]
    own = [Phrase(item.category, item.text, item.weight, item.resident) for item, _ in taught]
    vectors = join_vectors(known, [question for _, question in taught])
    name = name_with(office.keys)

    def learn_with(share: float) -> Matters:
        phrases = [*ours, *(replace(phrase, weight=phrase.weight * share) for phrase in own)]
        return learn(office.preset, phrases, vectors, name)

    return await asyncio.to_thread(examination.choose, learn_with, before, fixed, held_out)


def join_vectors(known: Matrix | None, questions: Sequence[Question]) -> Matrix | None:
    """Those of our phrases and, after them, one for each ticket: the middle of its two pieces."""
    own = [question.vectors.mean(axis=0) for question in questions if question.vectors is not None]
    if known is None or len(own) != len(questions):
        return None
    return np.concatenate([known, unit(np.stack(own))]) if own else known


async def _keep(
    office: Office, by: str, now: datetime, outcome: str, figures: dict[str, Any], lessons: Lessons,
    content: bytes | None, instead_of: int = weights.SHIPPED,
) -> Taught:
    """A row with the figures; what is better comes into force in the same transaction."""
    digest = hashlib.sha256(content).hexdigest() if content else None
    if content:
        await asyncio.to_thread(keep_file, office.folder, content)
    preset = office.preset.name
    async with office.db.writing() as session:
        row = Weights(preset=preset, at=now, by=by, outcome=outcome, figures=figures, lessons=lessons.digest,
                      digest=digest, content=content)
        session.add(row)
        await session.flush()
        in_force = outcome == "better" and (await weights.in_force(session, preset))[0] == instead_of
        if in_force:
            await weights.put_in_force(session, preset, row.id, by, now, instead_of)
        kept = await weights.drop_old(session, preset)
    await asyncio.to_thread(sweep, office.folder, kept)
    logger.info("categories learnt", version=row.id, outcome=outcome, in_force=in_force, tickets=figures["tickets"])
    return Taught(row.id, outcome, figures, in_force)
