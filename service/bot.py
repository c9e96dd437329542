"""The Rasa project as a neighbour: is its model up to date, how is it trained, how are its processes started."""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from core.errors import Misconfigured
from service.children import Child, free_port, run_to_end
from service.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
BOT = ROOT / "bot"
PYTHON = BOT / ".venv" / "bin" / "python"
MODELS = BOT / "models"
TRAINED_FROM = ("config.yml", "domain.yml", "nlu/**/*", "requirements.txt")
MODELS_KEPT = 3


def digest_of_training() -> str:
    """A digest of everything the model is trained from."""
    files = sorted({path for pattern in TRAINED_FROM for path in BOT.glob(pattern) if _counts(path)})
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path.relative_to(BOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _counts(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def model_path(vectors: bool) -> Path:
    """Where the model for today's training data is, or will be."""
    return MODELS / f"{digest_of_training()}{'' if vectors else '-plain'}.tar.gz"


async def train(vectors: bool) -> Path:
    """Train the assistant if its training data changed. Raises Misconfigured when that fails.

    Cancelled, it ends the training: a service that is told to stop does not wait for it.
    """
    path = model_path(vectors)
    if path.exists():
        return path
    if not PYTHON.exists():
        raise Misconfigured("the assistant's environment is missing: run `make setup`")
    command = [str(PYTHON), "-W", "ignore", "-m", "rasa", "train", "--quiet", "--data", "nlu", "--out", "models",
               "--fixed-model-name", path.name.removesuffix(".tar.gz")]
    code, said = await run_to_end(command, BOT, _environ(vectors))
    if code or not path.exists():
        raise Misconfigured(f"the assistant could not be trained: {' · '.join(said.strip().splitlines()[-3:])}")
    _drop_old_models(path)
    return path


def _drop_old_models(newest: Path) -> None:
    models = sorted(MODELS.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in models[MODELS_KEPT:]:
        if path != newest:
            path.unlink(missing_ok=True)


def _environ(vectors: bool) -> dict[str, str]:
    """What both of Rasa's processes get: our own settings and their secrets are not theirs to see."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("HUIYIN")}
    return ours | {
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "PYTHONUNBUFFERED": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "SANIC_HOST": "127.0.0.1",
        "HUIYIN_VECTORS": "true" if vectors else "false",
    }


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Rasa and its action server, ready to be started, and how to speak to Rasa."""

    url: str
    token: str
    children: list[Child]


def make_neighbours(settings: Settings, model: Path, api_url: str, api_token: str) -> Neighbours:
    """The two processes on free ports of 127.0.0.1."""
    folder = (settings.data_dir / "assistant").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    # Hexadecimal: one token in 64 of the other alphabet begins with a hyphen, and Rasa takes it for an option and ends.
    rasa_port, actions_port, token = free_port(), free_port(), secrets.token_hex(24)
    environ = _environ(settings.understanding.vectors) | {
        "HUIYIN_ACTIONS_URL": f"http://127.0.0.1:{actions_port}/webhook",
        "HUIYIN_TRACKER_DB": f"sqlite:///{folder / 'tracker.db'}",
    }
    rasa = Child(
        "rasa",
        [str(PYTHON), "-m", "rasa", "run", "--enable-api", "-i", "127.0.0.1", "-p", str(rasa_port),
         "--auth-token", token, "-m", str(model), "--endpoints", "endpoints.yml", "--credentials", "credentials.yml"],
        BOT,
        environ,
    )
    actions = Child(
        "actions",
        [str(PYTHON), "-m", "rasa_sdk", "--actions", "actions", "-p", str(actions_port)],
        BOT,
        environ | {"HUIYIN_API_URL": api_url, "HUIYIN_API_TOKEN": api_token},
    )
    return Neighbours(f"http://127.0.0.1:{rasa_port}", token, [actions, rasa])
