from dataclasses import replace

import pytest
import torch

from client.embeddings.disk_cache import DiskCache
from client.engine import Examples
from simulations.configuration.hydra_bridge import compose

PHOTOS = compose([]).photos


def examples(value=1.0):
    return Examples(
        inputs=torch.full((2, 3, 64), value),
        gains=torch.ones(2, 3),
        where=torch.tensor([[True, True, False], [True, True, True]]),
        numbers=torch.tensor([4, 7]),
    )


def cache(folder, **other):
    settings = {"photos": PHOTOS, "seed": 0, "encoder": "a"} | other
    return DiskCache(folder, **settings)


def never():
    raise AssertionError("made again")


def test_what_was_kept_comes_back_bit_by_bit(tmp_path):
    cache(tmp_path).get(5, examples)
    found = cache(tmp_path).get(5, never)
    for name in ("inputs", "gains", "where", "numbers"):
        kept, given = getattr(found, name), getattr(examples(), name)
        assert kept.dtype == given.dtype
        assert torch.equal(kept, given)


def test_no_moment_is_kept_too(tmp_path):
    empty = Examples(
        inputs=torch.zeros(0, 0, 64),
        gains=torch.zeros(0, 0),
        where=torch.zeros(0, 0, dtype=torch.bool),
        numbers=torch.zeros(0, dtype=torch.int64),
    )
    cache(tmp_path).get(5, lambda: empty)
    assert cache(tmp_path).get(5, never).inputs.shape == (0, 0, 64)


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"encoder": "b"}, {"photos": replace(PHOTOS, taste=1)}]
)
def test_another_population_or_encoder_is_another_cache(tmp_path, other):
    cache(tmp_path).get(5, examples)
    found = cache(tmp_path, **other).get(5, lambda: examples(2.0))
    assert found.inputs[0, 0, 0] == 2


def test_a_damaged_file_is_made_again_and_nothing_else_is_left(tmp_path):
    cache(tmp_path).get(5, examples)
    (path,) = tmp_path.glob("*/5.safetensors")
    path.write_bytes(path.read_bytes()[:-9])
    assert cache(tmp_path).get(5, lambda: examples(3.0)).inputs[0, 0, 0] == 3
    assert cache(tmp_path).get(5, never).inputs[0, 0, 0] == 3
    assert [file.name for file in path.parent.iterdir()] == ["5.safetensors"]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, caplog):
    (tmp_path / "file").touch()
    found = cache(tmp_path / "file").get(5, examples)
    assert found.inputs[0, 0, 0] == 1
    assert "keeps nothing" in caplog.text
