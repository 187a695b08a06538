"""What stands behind the pixels of a PNG file."""

import struct
import zlib
from io import BytesIO

import pytest
from photo_files import packet, photo
from PIL import Image

from photos.owned.metadata.facts import read_facts
from photos.owned.metadata.png_chunks import late_chunks
from photos.owned.metadata.ratings import RatingSource, of_xmp
from photos.owned.metadata.xmp import read_xmp

END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I4s", len(content), kind)
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def text(content: str, compressed: bytes = b"\0") -> bytes:
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0" + compressed + b"\0\0\0" + content.encode())


@pytest.fixture
def with_late(tmp_path):
    """Puts chunks before the end of a PNG file."""

    def with_late(*chunks):
        path = tmp_path / "a.png"
        whole = photo(path).read_bytes()
        assert whole.endswith(END)
        path.write_bytes(whole.removesuffix(END) + b"".join(chunks) + END)
        return path

    return with_late


def test_late_exif_and_xmp_are_found_as_early_ones_are(with_late, tmp_path):
    early = photo(tmp_path / "b.jpg", taken="2024:01:31 12:00:00", exif={0x4746: 3})
    with Image.open(early) as image:
        exif = image.info["exif"].removeprefix(b"Exif\0\0")
    path = with_late(chunk(b"tIME", b"1234567"), chunk(b"eXIf", exif))
    assert read_facts(path).taken == read_facts(early).taken is not None
    assert read_facts(path).stars == 3
    found = read_facts(with_late(text(packet(xmp_Rating=5)))).xmp
    said = of_xmp(read_xmp(found), source=RatingSource.EMBEDDED, favourite_from=4)
    assert said.feedback.name == "FAVOURITE"


def test_the_first_of_each_counts():
    file = BytesIO(
        b"\x89PNG\r\n\x1a\n" + chunk(b"eXIf", b"1") + chunk(b"eXIf", b"2") + text("3")
    )
    assert late_chunks(file) == (b"1", b"3")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n\0\0",
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 2**32 - 1, b"eXIf") + b"x" * 100,
        b"\x89PNG\r\n\x1a\n" + text("packed", compressed=b"\1"),
        b"\x89PNG\r\n\x1a\n" + chunk(b"iTXt", b"Title\0\0\0\0\0hello"),
        b"\x89PNG\r\n\x1a\n" + chunk(b"tEXt", b"") * 2**15 + chunk(b"eXIf", b"late"),
    ],
)
def test_nothing_else_is_taken_for_it(content):
    assert late_chunks(BytesIO(content)) == (b"", b"")
