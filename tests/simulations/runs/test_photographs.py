"""Runs over photographs: each is decoded once in a run, and in a second run none."""

import pytest
from photo_files import photo

from client import local_device
from client.embeddings import device_photos
from client.embeddings.lru_cache import LruCache
from photos.folder import decoding
from simulations.runs import run as performing

DEVICES, MOMENTS, PHOTOS = 3, 5, 2
ALL = DEVICES * MOMENTS * PHOTOS


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Photographs of three people, each with a favourite in every moment."""
    root = tmp_path_factory.mktemp("photographs")
    for device in range(DEVICES):
        for number in range(MOMENTS):
            for place in range(PHOTOS):
                photo(
                    root / f"{device}" / f"{number}" / f"{place}.jpg",
                    100 * device + 10 * number + place,
                    taken=f"2024:01:{number + 1:02} 12:00:{place:02}",
                )
        rows = "".join(f"{number}/1.jpg,favourite\n" for number in range(MOMENTS))
        (root / f"{device}" / "feedback.csv").write_text(f"photo,feedback\n{rows}")
    return root


@pytest.fixture
def ran(root, simulated, monkeypatch, tmp_path):
    """Runs over the photographs as a new process would; the files decoded, and the figures."""
    decoded, plain = [], decoding._decode

    def noted(content, name, side):
        decoded.append(name)
        return plain(content, name, side)

    monkeypatch.setattr(decoding, "_decode", noted)

    def ran(*words, held_out=1):
        decoded.clear()
        performing.population.cache_clear()
        monkeypatch.setattr(local_device, "_kept", LruCache(weigh=lambda _: 1))
        fresh = LruCache(weigh=lambda kept: kept.nbytes)
        monkeypatch.setattr(device_photos, "_remembered", fresh)
        own = ["photos=folder", f"photos.root={root}", "photos.devices=null"]
        own += [
            f"photos.held_out_devices={held_out}",
            "server.cohort=2",
            "photos.side=16",
            "server.rounds=1",
        ]
        left = simulated(tmp_path / "runs", *own, "privacy/example=none", *words)
        return len(decoded), left.summary["simulation_only"]["after"]

    yield ran
    performing.population.cache_clear()


def test_each_photo_is_decoded_once_at_most_and_again_in_no_later_run(ran, tmp_path):
    cache = f"simulation.cache={tmp_path / 'cache'}"
    first, figures = ran(cache)
    assert 0 < first <= ALL
    assert ran(cache) == (0, figures)
    assert ran()[1] == figures


def test_where_no_device_is_held_out_training_and_judging_read_each_photo_once(ran):
    decoded, _ = ran(held_out=0)
    assert 0 < decoded <= ALL


@pytest.mark.parametrize("algorithm", ["centralised", "local_only"])
def test_baselines_read_from_the_cache_too(ran, tmp_path, algorithm):
    words = (f"simulation.cache={tmp_path / 'cache'}", f"simulation.algorithm={algorithm}")
    first, figures = ran(*words)
    assert 0 < first <= ALL
    assert ran(*words) == (0, figures)
