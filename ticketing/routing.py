"""Category of a new ticket by the preset's names, descriptions and keywords, when nobody gave one."""

from core.segment import terms
from ticketing.preset import Category, Preset

KEYWORD_WEIGHT, NAME_WEIGHT, DESCRIPTION_WEIGHT, KIND_WEIGHT = 3.0, 2.0, 0.5, 1.0
LEAST_SCORE = 2.0


def suggest_category(preset: Preset, kind: str, text: str) -> str | None:
    """The code of the category whose words are found in the text; None when none is near enough."""
    words = frozenset(term for term in terms(text) if len(term) > 1)
    scored = [(_score(category, kind, text, words), category.code) for category in preset.categories]
    best = max(scored, default=(0.0, ""))
    return best[1] if best[0] >= LEAST_SCORE else None


def _score(category: Category, kind: str, text: str, words: frozenset[str]) -> float:
    score = KEYWORD_WEIGHT * sum(keyword in text for keyword in category.keywords)
    score += NAME_WEIGHT * (category.name in text)
    described = {term for term in terms(category.description) if len(term) > 1}
    score += DESCRIPTION_WEIGHT * len(words & described)
    # A lift that fails is a repair to one and a complaint to another: the usual kind only tips the scale.
    return score + (KIND_WEIGHT if score and category.kind in (None, kind) else 0.0)
