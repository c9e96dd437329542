"""What the assistant understands by form alone, without its server: times, places and danger by its own rules."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "bot"))

from nlu.components import patterns, signs
from nlu.components.normal import fold
from nlu.components.places import find_places
from nlu.components.times import find_times
from nlu.components.words import Words


def read(text: str, at: datetime) -> dict[str, Any]:
    """A parse with the entities that have a form, and the intent report_emergency where there is danger."""
    plain = fold(text)
    found = [{"entity": "phone", "start": match.start("it"), "end": match.end("it")}
             for name, pattern in patterns.EXACT if name == "phone" for match in pattern.finditer(plain)]
    found += [{"entity": "time", "start": time.start, "end": time.end, "from": time.begins.isoformat(),
               "coming": time.relative_to_future} for time in find_times(text, at)]
    found += [{"entity": name, "start": match.start("it"), "end": match.end("it")}
              for name, pattern in patterns.BROAD if name == "department" for match in pattern.finditer(plain)]
    found += [{"entity": "place", "start": start, "end": end} for start, end in find_places(plain, Words(plain))]
    kept: list[dict[str, Any]] = []
    for entity in found:
        if all(entity["end"] <= other["start"] or entity["start"] >= other["end"] for other in kept):
            kept.append(entity | {"value": text[entity["start"] : entity["end"]]})
    intent = {"name": "report_emergency", "confidence": 1.0} if signs.see_danger(text) else {}
    return {"intent": intent, "entities": sorted(kept, key=lambda item: item["start"])}
