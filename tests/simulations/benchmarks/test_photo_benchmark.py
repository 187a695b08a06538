"""What is measured of reading photographs: that it is read in every way, and by whom."""

import pytest
from rankings import ranker

from client.embeddings import device_photos
from photos.folder import decoding
from simulations.benchmarks import made_photographs, photo_benchmark
from simulations.benchmarks.photo_benchmark import (
    COLD,
    KEPT,
    PLAIN,
    TOUCHED,
    PhotoTiming,
    measure,
)


@pytest.fixture
def decoded(monkeypatch):
    """Small pictures; how many of them Darkroom decodes."""
    for module in (made_photographs, photo_benchmark):
        monkeypatch.setattr(module, "DEVICE", 24)
    monkeypatch.setattr(made_photographs, "WIDTH", 80)
    monkeypatch.setattr(made_photographs, "HEIGHT", 60)
    names, plain = [], decoding._decode

    def noted(content, name, side):
        names.append(name)
        return plain(content, name, side)

    monkeypatch.setattr(decoding, "_decode", noted)
    yield names
    device_photos.forget()


def test_every_way_reads_the_photographs_and_the_cache_spares_all_decoding(decoded):
    plain, *ours = measure(ranker("head").encoder, count=36, grain=False)
    assert (plain.way, plain.photographs) == (PLAIN, 36)
    assert [(one.way, one.photographs) for one in ours] == [
        (COLD, 36),
        (KEPT, 36),
        (TOUCHED, 36),
    ]
    assert len(decoded) == 36
    assert all(one.seconds > 0 for one in ours)


def test_a_ratio_is_of_the_processors_time_for_each_photograph():
    named = {"way": "", "seconds": 9.0, "memory": 0}
    plain = PhotoTiming(photographs=10, processor=4.0, **named)
    ours = PhotoTiming(photographs=100, processor=2.0, **named)
    assert ours.ratio(plain) == pytest.approx(20)
