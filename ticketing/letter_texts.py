"""What a letter says: the shipped texts, and those a preset puts in their place."""

from functools import cache
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

LetterKind = Literal["acceptance", "decline", "supplement", "extension", "reply"]

COMMON = ("number", "title", "registered", "date", "office", "promise")
OWN: dict[str, tuple[str, ...]] = {
    "acceptance": (), "decline": ("reason", "where_to"), "supplement": ("missing",), "extension": ("reason", "due"),
    "reply": ("findings", "text"),
}
"""What a text may name besides the common places."""


class LetterText(BaseModel):
    """One kind of letter. `title` and `text` may be empty in a preset: then the shipped ones stand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    word: str = ""
    text: str = ""


class Letters(BaseModel):
    """`mark` begins every number (物服 in 物服受字〔2026〕1号); `texts` replace the shipped ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mark: str = Field("", max_length=20)
    texts: dict[LetterKind, LetterText] = {}

    @model_validator(mode="after")
    def _check_texts(self) -> "Letters":
        for kind in self.texts:
            try:
                self.text_of(kind).text.format(**dict.fromkeys((*COMMON, *OWN[kind]), ""))
            except (LookupError, ValueError, AttributeError) as error:
                places = " ".join(f"{{{name}}}" for name in (*COMMON, *OWN[kind]))
                raise ValueError(f"letters.texts.{kind}.text: {error}; a text may name {places}") from None
        return self

    def text_of(self, kind: LetterKind) -> LetterText:
        """The office's own title, word and text, each the shipped one where it has none."""
        own = self.texts.get(kind, LetterText())
        return LetterText.model_validate(_shipped()[kind] | {k: v for k, v in own.model_dump().items() if v})

    def compose(self, kind: LetterKind, **values: str) -> str:
        """The letter's paragraphs, one a line. What is filled in keeps its own lines; an empty one is left out."""
        text = self.text_of(kind).text.format(**values)
        return "\n".join(line.strip() for line in text.splitlines() if line.strip())


@cache
def _shipped() -> dict[str, dict[str, str]]:
    loaded = yaml.safe_load(Path(__file__).with_name("letters.yml").read_text("utf-8"))
    return {kind: loaded[kind] for kind in get_args(LetterKind)}
