"""What an XMP packet says of a photo: stars, labels and keywords."""

from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

LARGEST_PACKET = 2**24
"""Bytes: a hundred times what a long history of edits takes. Without it a sidecar of holes,
which may claim any length, fills the memory."""

# Elements inside each other: a packet has about eight. Without it a file of nothing but
# opening tags fills the memory with their names.
_DEEPEST = 64
# Characters of a value that are kept: a rating has two, a keyword a few words. Without it one
# value fills the memory a second time.
_LONGEST_VALUE = 256
# Keywords that are kept: no photo has more. Without it they fill the memory.
_MOST_KEYWORDS = 1024
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_ROOT, _DESCRIPTION, _ITEM = f"{_RDF} RDF", f"{_RDF} Description", f"{_RDF} li"
# How a packet in UTF-16 begins: the zeros at its end are halves of letters, no filling.
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_KEYWORDS = "http://purl.org/dc/elements/1.1/ subject"
_FIELDS = {
    "http://ns.adobe.com/xap/1.0/ Rating": "stars",
    "http://ns.microsoft.com/photo/1.0/ Rating": "percent",
    "http://ns.microsoft.com/photo/1.0 Rating": "percent",
    "http://www.digikam.org/ns/1.0/ PickLabel": "pick",
}


class BadXmpError(ValueError):
    """A packet that cannot be read, or that declares what no packet needs."""


@dataclass(slots=True)
class Xmp:
    """What a packet says, in its own words; empty where it does not.

    Attributes:
        stars: xmp:Rating.
        percent: MicrosoftPhoto:Rating.
        pick: digiKam:PickLabel.
        keywords: dc:subject.
    """

    stars: str = ""
    percent: str = ""
    pick: str = ""
    keywords: list[str] = field(default_factory=list)


def read_xmp(packet: bytes) -> Xmp:
    """Reads a packet; only what describes the photo itself counts, not what lies deeper.

    A document type is refused, and with it every entity: nothing in a packet expands, and
    nothing outside it is asked for.

    Raises:
        BadXmpError: The packet is too long, no XML, nested too deep, or has a document type.
    """
    if len(packet) > LARGEST_PACKET:
        raise BadXmpError(f"more than {LARGEST_PACKET} bytes")
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    _listen(parser, reader)
    try:
        parser.Parse(packet if packet[:2] in _WIDE else packet.strip(b"\0 \r\n\t"), True)
    except BadXmpError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as failure:
        # An encoding of an unknown name is a LookupError.
        raise BadXmpError("no sound XML") from failure
    return reader.xmp


def _listen(parser: expat.XMLParserType, reader: "_Reader") -> None:
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype


def _refuse_doctype(*_: object) -> NoReturn:
    raise BadXmpError("a document type")


@dataclass(slots=True)
class _Reader:
    """Follows a packet; ``path`` holds the elements that are open."""

    xmp: Xmp = field(default_factory=Xmp)
    path: list[str] = field(default_factory=list)
    value: str = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.path) == _DEEPEST:
            raise BadXmpError("nested too deep")
        self.path.append(name)
        self.value = ""
        if self._describes(len(self.path)):
            for key, value in attributes.items():
                self._take(key, value[:_LONGEST_VALUE])

    def text(self, text: str) -> None:
        self.value = (self.value + text)[:_LONGEST_VALUE]

    def end(self, name: str) -> None:
        depth = len(self.path)
        if self._describes(depth - 1):
            self._take(name, self.value)
        elif name == _ITEM and self.path[-3:-2] == [_KEYWORDS] and self._describes(depth - 3):
            self.xmp.keywords += [self.value.strip()][: _MOST_KEYWORDS - len(self.xmp.keywords)]
        self.path.pop()
        self.value = ""

    def _describes(self, depth: int) -> bool:
        """Whether the open element at ``depth``, from 1, describes the photo itself."""
        return self.path[:depth][-2:] == [_ROOT, _DESCRIPTION]

    def _take(self, key: str, value: str) -> None:
        name = _FIELDS.get(key)
        if name and not getattr(self.xmp, name):
            setattr(self.xmp, name, value.strip())
