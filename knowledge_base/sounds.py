"""How a text sounds: syllables in pairs, so that 居主证 finds 居住证."""

from itertools import pairwise

from core.segment import fold


def syllables(text: str) -> list[str]:
    """Pairs of neighbouring syllables, tones left out; nothing for Latin words and numbers."""
    from pypinyin import Style, lazy_pinyin

    spoken = lazy_pinyin(fold(text), style=Style.NORMAL, errors="ignore", v_to_u=False)
    spoken = [_as_heard(each) for each in spoken]
    return [f"{one}-{two}" for one, two in pairwise(spoken)]


def _as_heard(syllable: str) -> str:
    """zh, ch, sh and -ng are often written as they are heard in the south: z, c, s and -n."""
    for written, heard in (("zh", "z"), ("ch", "c"), ("sh", "s")):
        if syllable.startswith(written):
            syllable = heard + syllable[2:]
    return syllable[:-1] if syllable.endswith(("ing", "eng")) else syllable
