"""The rate at which photos are made."""

import time
from itertools import count

from photos.synthetic.owner import public_owner
from simulations.benchmarks.rendering_benchmark import main, photos_per_second


def _rate(side: int, devices: int) -> float:
    """Best of three, in the process's own time: other work on the machine does not count."""
    return max(
        photos_per_second(side=side, devices=devices, clock=time.process_time) for _ in range(3)
    )


def test_the_rate_is_photos_over_seconds():
    photos = sum(len(public_owner(seed=0, device=d).roll.moment_of) for d in range(3))
    clock = count(100, 4)
    rate = photos_per_second(side=16, devices=3, clock=lambda: next(clock))
    assert rate == photos / 4


def test_the_time_of_a_photo_does_not_grow_with_their_number():
    _rate(24, 2)
    assert 1 / 3 < _rate(24, 8) / _rate(24, 2) < 3


def test_photos_of_a_sixteenth_of_the_pixels_are_made_at_more_than_twice_the_rate():
    assert _rate(24, 1) > 2 * _rate(96, 1)


def test_the_command_prints_a_positive_rate(capsys, monkeypatch):
    monkeypatch.setattr("simulations.benchmarks.rendering_benchmark.DEVICES", 2)
    main()
    number, rest = capsys.readouterr().out.split(maxsplit=1)
    assert float(number.replace(",", "")) > 0
    assert rest == "photos of 48 px per second\n"
