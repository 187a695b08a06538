"""The rate at which photos are made."""

import time
from itertools import count

from photos.benchmark import main, photos_per_second
from photos.synthetic import public_owner


def test_the_rate_is_photos_over_seconds():
    photos = sum(len(public_owner(seed=0, device=d).roll.moment_of) for d in range(3))
    clock = count(100, 4)
    rate = photos_per_second(side=16, devices=3, clock=lambda: next(clock))
    assert rate == photos / 4


def test_photos_of_a_sixteenth_of_the_pixels_are_made_at_more_than_twice_the_rate():
    def rate(side: int) -> float:
        return photos_per_second(side=side, devices=3, clock=time.process_time)

    assert rate(24) > 2 * rate(96)


def test_the_command_prints_the_rate(capsys, monkeypatch):
    monkeypatch.setattr("photos.benchmark.DEVICES", 2)
    main()
    assert "photos of 48 px per second" in capsys.readouterr().out
