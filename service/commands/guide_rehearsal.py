"""huiyin guides rehearse: the nightly inspection by hand, of the published guides or of documents before their import."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core import clock
from core.errors import Invalid
from service import rehearsals, schema
from service.commands.common import opened, print_list, read_settings
from service.settings import Settings

if TYPE_CHECKING:
    from knowledge_base.index import Index
    from knowledge_base.rehearsal import Outcome

BY = "cli"


async def rehearse_guides(paths: list[Path], preset: str | None, as_json: bool) -> None:
    """A list of failures; the outcome of a rehearsal of the published guides is kept, that of documents is not."""
    from knowledge_base.index import Index

    settings = read_settings()
    wanted = preset or settings.office.preset
    index = Index(settings.understanding.vectors, settings.data_dir / "vectors")
    try:
        outcome = await (_of_documents(index, paths, wanted) if paths else _of_the_office(index, wanted, settings))
    finally:
        index.close()
    told = [failure.as_json() for failure in outcome.failures]
    if as_json:
        print_list(told, True)
    else:
        for each in told:
            question = f"（问：{each['question']}）" if each["question"] else ""
            print(f"{each['guide']} · {each['kind']} · {each['field']}：{each['text']}{question} → {each['owner']}")
        print(f"检查 {outcome.guides} 篇指南，提问 {outcome.questions} 次，发现 {len(told)} 处问题")
    if told:
        raise SystemExit(1)


async def _of_the_office(index: "Index", preset: str, settings: Settings) -> "Outcome":
    from service.office import make_office
    from service.opening import make_opening

    async def nobody(*_: object) -> None:
        """Nothing is said to residents here."""

    now = clock.now()
    await schema.migrate(settings)
    async with opened() as db:
        await index.refresh(db)
        opening = make_opening(make_office(settings, nobody))
        outcome = await rehearsals.rehearse(db, index, preset, now, opening)
        async with db.writing() as session:
            rehearsals.keep(session, outcome, preset, BY, now)
    return outcome


async def _of_documents(index: "Index", paths: list[Path], preset: str) -> "Outcome":
    from knowledge_base.documents import Refused, read_documents
    from knowledge_base.rehearsal import rehearse

    found = [each for path in paths for each in read_documents(path, preset)]
    for each in found:
        if isinstance(each, Refused):
            print(f"未检查  {each.reason}", file=sys.stderr)
    guides = [each.guide for each in found if not isinstance(each, Refused) and each.guide.preset == preset]
    if not guides:
        raise Invalid(f"没有 {preset} 的指南可以检查：用 --preset 换一个")
    await index.load(guides)
    return await rehearse(index, guides, clock.now())
