"""Chinese words as Rasa tokens, and the moment at which a sentence was said."""
from __future__ import annotations

import re
from typing import Any

import rjieba
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

MOMENT_MARK = "\u241e"
"""`text␞2026-11-23T09:00:00+08:00`: `/model/parse` has no field for the moment, so it may follow the text."""

_WHOLE = re.compile(r"<[A-Z]+_\d+>|[A-Za-z]{2}\d{8}-?\d{5,}")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class ChineseTokenizer(Tokenizer):
    """Words by rjieba; personal-data tokens such as `<PHONE_1>` and ticket numbers stay whole."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The options that Rasa's own tokenizers have, too."""
        return {"intent_tokenization_flag": False, "intent_split_symbol": "_", "token_pattern": None}

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource,
        execution_context: ExecutionContext,
    ) -> ChineseTokenizer:
        """Make the component; it keeps nothing."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Take the moment off the text, then make tokens."""
        for message in messages:
            _take_moment(message)
        return super().process(messages)

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """Words with their offsets; spaces are no tokens."""
        text = message.get(attribute)
        tokens: list[Token] = []
        for piece, start in _pieces(text):
            words = [piece] if _WHOLE.fullmatch(piece) else rjieba.cut(piece)
            at = start
            for word in words:
                if word.strip():
                    tokens.append(Token(word, at))
                at += len(word)
        return tokens or [Token(text or " ", 0)]


def _pieces(text: str) -> list[tuple[str, int]]:
    pieces, at = [], 0
    for match in _WHOLE.finditer(text):
        pieces += [(text[at:match.start()], at), (match[0], match.start())]
        at = match.end()
    pieces.append((text[at:], at))
    return [(piece, start) for piece, start in pieces if piece]


def _take_moment(message: Message) -> None:
    text = message.get(TEXT) or ""
    if MOMENT_MARK in text:
        said, _, moment = text.rpartition(MOMENT_MARK)
        message.set(TEXT, said)
        message.set("moment", moment.strip())
        message.set("asked_alone", True)   # Only `/model/parse` is asked so: no conversation keeps what is told then.
        return
    metadata = message.get("metadata") or {}
    if metadata.get("received_at"):
        message.set("moment", metadata["received_at"])
