"""Yes, no and 不对: how a caller takes what the agent read back to him, or corrects himself."""

import re

_YES = re.compile(r"^[嗯啊哦呃，,。\s]*(?:对+|是+的?|没错|正确|好的?|嗯+|可以|就是|哎|中|得|行|系|要得|是啊|对头)(?:[的啊呀了嘛哈，,。\s对是没错嗯好]|$)")
_NO = re.compile(r"不对|不是|错了|搞错|说错|听错|记错|写错|讲错|应该是|改成|哦?不[，,]")


def correction_at(text: str) -> int:
    """Where the taking back begins, -1 where nothing is taken back: what stands behind it is meant."""
    match = _NO.search(text) if corrects(text) else None
    return match.start() if match else -1


def says_yes(text: str) -> bool:
    """对, 是的, 嗯: he takes it as it was said."""
    return bool(_YES.match(text.strip())) and not corrects(text)


def corrects(text: str) -> bool:
    """不对，是6栋: what was said before is replaced."""
    return bool(_NO.search(re.sub(r"是不是|对不对|不是(?:我)?(?:说|不)|又不是|要不是|不是吗", "", text)))
