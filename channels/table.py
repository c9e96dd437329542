"""What each channel can, as the table of the README: read from the channels themselves, so that it cannot be wrong."""

from collections.abc import Iterable

from channels.base import Capabilities

HEAD = ("channel", "longest message", "what residents can send", "when we may speak", "delivers", "announces", "proof",
        "a retry is no duplicate")
NOTHING = "–"


def render_table(channels: Iterable[tuple[str, Capabilities]]) -> str:
    """A Markdown table, one line a channel."""
    lines = [HEAD, tuple("---" for _ in HEAD)]
    lines += [(name, *_describe(capabilities)) for name, capabilities in channels]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _describe(can: Capabilities) -> tuple[str, ...]:
    speaks = bool(can.carries)
    return (
        _length(can) if speaks else NOTHING,
        ", ".join(can.media) or NOTHING,
        _window(can) if speaks else "never: a person does",
        ", ".join(can.carries) or NOTHING,
        ", ".join(can.announces) or NOTHING,
        can.proof,
        ("yes" if can.idempotent_send else "no") if speaks else NOTHING,
    )


def _length(can: Capabilities) -> str:
    """A step that also announces sends the link to what is longer."""
    if can.max_chars is None:
        return "no limit that matters"
    longer = "as a link" if set(can.carries) & set(can.announces) else "in parts"
    return f"{can.max_chars} characters, longer ones {longer}"


def _window(can: Capabilities) -> str:
    if not can.pushes:
        return "in answer to the resident's own message"
    hours = can.window and int(can.window.total_seconds() // 3600)
    return f"{hours} h after the resident's last message" if hours else "always"
