"""What residents and staff do in many acceptance tests: complain until there is a number, work a ticket, close it."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from tests.acceptance.running import Running

NUMBER = re.compile(r"HY\d{8}-\d{5,}")
ANSWERS = {"位置": "6栋1单元", "什么时候": "昨天晚上", "电话": "13800001234", "具体": "垃圾三天没人清运"}
"""What a resident says to each question, by a word of the question."""
MOST_QUESTIONS = 6


async def complain(say: Callable[[str], Awaitable[str]], text: str, phone: str = ANSWERS["电话"]) -> str:
    """Complain, answer whatever is asked, one thing at a time; gives the ticket's number."""
    said = await say(text)
    for _ in range(MOST_QUESTIONS):
        if found := NUMBER.search(said):
            return found[0]
        answers = [answer for word, answer in {**ANSWERS, "电话": phone}.items() if word in said]
        said = await say(answers[-1] if answers else "没有别的了")
    raise AssertionError(f"no number after {MOST_QUESTIONS} answers: {said}")


async def submit(running: Running, number: str, category: str, reply: str) -> dict[str, Any]:
    """The clerk accepts and assigns, the officer submits; gives the ticket as it then is."""
    categories = {item["code"]: item for item in await running.items("/categories")}
    await running.verb("clerk", number, "amend", {"category": category})
    await running.verb("clerk", number, "accept")
    await running.verb("clerk", number, "assign", {"department": categories[category]["department"]})
    body = {"findings": "upheld", "action_taken": "已派人处理", "reply": reply}
    return await running.verb("officer", number, "submit", body)


async def close(running: Running, number: str) -> dict[str, Any]:
    """Wait for the delivery and close; gives the closed ticket."""

    async def is_replied() -> bool:
        _, ticket = await running.api("officer", "GET", f"/tickets/{number}")
        return bool(ticket["state"] == "replied")

    await running.until(is_replied)
    return await running.verb("officer", number, "close")


async def try_to_close(running: Running, number: str) -> int:
    """The status an officer gets who closes too early."""
    status, _ = await running.api("officer", "POST", f"/tickets/{number}/close", {})
    return status
