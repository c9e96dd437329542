"""Plays dialogues over HTTP against a running assistant: `python -m tests.bot.dialogue RASA_URL FAKE_URL`."""
from __future__ import annotations

import asyncio
import sys
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import yaml

FOLDER = Path(__file__).parent.parent / "dialogues"


def load() -> list[dict[str, Any]]:
    """All dialogues: `name`, `interactive`, `turns` of `say`, `hears`, `not`, and `calls` that must have happened."""
    return [d for file in sorted(FOLDER.glob("*.yml")) for d in yaml.safe_load(file.read_text(encoding="utf-8"))]


async def play(dialogue: dict[str, Any], rasa: str, fake: str) -> list[str]:
    """Play one dialogue → what was not as it must be; empty when all is right."""
    matter = ("" if dialogue.get("interactive", True) else "oneshot-") + uuid.uuid4().hex
    wrong: list[str] = []
    async with aiohttp.ClientSession() as http:
        await http.post(f"{fake}/control", json={"fail": dialogue.get("fail", False)})
        for n, turn in enumerate(dialogue["turns"]):
            metadata = {"matter": matter, "message": f"{matter}-{n}", "channel": "webchat",
                        "received_at": "2026-11-26T10:00:00+08:00"}
            async with http.post(f"{rasa}/webhooks/rest/webhook", json={
                    "sender": matter, "message": turn["say"], "metadata": metadata}) as response:
                replies = await response.json()
            heard = "\n".join(reply.get("text", "") for reply in replies)
            if not heard:
                wrong.append(f"{turn['say']}: nothing was said")
            wrong += [f"{turn['say']}: heard {heard!r}, not {w!r}" for w in turn.get("hears", []) if w not in heard]
            wrong += [f"{turn['say']}: heard {w!r}" for w in turn.get("not", []) if w in heard]
        async with http.get(f"{fake}/calls", params={"matter": matter}) as response:
            calls = [c for c in await response.json() if c["method"] == "POST"]
        await http.post(f"{fake}/control", json={"fail": False})
    return wrong + _missing_calls(dialogue.get("calls", []), calls)


def _missing_calls(expected: list[dict[str, Any]], calls: list[dict[str, Any]]) -> list[str]:
    wrong = []
    for want in expected:
        same = [c for c in calls if c["path"].endswith(want["path"])]
        if len(same) != want.get("times", 1):
            wrong.append(f"POST {want['path']}: {len(same)} times")
        for key, value in (want.get("body") or {}).items() if same else ():
            if same[-1]["body"].get(key) != value:
                wrong.append(f"POST {want['path']}: {key} is {same[-1]['body'].get(key)!r}, not {value!r}")
    return wrong


async def main(rasa: str, fake: str) -> int:
    """Play all; print what is wrong; the number of dialogues that failed."""
    failed = 0
    for dialogue in load():
        wrong = await play(dialogue, rasa, fake)
        failed += bool(wrong)
        print("✗" if wrong else "✓", dialogue["name"], *wrong, sep="\n    " if wrong else " ")
    print(f"{failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(bool(asyncio.run(main(*sys.argv[1:3]))))
