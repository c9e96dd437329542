"""Sentences to residents: each is used, and each that is used is there."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("room", ["service", "ticketing"])
def test_every_sentence_is_said_somewhere_and_none_is_missing(room):
    sentences = set(yaml.safe_load((ROOT / room / "texts.yml").read_text("utf-8")))
    code = "".join(path.read_text("utf-8") for path in (ROOT / room).rglob("*.py"))
    said = set(re.findall(r'(?:say|tell)\(\s*"(\w+)"', code))
    assert said <= sentences
    assert {name for name in sentences if f'"{name}"' not in code} == set()
