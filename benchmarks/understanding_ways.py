"""Our way of understanding beside Rasa's own: `python -m benchmarks.understanding_ways [ours logistic diet]`.

Each way learns the sentences of `bot/nlu` in a process of its own and is then asked the sets apart in another, so that
time, memory and start are its own. Rasa's extractors learn entities from the marks that our patterns set. One line a way.
"""
from __future__ import annotations

import asyncio
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
BOT = ROOT / "bot"
PYTHON = BOT / ".venv" / "bin" / "python"
SETS = {name: ROOT / "tests" / "data" / f"{name}.yml"
        for name in ("understanding_held_out", "understanding_fresh", "understanding_kept",
                     "understanding_second", "understanding_second_kept", "understanding_third", "understanding_third_kept",
                     "understanding_fourth", "understanding_fourth_kept")}
LONGEST_S = 1200
EPOCHS = 20
"""Of DIET, instead of Rasa's own 300, so that the comparison ends within minutes."""
_MARKED = re.compile(r"\[([^\[\]]+)\]\((\w+)\)")

_WORDS: list[dict[str, Any]] = [
    {"name": "nlu.components.tokenizer.ChineseTokenizer"},
    {"name": "LexicalSyntacticFeaturizer", "features": [["low", "prefix2"], ["low", "digit", "prefix2", "suffix2"], ["low"]]},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 3},
]
WAYS: dict[str, list[dict[str, Any]]] = {
    "ours": yaml.safe_load((BOT / "config.yml").read_text("utf-8"))["pipeline"],
    "logistic": [*_WORDS, {"name": "LogisticRegressionClassifier", "max_iter": 100}, {"name": "CRFEntityExtractor", "max_iterations": 30}],
    "diet": [*_WORDS, {"name": "nlu.components.vectors.SentenceVectors"},
             {"name": "DIETClassifier", "epochs": EPOCHS, "random_seed": 7, "constrain_similarities": True}],
}


def main() -> None:
    """Every way in turn, printed as a row of the table in docs/decisions/0006."""
    print("| way | learns | memory | ready | a message | " + " | ".join(f"{name}, accuracy / macro-F1" for name in SETS) + " | entities F1 |")
    for way in sys.argv[1:] or WAYS:
        with tempfile.TemporaryDirectory() as folder:
            taught, asked = (_run(step, way, folder) for step in ("--teach", "--ask"))
        figures = " | ".join(f"{asked[name][0]:.3f} / {asked[name][1]:.3f}" for name in SETS)
        print(f"| {way} | {taught['seconds']:.0f} s, {taught['mb']:.0f} MB | {asked['mb']:.0f} MB | {asked['ready']:.1f} s "
              f"| {asked['ms']:.1f} ms | {figures} | {asked['entities']:.3f} |", flush=True)


def _run(step: str, way: str, folder: str) -> dict[str, Any]:
    done = subprocess.run(
        [PYTHON, "-W", "ignore", Path(__file__), step, way, folder], cwd=BOT, capture_output=True, text=True, timeout=LONGEST_S)
    if done.returncode:
        raise SystemExit(f"{step} {way} failed: {done.stderr[-600:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def teach(way: str, folder: str) -> dict[str, float]:
    """Train a model; only the bot's Python can."""
    from rasa.model_training import train_nlu

    sentences = _sentences(marked=way != "ours")
    Path(folder, "nlu.yml").write_text(yaml.safe_dump({"version": "3.1", "nlu": sentences}, allow_unicode=True, width=10_000), "utf-8")
    Path(folder, "config.yml").write_text(yaml.safe_dump(
        {"recipe": "default.v1", "assistant_id": "ways", "language": "zh", "pipeline": WAYS[way], "policies": []}), "utf-8")
    began = time.perf_counter()
    train_nlu(str(Path(folder, "config.yml")), folder + "/nlu.yml", folder, fixed_model_name="way")
    return {"seconds": time.perf_counter() - began, "mb": _megabytes()}


def _sentences(marked: bool) -> list[dict[str, Any]]:
    """The training data as it stands, or with every entity marked that our own patterns find."""
    blocks = [block for file in sorted((BOT / "nlu").glob("*.yml"))
              for block in yaml.safe_load(file.read_text("utf-8")).get("nlu", [])]
    if marked:
        find = _finder(blocks)
        for block in blocks:
            if "intent" in block:
                plain = (_read_marks(line[2:])[0] for line in block["examples"].splitlines())
                block["examples"] = "".join(f"- {find(text)}\n" for text in plain)
    return blocks


def _finder(blocks: list[dict[str, Any]]) -> Any:
    from nlu.components.finding import Finder

    finder = Finder(names_of(blocks))

    def mark(text: str) -> str:
        for entity in reversed(finder.find(text)):
            text = f"{text[:entity['start']]}[{entity['value']}]({entity['entity']}){text[entity['end']:]}"
        return text

    return mark


def names_of(blocks: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The lookup tables of the training data."""
    return {block["lookup"]: [line[2:] for line in block["examples"].splitlines()] for block in blocks if "lookup" in block}


async def ask(folder: str) -> dict[str, Any]:
    """All sets, in a process that has only loaded the model."""
    began = time.perf_counter()
    from rasa.core.agent import Agent

    agent = Agent.load(folder + "/way.tar.gz")
    await agent.parse_message("你好")
    answer: dict[str, Any] = {"ready": time.perf_counter() - began}
    spent, counts = [], Counter[str]()
    for name, file in SETS.items():
        pairs = []
        for line, meant in _sayings(file):
            text, wanted = _read_marks(line)
            at = time.perf_counter()
            parsed = await agent.parse_message(text)
            spent.append(time.perf_counter() - at)
            pairs.append((meant, parsed["intent"]["name"]))
            if wanted:
                found = {(e["entity"], e["start"], e["end"]) for e in parsed["entities"]}
                counts.update(right=len(found & wanted), found=len(found), wanted=len(wanted))
        answer[name] = _score(pairs)
    answer["entities"] = 2 * counts["right"] / max(counts["found"] + counts["wanted"], 1)
    return answer | {"ms": 1000 * sorted(spent)[len(spent) // 2], "mb": _megabytes()}


def _sayings(file: Path) -> list[tuple[str, str]]:
    data = yaml.safe_load(file.read_text("utf-8"))
    parts = [data["said"], data.get("annotated", {})]
    said = [(line, intent) for part in parts for intent, lines in part.items() for line in lines]
    return said + [(item["said"], item["intent"]) for item in data.get("long", [])]


def _read_marks(line: str) -> tuple[str, set[tuple[str, int, int]]]:
    text, at, found = "", 0, set()
    for match in _MARKED.finditer(line):
        text += line[at:match.start()]
        found.add((match[2], len(text), len(text) + len(match[1])))
        text, at = text + match[1], match.end()
    return text + line[at:], found


def _score(pairs: list[tuple[str, str]]) -> tuple[float, float]:
    """Accuracy, and the mean F1 over the intents that are meant."""
    from sklearn.metrics import f1_score

    meant, understood = zip(*pairs, strict=True)
    f1 = f1_score(meant, understood, labels=sorted(set(meant)), average="macro", zero_division=0)
    return sum(a == b for a, b in pairs) / len(pairs), float(f1)


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["--teach"]:
        sys.path.insert(0, str(BOT))
        print(json.dumps(teach(*sys.argv[2:])))
    elif sys.argv[1:2] == ["--ask"]:
        sys.path.insert(0, str(BOT))
        print(json.dumps(asyncio.run(ask(sys.argv[3]))))
    else:
        main()
