"""Keys and AES-GCM for what must not be readable in a stolen database."""

import hashlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import Misconfigured

ID_BYTES, NONCE_BYTES = 4, 12


class Keyring:
    """The keys of this office, newest first. The first encrypts, each may decrypt (for a rotation).

    A ciphertext is: 4 bytes naming the key, 12 bytes nonce, AES-GCM output.
    """

    def __init__(self, *keys: bytes) -> None:
        """Each key has 32 bytes; ValueError otherwise."""
        if not keys or any(len(key) != 32 for key in keys):
            raise ValueError("an encryption key has 32 bytes")
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._first = _key_id(keys[0])
        self._hash_key = hashlib.sha256(b"digest" + keys[-1]).digest()

    def encrypt(self, plain: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return self._first + nonce + self._ciphers[self._first].encrypt(nonce, plain, None)

    def decrypt(self, sealed: bytes) -> bytes:
        """Raises Misconfigured when the key that sealed it is not here."""
        sealed = bytes(sealed)
        cipher = self._ciphers.get(sealed[:ID_BYTES])
        if cipher is None:
            raise Misconfigured("privacy.key_file does not hold the key this data was encrypted with")
        nonce, body = sealed[ID_BYTES : ID_BYTES + NONCE_BYTES], sealed[ID_BYTES + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, body, None)
        except InvalidTag as error:
            raise Misconfigured("encrypted data was altered: restore it from the backup") from error

    def digest(self, text: str) -> str:
        """A keyed digest, so that an encrypted value can still be found by equality."""
        return hashlib.blake2b(text.encode(), key=self._hash_key, digest_size=16).hexdigest()


def read_keyring(path: Path) -> Keyring:
    """The keys in the file, one hexadecimal key a line, newest first. Misconfigured when unreadable."""
    try:
        return Keyring(*(bytes.fromhex(line) for line in path.read_text().split()))
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"privacy.key_file {path.name} is missing or holds no key: restore it from the backup"
        ) from error


def make_key_file(path: Path) -> None:
    """A new random key, readable by its owner alone. FileExistsError when there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32) + "\n")


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:ID_BYTES]
