"""The sentences of texts.yml."""

from pathlib import Path

from core.sentences import speak_from

say = speak_from(Path(__file__).with_name("texts.yml"))
