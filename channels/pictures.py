"""Pictures without the place where they were taken: what a telephone writes into them says where somebody lives."""

import io
import struct
from typing import Any

from PIL import Image, UnidentifiedImageError

MARKS = (b"Exif", b"eXIf", b"GPS", b"xpacket", b"ns.adobe.com", b"Raw profile", b"zTXt", b"iTXt")
"""Whatever has none of these bytes holds no metadata in which a position could stand."""
GPS_TAG, EXIF_TAG, MAKER_NOTE = 0x8825, 0x8769, 0x927C
MAX_PIXELS = 100_000_000


class NoPicture(Exception):
    """It says that it is a picture and cannot be read as one, or it is far too large to be one."""


def without_position(content: bytes, mime: str) -> bytes:
    """The picture without a position; the very bytes where there is no metadata. Raises NoPicture.

    When it was taken and which way up it is are kept: the first is evidence, the second is needed to look at it.
    """
    if mime in ("image/heic", "image/heif"):
        return _blank_position(content)
    if mime not in _WRITERS or not any(mark in content for mark in MARKS):
        return content
    try:
        return _write_again(content, mime)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise NoPicture(type(error).__name__) from error


def _write_again(content: bytes, mime: str) -> bytes:
    with Image.open(io.BytesIO(content)) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise NoPicture("too many pixels")
        exif = picture.getexif()
        exif.get_ifd(EXIF_TAG).pop(MAKER_NOTE, None)
        exif.pop(GPS_TAG, None)
        exif._ifds.pop(GPS_TAG, None)
        options: dict[str, Any] = {"exif": exif.tobytes() if len(exif) else b"", "icc_profile": picture.info.get("icc_profile")}
        if getattr(picture, "n_frames", 1) > 1 and mime != "image/jpeg":
            options["save_all"] = True
        picture.load()
        picture.info.pop("xmp", None)
        written = io.BytesIO()
        picture.save(written, **{name: value for name, value in options.items() if value}, **_WRITERS[mime])
        return written.getvalue()


_WRITERS: dict[str, dict[str, Any]] = {
    "image/jpeg": {"format": "JPEG", "quality": "keep", "subsampling": "keep"},
    "image/png": {"format": "PNG"},
    "image/webp": {"format": "WEBP", "quality": 90},
}


def _blank_position(content: bytes) -> bytes:
    """A HEIC picture is left as it is but for the position in its Exif block, which is overwritten in place."""
    changed = bytearray(content)
    at = content.find(b"Exif\x00\x00")
    while at >= 0:
        _blank_block(changed, at + 6)
        at = content.find(b"Exif\x00\x00", at + 6)
    return bytes(changed)


def _blank_block(changed: bytearray, start: int) -> None:
    """Empty the position of one TIFF block: its table has no entries any more, its values are zeros."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(bytes(changed[start : start + 4]))
    if order is None:
        return
    try:
        (first,) = struct.unpack_from(order + "I", changed, start + 4)
        (count,) = struct.unpack_from(order + "H", changed, start + first)
        for entry in range(start + first + 2, start + first + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(order + "HHII", changed, entry)
            if tag == GPS_TAG:
                _blank_entries(changed, order, start, value)
    except struct.error:
        return


_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}


def _blank_entries(changed: bytearray, order: str, start: int, where: int) -> None:
    (count,) = struct.unpack_from(order + "H", changed, start + where)
    first = start + where + 2
    for entry in range(first, first + 12 * count, 12):
        _, kind, length, value = struct.unpack_from(order + "HHII", changed, entry)
        size = _SIZES.get(kind, 1) * length
        if size > 4 and start + value + size <= len(changed):
            changed[start + value : start + value + size] = bytes(size)
    end = min(first + 12 * count, len(changed))
    changed[start + where : end] = bytes(end - start - where)
