"""What an XMP packet says, and what none is allowed to do."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photo_files import keywords, packet

from photos.owned.metadata import xmp
from photos.owned.metadata.xmp import BadXmpError, read_xmp


def said(text):
    found = read_xmp(text.encode())
    return found.stars, found.percent, found.pick, found.keywords


NOTHING, STARS = ("", "", "", []), ("5", "", "", [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (packet(), NOTHING),
        (packet(xmp_Rating=5), STARS),
        (packet("<xmp:Rating> 5 </xmp:Rating>"), ("5", "", "", [])),
        (packet(MicrosoftPhoto_Rating=99, digiKam_PickLabel=1), ("", "99", "1", [])),
        (packet(keywords("sea", "Favorite")), ("", "", "", ["sea", "Favorite"])),
        (packet(keywords("favorite").replace("subject", "creator")), NOTHING),
        (packet("<xmp:Rating>4</xmp:Rating>", xmp_Rating=2), ("2", "", "", [])),
        (packet("<dc:date><rdf:Description xmp:Rating='5'/></dc:date>"), NOTHING),
        (packet("<dc:relation><xmp:Rating>5</xmp:Rating></dc:relation>"), NOTHING),
        (packet(xmp_Rating=5).replace(" xmp:", " my:").replace(":xmp=", ":my="), STARS),
        (packet(xmp_Rating=5).replace("xap/1.0/", "xap/2.0/"), NOTHING),
        ("<Rating>5</Rating>", NOTHING),
    ],
)
def test_what_describes_the_photo_itself_counts_under_its_full_name(text, expected):
    assert said(text) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_packet_is_read_in_the_encodings_that_it_may_have(encoding):
    text = packet(xmp_Rating=4)
    content = text.encode(encoding)
    if encoding.endswith("e") and encoding.startswith("utf-16-"):
        content = "\ufeff".encode(encoding) + content
    assert read_xmp(content).stars == "4"


def test_filling_around_a_packet_is_passed_over():
    assert read_xmp(b"\n\0 " + packet(xmp_Rating=3).encode() + b" \n\0\0").stars == "3"


ENTITY = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (ENTITY + packet(), "document type"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "document type"),
        ("<!DOCTYPE x><x/>", "document type"),
        ("<a>" * 1000, "nested too deep"),
        (packet("<a>" * 62 + "</a>" * 62), "nested too deep"),
        ("<a", "no sound XML"),
        ("", "no sound XML"),
        ("<a>&unknown;</a>", "no sound XML"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "no sound XML"),
        ("\ud800", "no sound XML"),
    ],
)
def test_hostile_packets_are_refused_in_a_few_words(content, why):
    with pytest.raises(BadXmpError, match=why):
        read_xmp(content.encode("utf-8", "surrogatepass"))


def test_a_packet_of_any_length_is_not_read(monkeypatch):
    monkeypatch.setattr(xmp, "LARGEST_PACKET", 1000)
    with pytest.raises(BadXmpError, match="more than 1000 bytes"):
        read_xmp(packet().encode() + b" " * 1000)


def test_long_values_and_many_keywords_are_cut():
    found = read_xmp(packet(keywords(*["x" * 1000] * 2000), xmp_Rating="9" * 1000).encode())
    assert len(found.stars) == 256
    assert len(found.keywords) == 1024
    assert {len(word) for word in found.keywords} == {256}


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(content):
    with suppress(BadXmpError):
        read_xmp(content)


@given(st.integers(0, 500), st.integers(0, 255))
def test_no_changed_byte_raises_anything_else(place, byte):
    content = bytearray(packet(xmp_Rating=5).encode())
    content[place % len(content)] = byte
    with suppress(BadXmpError):
        read_xmp(bytes(content))
