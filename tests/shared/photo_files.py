"""Photographs as files, with what cameras and photo programs write into and beside them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

SIDE = 24
"""Pixels of a photograph's side."""

XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
   xmlns:dc="http://purl.org/dc/elements/1.1/"
   xmlns:digiKam="http://www.digikam.org/ns/1.0/"
   xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/" {attributes}>{inside}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def packet(inside: str = "", **attributes: object) -> str:
    """An XMP packet; attributes are named like ``xmp_Rating``."""
    words = " ".join(
        f'{name.replace("_", ":")}="{value}"' for name, value in attributes.items()
    )
    return XMP.format(attributes=words, inside=inside)


def keywords(*words: str) -> str:
    """The keywords of a packet, as Apple's program exports them."""
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in words)
    return f"<dc:subject><rdf:Seq>{items}</rdf:Seq></dc:subject>"


def pixels(seed: int, *, like: int = 0) -> np.ndarray:
    """A picture of broad patches; those of one seed are near duplicates of each other."""
    patches = np.random.default_rng(seed).integers(20, 236, (8, 8, 3), dtype=np.int64)
    broad = np.kron(patches, np.ones((SIDE // 8, SIDE // 8, 1), dtype=np.int64))
    grain = np.random.default_rng([seed, like]).integers(-4, 5, broad.shape)
    return (broad + grain).astype(np.uint8)


def photo(
    path: Path,
    seed: int = 0,
    *,
    like: int = 0,
    taken: str = "",
    offset: str = "",
    fraction: str = "",
    exif: Mapping[int, Any] | None = None,
    xmp: str = "",
) -> Path:
    """Writes a photograph in the format of its suffix, with the folders above it.

    ``taken`` is EXIF's DateTimeOriginal, and ``offset`` and ``fraction`` belong to it; ``exif``
    has more tags of the main directory.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tags = Image.Exif()
    tags.update(exif or {})
    times = {0x9003: taken, 0x9011: offset, 0x9291: fraction}
    tags.get_ifd(0x8769).update({tag: text for tag, text in times.items() if text})
    image = Image.fromarray(pixels(seed, like=like))
    named: dict[str, Any] = {"exif": tags.tobytes()} if taken or offset or exif else {}
    kind = {".png": "PNG", ".webp": "WEBP"}.get(path.suffix.lower(), "JPEG")
    if kind == "PNG" and xmp:
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp)
        named["pnginfo"] = text
    elif xmp:
        named["xmp"] = xmp.encode()
    image.save(path, kind, quality=92, **named)
    return path


def takeout(path: Path, title: str = "", *, seconds: int | None = None, **said: object) -> Path:
    """Writes Takeout's file of a photo."""
    plain: dict[str, object] = {"title": title or path.name.removesuffix(".json"), **said}
    if seconds is not None:
        plain["photoTakenTime"] = {"timestamp": str(seconds), "formatted": "once"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(plain), encoding="utf-8")
    return path
