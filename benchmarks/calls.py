"""What is understood of a call: the labelled calls through the telephone's door of the running service, element by element.

`python -m benchmarks.calls [-v]`; `-v` prints what went wrong in the seen set. The held-out set is never looked into.
"""

import asyncio
import json
import sys
import time
from typing import Any

from benchmarks.call_sets import NAMES, SETS, Score, body_of, judge, load, table
from benchmarks.running import Service, run_service

__all__ = ["NAMES", "main", "measure", "table"]

PHONE, CLERK = "token-of-the-telephone", "token-of-the-clerk"
PRESETS = ("property", "hall", "hospital")
LONGEST_S = 60
"""So long a call may take to its tickets, the work of all the others before it included."""


def environ() -> dict[str, str]:
    """A telephone, and a clerk who may read everything but reports, and an inspector who may read those."""
    bench = {"token": CLERK, "role": ["clerk", "supervisor", "inspector"]}
    return {"HUIYIN__PHONE__TOKEN": PHONE, "HUIYIN__API__TOKENS__BENCH": json.dumps(bench)}


async def measure() -> tuple[list[tuple[str, Score]], float]:
    """The score of each set, and the seconds from a call to its ticket at the median, one call after another."""
    scores = {name: Score() for name in SETS}
    seconds: list[float] = []
    for preset in PRESETS:
        async with run_service(environ(), preset) as service:
            await service.wait_ready()
            for name in SETS:
                for call in load(name):
                    if call["preset"] == preset:
                        begun = time.monotonic()
                        judge(call, await _bring(service, call), scores[name])
                        seconds.append(time.monotonic() - begun)
    return list(scores.items()), sorted(seconds)[len(seconds) // 2]


async def _bring(service: Service, call: dict[str, Any]) -> list[dict[str, Any]]:
    """The tickets of a call, in the order of its matters. They are all there at once: one transaction makes them."""
    headers = {"Authorization": f"Bearer {PHONE}"}
    async with service.http.post(service.url + "/channels/phone/calls", json=body_of(call), headers=headers) as response:
        assert response.status == 202, await response.text()
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        params = {"call_id": call["id"]}
        async with service.http.get(service.url + "/api/v1/tickets", params=params, headers={"Authorization": f"Bearer {CLERK}"}) as response:
            items: list[dict[str, Any]] = (await response.json())["items"]
        if items:
            return items[::-1]
        await asyncio.sleep(0.05)
    return []


async def main() -> None:
    """Print the table."""
    scores, seconds = await measure()
    print(table(scores))
    print(f"from a call to its tickets: {seconds:.2f} s at the median")
    if "-v" in sys.argv:
        print("\n".join(dict(scores)["seen"].wrong))


if __name__ == "__main__":
    asyncio.run(main())
