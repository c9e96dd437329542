"""Personal data in text: find it, mask it for the log, replace it by tokens, put it back.

Found are mainland phone numbers (mobile and fixed), resident identity numbers, bank cards and e-mail
addresses, also when digits are full width, grouped by spaces or hyphens, or written as they are spoken (幺三八).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_SEP = r"[ \-‐–—]?"
_EDGE_BEFORE, _EDGE_AFTER = r"(?<![0-9A-Za-z])", r"(?![0-9])"
_WIDE = str.maketrans("０１２３４５６７８９ＸｘＡ＠．－＋　", "0123456789XxA@.-+ ")
_NUMERALS = "零〇洞一幺二两三四五六七拐八九"
_SPOKEN = str.maketrans(_NUMERALS, "000112234567789")
_PAUSE = re.compile(rf"(?<=[{_NUMERALS}])[，,、](?=[{_NUMERALS}])")
"""Between spoken digits; between written ones it parts sums: 1500，2000."""

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"


@dataclass(frozen=True, slots=True)
class Found:
    """A piece of personal data: its kind (PHONE·ID·CARD·EMAIL) and its place in the text."""

    kind: str
    start: int
    end: int
    value: str


def _is_id_number(digits: str) -> bool:
    """GB 11643 check digit and a possible date of birth."""
    total = sum(int(d) * w for d, w in zip(digits[:17], _ID_WEIGHTS, strict=True))
    month, day = int(digits[10:12]), int(digits[12:14])
    return _ID_CHECK[total % 11] == digits[17].upper() and 1 <= month <= 12 and 1 <= day <= 31


def _looks_like_id_number(digits: str) -> bool:
    """An identity number with a wrong last digit is still one that somebody meant to write."""
    return digits[6:8] in ("18", "19", "20") and 1 <= int(digits[10:12]) <= 12 and 1 <= int(digits[12:14]) <= 31


def _is_card(digits: str) -> bool:
    """Luhn check of a card number, or a UnionPay prefix."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        number = int(char) * (2 if place % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0 or digits.startswith("62")


def _any(_: str) -> bool:
    return True


_RULES: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    (
        "EMAIL",
        re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}"),
        _any,
    ),
    (
        "ID",
        re.compile(rf"{_EDGE_BEFORE}[1-9](?:{_SEP}\d){{16}}{_SEP}[\dXx](?![0-9A-Za-z])"),
        _looks_like_id_number,
    ),
    ("CARD", re.compile(rf"{_EDGE_BEFORE}[3-6](?:{_SEP}\d){{14,18}}{_EDGE_AFTER}"), _is_card),
    ("PHONE", re.compile(rf"(?<![0-9A-Za-z])(?:\+?86{_SEP})?1[3-9]\d(?:{_SEP}\d){{8}}{_EDGE_AFTER}"), _any),
    (
        "PHONE",
        re.compile(rf"(?<![0-9A-Za-z\-])0\d{{2,3}}{_SEP}[2-9]\d{{2,3}}{_SEP}\d{{4}}{_EDGE_AFTER}"),
        _any,
    ),
)
_TOKEN = re.compile(r"<(PHONE|ID|CARD|EMAIL)_(\d+)>")


def find(text: str) -> list[Found]:
    """Every piece of personal data in the text, in order, none overlapping."""
    plain = text.translate(_WIDE)
    found: list[Found] = []
    # What is written in digits comes first, so that a numeral beside it does not hide it.
    for written in (plain, _PAUSE.sub("-", plain).translate(_SPOKEN)):
        for kind, pattern, is_one in _RULES:
            for match in pattern.finditer(written):
                if kind != "EMAIL" and not is_one(re.sub(r"[^0-9Xx]", "", match.group())):
                    continue
                if any(match.start() < other.end and other.start < match.end() for other in found):
                    continue
                found.append(Found(kind, match.start(), match.end(), text[match.start() : match.end()]))
    return sorted(found, key=lambda item: item.start)


def mask(text: str) -> str:
    """The text as it may stand in a log: 138****1234, a***@example.org, 33***********1234."""
    return _replace(text, find(text), _masked)


def _masked(item: Found) -> str:
    if item.kind == "EMAIL":
        name, _, host = item.value.partition("@")
        return f"{name[:1]}***@{host}"
    value = _normal(item)
    keep = 3 if item.kind == "PHONE" else 2
    return value[:keep] + "*" * max(len(value) - keep - 4, 4) + value[-4:]


def mask_name(name: str) -> str:
    """王某: the surname is enough to speak to somebody."""
    return name[:1] + "某" if name else name


def tokenise(
    text: str, known: Mapping[str, str], digest: Callable[[str], str], *, only_known: bool = False
) -> tuple[str, dict[str, str]]:
    """Replace personal data by tokens such as `<PHONE_1>`.

    `known` maps the digest of a value to its token; the same value keeps its token. Returns the text and
    the new tokens with their values. A token that the resident typed himself is made harmless first.
    `only_known`: what the office says; its own telephone number is nobody's personal data.
    """
    text = _TOKEN.sub(lambda match: f"‹{match.group(1)}_{match.group(2)}›", text)
    tokens = dict(known)
    counts = _highest(tokens.values())
    new: dict[str, str] = {}

    def token_for(item: Found) -> str:
        key = digest(_normal(item))
        if key not in tokens and only_known:
            return item.value
        if key not in tokens:
            counts[item.kind] = counts.get(item.kind, 0) + 1
            tokens[key] = f"<{item.kind}_{counts[item.kind]}>"
            new[tokens[key]] = _normal(item)
        return tokens[key]

    return _replace(text, find(text), token_for), new


def _highest(tokens: object) -> dict[str, int]:
    counts: dict[str, int] = {}
    for token in tokens:  # type: ignore[attr-defined]
        match = _TOKEN.fullmatch(token)
        if match:
            counts[match.group(1)] = max(counts.get(match.group(1), 0), int(match.group(2)))
    return counts


def _normal(item: Found) -> str:
    """The value as it is stored: half width, in digits, without separators."""
    value = item.value.translate(_WIDE)
    return value if item.kind == "EMAIL" else re.sub(r"[ \-‐–—，,、]", "", value.translate(_SPOKEN))


def has_token(text: str) -> bool:
    return _TOKEN.search(text) is not None


def resolve(text: str, values: Mapping[str, str]) -> str:
    """Put the values back; a token without a value stays."""
    return _TOKEN.sub(lambda match: values.get(match.group(), match.group()), text)


def _replace(text: str, items: list[Found], write: Callable[[Found], str]) -> str:
    parts, at = [], 0
    for item in items:
        parts += [text[at : item.start], write(item)]
        at = item.end
    return "".join([*parts, text[at:]])
