"""What residents say when they mean a guide, and what no guide of an office answers (phrases.yml, elsewhere.yml)."""

from functools import lru_cache
from pathlib import Path

import yaml

from knowledge_base.asking import foreign_words

HERE = Path(__file__).parent
NOBODY = "nobody"


def phrases_of(preset: str, slug: str) -> list[str]:
    """The phrases that lead to this guide; none for a guide an office wrote itself."""
    return _table().get(preset, {}).get(slug, [])


def foreign_phrases(preset: str) -> list[str]:
    """What lies outside this preset: other presets' matters, other offices', what nobody answers."""
    own = {phrase for many in _table().get(preset, {}).values() for phrase in many}
    told = [phrase for other, guides in _table().items() if other not in (preset, NOBODY)
            for many in guides.values() for phrase in many]
    told += [phrase for kind, many in _table()[NOBODY].items() for phrase in many
             if kind != "opinion" or preset == "hospital"]
    return [phrase for phrase in dict.fromkeys([*told, *foreign_words(preset)]) if phrase not in own]


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, list[str]]]:
    table: dict[str, dict[str, list[str]]] = yaml.safe_load((HERE / "phrases.yml").read_text("utf-8"))
    return table
