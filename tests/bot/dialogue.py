"""Plays dialogues over HTTP against a running assistant: `python -m tests.bot.dialogue RASA_URL FAKE_URL [WORD]`."""
from __future__ import annotations

import asyncio
import sys
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "dialogues"
NOW = "2026-11-26T10:00:00+08:00"
"""A Thursday morning."""
OFFICES = ("closed", "noslots", "taken")


def load() -> list[dict[str, Any]]:
    """All dialogues.

    `turns` of `say`, `hears`, `not`, `at` (when it is said), `again` (the message before is read a second time, as after a crash) and `then` (what the office does afterwards: `state` of
    the tickets, what they lack (`missing`), what was `settled`); `calls` that must have happened; `questions`: how many must be asked; `path`:
    which of the paths of the file's head it covers; `interactive`, `channel`, `office` (one of OFFICES), `fail`.
    """
    return [d | {"file": file.stem} for file in sorted(FOLDER.glob("*.yml"))
            for d in yaml.safe_load(file.read_text(encoding="utf-8"))]


def asking() -> list[str]:
    """The sentences with which the forms ask for one thing."""
    domain = yaml.safe_load((ROOT / "bot" / "domain.yml").read_text(encoding="utf-8"))
    return [texts[0]["text"].split("{")[0] for name, texts in domain["responses"].items() if name.startswith("utter_ask_")]


async def play(dialogue: dict[str, Any], rasa: str, fake: str) -> list[str]:
    """Play one dialogue → what was not as it must be; empty when all is right.

    As in the service, what is said after a ticket was registered is a matter, and a Rasa conversation, of its own.
    """
    resident = ("" if dialogue.get("interactive", True) else "oneshot-") + (
        f"{dialogue['office']}-" if dialogue.get("office") else "") + uuid.uuid4().hex
    wrong: list[str] = []
    questions = ordinal = 0
    sentences = [text for text in asking() if len(text) > 3]
    async with aiohttp.ClientSession() as http:
        await http.post(f"{fake}/control", json={"fail": dialogue.get("fail", False)})
        for n, turn in enumerate(dialogue["turns"]):
            calls = await _calls(http, fake, resident)
            matter = f"{resident}.{sum(c['path'] in ('/tickets', '/alarms') for c in calls)}"
            ordinal = ordinal if turn.get("again") else n
            metadata = {"matter": matter, "message": f"{resident}-{ordinal}", "channel": dialogue.get("channel", "webchat"),
                        "received_at": turn.get("at", NOW)}
            await http.post(f"{fake}/control", json={"at": metadata["received_at"]})
            async with http.post(f"{rasa}/webhooks/rest/webhook", json={
                    "sender": matter, "message": turn["say"], "metadata": metadata}) as response:
                replies = await response.json()
            heard = "\n".join(reply.get("text", "") for reply in replies)
            questions += any(text in heard for text in sentences)
            if not heard:
                wrong.append(f"{turn['say']}: nothing was said")
            wrong += [f"{turn['say']}: heard {heard!r}, not {w!r}" for w in turn.get("hears", []) if w not in heard]
            wrong += [f"{turn['say']}: heard {w!r} in {heard!r}" for w in turn.get("not", []) if w in heard]
            if "first" in turn and turn["first"] not in heard.splitlines()[0]:
                wrong.append(f"{turn['say']}: the first line is {heard.splitlines()[0]!r}")
            if "then" in turn:
                await http.post(f"{fake}/control", json={"resident": resident, **turn["then"]})
        calls = await _calls(http, fake, resident)
        await http.post(f"{fake}/control", json={"fail": False})
    if questions > dialogue.get("questions", questions) + 1:
        wrong.append(f"{questions} questions, {dialogue['questions']} needed")
    return wrong + _missing_calls(dialogue.get("calls", []), calls)


async def _calls(http: aiohttp.ClientSession, fake: str, resident: str) -> list[dict[str, Any]]:
    async with http.get(f"{fake}/calls", params={"resident": resident}) as response:
        return [c for c in await response.json() if c["method"] == "POST"]


def _missing_calls(expected: list[dict[str, Any]], calls: list[dict[str, Any]]) -> list[str]:
    wrong = []
    for want in expected:
        same = [c for c in calls if c["path"].endswith(want["path"])]
        if len(same) != want.get("times", 1):
            wrong.append(f"POST {want['path']}: {len(same)} times")
        if "keys" in want and len({c["key"] for c in same}) != want["keys"]:
            wrong.append(f"POST {want['path']}: keys {[c['key'] for c in same]}")
        for key, value in (want.get("body") or {}).items() if same else ():
            said = same[-1]["body"].get(key)
            right = value["has"] in str(said) if isinstance(value, dict) and "has" in value else said == value
            if not right:
                wrong.append(f"POST {want['path']}: {key} is {said!r}, not {value!r}")
        wrong += [f"POST {want['path']}: has {key}" for key in want.get("without", []) if any(key in c["body"] for c in same)]
    return wrong


async def main(rasa: str, fake: str, word: str = "") -> int:
    """Play all (or those with the word in their name); print what is wrong and the share that is right."""
    dialogues = [d for d in load() if word in d["name"]]
    failed = 0
    for dialogue in dialogues:
        wrong = await play(dialogue, rasa, fake)
        failed += bool(wrong)
        print("✗" if wrong else "✓", dialogue["name"], *wrong, sep="\n    " if wrong else " ")
    print(f"{len(dialogues) - failed} of {len(dialogues)} right: {(len(dialogues) - failed) / max(len(dialogues), 1):.1%}")
    return failed


if __name__ == "__main__":
    sys.exit(bool(asyncio.run(main(*sys.argv[1:4]))))
