"""Files from residents: typed by content, without a position, scanned where the office has a scanner."""

import io
from pathlib import Path

import pytest
from PIL import Image

from channels.base import TemporaryFailure
from channels.files import FileSettings, FileStore, NotAllowed
from channels.pictures import without_position
from tests.fakes.clamd import EICAR, FakeClamd

TAKEN = "2026:11:01 10:00:00"


def photograph(kind: str, **position: object) -> bytes:
    """A picture as a telephone takes it: lying on its side, with its time and the place."""
    exif = Image.Exif()
    exif[0x0112], exif[0x0132] = 6, TAKEN
    exif.get_ifd(0x8825).update({1: "N", 2: (30.0, 15.0, 20.125), 3: "E", 4: (120.0, 9.0, 1.5)})
    exif.get_ifd(0x8769).update({0x9003: TAKEN, 0x927C: b"maker 30.2557 120.1504"})
    written = io.BytesIO()
    more = {} if kind == "PNG" else {"xmp": b"<x:xmpmeta exif:GPSLatitude='30,15.3N'/>"}
    Image.effect_noise((60, 40), 80).convert("RGB").save(written, kind, exif=exif, **more)
    return written.getvalue()


def _files_below(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def position_in(content: bytes) -> dict:
    return dict(Image.open(io.BytesIO(content)).getexif().get_ifd(0x8825))


@pytest.mark.parametrize(("kind", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_a_photograph_loses_its_place_and_keeps_its_time_and_side(kind: str, mime: str):
    before = photograph(kind)
    assert position_in(before)
    after = without_position(before, mime)
    exif = Image.open(io.BytesIO(after)).getexif()
    assert position_in(after) == {} and b"GPS" not in after and b"120.1504" not in after
    assert (exif[0x0112], exif[0x0132], exif.get_ifd(0x8769)[0x9003]) == (6, TAKEN, TAKEN)
    assert Image.open(io.BytesIO(after)).size == (60, 40)


def test_a_heic_loses_its_place_and_nothing_else():
    tiff = Image.open(io.BytesIO(photograph("PNG"))).getexif().tobytes()
    before = b"\x00\x00\x00\x18ftypheic" + bytes(12) + tiff + b"the picture itself"
    after = without_position(before, "image/heic")
    exif = Image.Exif()
    exif.load(after[after.index(b"Exif\x00\x00") :])
    assert dict(exif.get_ifd(0x8825)) == {} and exif[0x0132] == TAKEN
    assert len(after) == len(before) and after.endswith(b"the picture itself")


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"Exif\x00\x00II*\x00\xff\xff\xff\xff", id="a table that lies outside"),
        pytest.param(b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff", id="more entries than bytes"),
        pytest.param(b"Exif\x00\x00", id="nothing"),
    ],
)
def test_a_broken_heic_is_kept_as_it_is(block: bytes):
    assert without_position(b"ftypheic" + block, "image/heic") == b"ftypheic" + block


def test_a_picture_without_metadata_stays_byte_for_byte():
    written = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(written, "JPEG")
    assert without_position(written.getvalue(), "image/jpeg") == written.getvalue()


async def test_what_says_it_is_a_photograph_and_is_none_is_refused(tmp_path: Path):
    broken = photograph("JPEG")[:300]
    with pytest.raises(NotAllowed):
        await FileStore(tmp_path).keep(broken, "a.jpg")


async def test_an_office_may_keep_the_place_as_evidence(tmp_path: Path):
    store = FileStore(tmp_path, FileSettings(keep_originals=True))
    kept = await store.keep(photograph("JPEG"), "证据.jpg")
    assert position_in(store.locate(kept.path or "").read_bytes())


async def test_the_list_and_the_size_are_the_office_s(tmp_path: Path):
    store = FileStore(tmp_path, FileSettings(allow=["image/png"], max_bytes=50_000))
    with pytest.raises(NotAllowed, match="image/jpeg"):
        await store.keep(photograph("JPEG"), "a.jpg")
    with pytest.raises(NotAllowed, match="larger"):
        await store.keep(photograph("PNG") + bytes(50_000), "a.png")


async def test_the_same_bytes_are_kept_once_under_their_digest(tmp_path: Path):
    store = FileStore(tmp_path)
    first, second = [await store.keep(b"%PDF-1.4 same", name) for name in ("a.pdf", "../../etc/b.exe")]
    assert first.path == second.path and second.name == "b.pdf"
    assert _files_below(tmp_path) == [(first.path or "").split("/")[1]]


class TestScanner:
    """With a clamd set, nothing is kept that it has not passed."""

    async def test_what_it_finds_is_refused_and_the_rest_kept(self, tmp_path: Path):
        async with FakeClamd() as clamd:
            store = FileStore(tmp_path, FileSettings(clamd=clamd.address))
            assert (await store.keep(b"%PDF-1.4 good" + bytes(200_000), "a.pdf")).path
            with pytest.raises(NotAllowed, match="Eicar"):
                await store.keep(b"%PDF-1.4 " + EICAR, "b.pdf")
            assert clamd.scanned == [200_013, 9 + len(EICAR)]

    @pytest.mark.parametrize("trouble", ["bye", "error"])
    async def test_while_it_is_away_nothing_is_kept(self, tmp_path: Path, trouble: str):
        async with FakeClamd(trouble) as clamd:
            store = FileStore(tmp_path, FileSettings(clamd=clamd.address))
            with pytest.raises(TemporaryFailure):
                await store.keep(b"%PDF-1.4 good", "a.pdf")
        with pytest.raises(TemporaryFailure):
            await store.keep(b"%PDF-1.4 good", "a.pdf")
        assert _files_below(tmp_path) == []
