"""Names older than estates, by what they end with: 柿子沟, 枫香坡, 海棠里. The lists stand in places.yml."""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from nlu.components.words import Word

LISTS: dict[str, str] = yaml.safe_load((Path(__file__).parent / "places.yml").read_text("utf-8"))
KINDS = frozenset(LISTS["natural"] + "里")
COMMON = frozenset(LISTS["common"].split())
INSTITUTIONS = frozenset(LISTS["institutions"].split())
"""What is named by its age alone: 老粮站, but no 老小区."""
_ENDING = re.compile(rf"[{LISTS['natural']}]|里(?![面头边])")
_IN_LI = frozenset(LISTS["before_li"].replace(" ", ""))
_NOT_IN_LI = tuple(LISTS["not_names_in_li"].split())
_COUNTED = re.compile(
    r"[村屯庄寨](?=[一二两三四五六七八九十几\d]+[多几]?[户家口])|弄(?=\d{1,4}号)|[巷街](?=里)|路(?=[上边旁])|村(?=村(?:民|主任|支书|委|长|干部))")
"""Where the segmenter takes the ending for the beginning of the next word: 沙坝子村|二十几户."""
_ROADS = frozenset("学路 马路 公路 半路 一路 大路 小路 土路 老路 回路 去路 来路 班路 赶路 走路 条路 段路 的路 修路 铁路 水路 网路 电路 有路 让路".split())
_HOUSE = re.compile(r"\s?(?:[甲乙丙丁a-z]?\d{1,4}\s?(?:号|栋|幢|座|弄|#|-\d)|[一二三四五六七八九十]{1,3}(?:号|栋|幢|座|弄|组|队)|车库|地库)")
_BLOCK = re.compile(r"\d{1,3}\s?(?:号楼|栋|幢)|\d{1,2}-\d")
"""清河湾7号楼: an estate, though a bend of a river is an ordinary word."""
_INSIDE = frozenset(LISTS["natural"] + "铺")
_OLD_LANE = re.compile(r"(?:^|[\W_]|[在住到去是])[\u4e00-\u9fff]{2}$")
_MILES = re.compile("[一二三四五六七八九十]+里")
_NAMES_NOTHING = re.compile(r"[我你他她它们在是的了住到去从就这那有与跟把被让给对为不也都还要会能想请问您边说看过叫吗呢吧啊往向由并将等及以因个\W\d_a-z]")


def find_endings(plain: str) -> Iterator[tuple[int, str]]:
    """(end, kind) of every such ending that makes no ordinary word with the character before it."""
    for match in _ENDING.finditer(plain):
        if plain[max(match.start() - 1, 0):match.end()] not in COMMON or _BLOCK.match(plain, match.end()):
            yield match.end(), match[0]


def find_counted(plain: str) -> Iterator[tuple[int, str]]:
    """(end, kind) of villages and lanes that the segmenter cuts wrongly."""
    return ((match.end(), match[0]) for match in _COUNTED.finditer(plain) if plain[match.start() - 1:match.end()] not in _ROADS)


def has_house(plain: str, end: int) -> bool:
    """Whether a number of a house follows."""
    return bool(_HOUSE.match(plain, end))


def is_inside(part: str, word: Word, before: str | None) -> bool:
    """Whether it belongs to a longer name whatever the segmenter says: 三里|铺|菜市场; `before` where the ending follows it."""
    if part in _INSIDE and (word.text == part if before is None else before[-1:] >= "\u4e00"):
        return True
    return word.tag[0] == "m" and bool(_MILES.fullmatch(part))


def complete(plain: str, start: int, stem: str, kind: str) -> tuple[int, str]:
    """Beginning and stem with what was taken for a verb or a conjunction: 环|湖东路, 和|安里."""
    before = plain[max(start - 2, 0):start]
    around = kind == "路" and before[-1:] in ("环", "滨") and stem[:1] in tuple("湖城山江河海")
    if stem[:1] == "里" and _OLD_LANE.search(plain[max(start - 3, 0):start]):
        return start - 2, before + stem  # 丰收|里小区.
    peace = kind == "里" and len(stem) == 1 and re.fullmatch(r"\W?和", before)
    return (start - 1, before[-1] + stem) if around or peace else (start, stem)


def is_name(plain: str, start: int, end: int) -> bool:
    """Whether it can be a name: long enough, no ordinary word, and in 里 only what lanes are called after."""
    stem, kind = plain[start:end - 1], plain[end - 1]
    if len(stem) < 2 or _NAMES_NOTHING.search(stem.removeprefix("和")) or (plain[end - 2:end] in COMMON and not (len(stem) > 1 and _BLOCK.match(plain, end))):
        return False
    return kind != "里" or has_house(plain, end) or (stem[-1] in _IN_LI and not plain[start:end].endswith(_NOT_IN_LI))
