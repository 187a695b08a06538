"""The weights' file: whole, or refused in one sentence."""

import random

import pytest
import torch

from ranking.model.build import build_ranker
from ranking.parameters import flatten
from ranking.weights import Origin, load_weights, public_weights_path, read_origin, save_weights

ORIGIN = Origin(seed=7, command="darkroom pretrain", trained="all", side=48)


def built(trained="head", *, seed=0):
    return build_ranker(trained, generator=torch.Generator().manual_seed(seed))


def values(ranker):
    return flatten(ranker, [name for name, _ in ranker.named_parameters()]).tolist()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ranker.safetensors"
    save_weights(built(), path, origin=ORIGIN)
    return path


def test_weights_and_where_they_come_from_survive_the_file(path):
    ranker = built(seed=1)
    assert load_weights(ranker, path) == ORIGIN == read_origin(path)
    assert values(ranker) == values(built())
    assert [file.name for file in path.parent.iterdir()] == ["ranker.safetensors"]


def test_a_ranker_with_adapters_takes_public_weights_and_keeps_its_adapters(path):
    ranker = built("lora", seed=1)
    adapter = ranker.list_ranker.block.attention.query.down.weight.clone()
    load_weights(ranker, path)
    attention = ranker.list_ranker.block.attention
    assert torch.equal(attention.query.down.weight, adapter)
    expected = built().list_ranker.block.attention.query.weight
    assert torch.equal(attention.query.base.weight, expected)


def test_adapters_survive_their_own_file_and_are_refused_by_a_plain_ranker(tmp_path):
    path, origin = (
        tmp_path / "lora.safetensors",
        Origin(seed=0, command="darkroom simulate", trained="lora", side=48),
    )
    save_weights(built("lora"), path, origin=origin)
    ranker = built("lora", seed=1)
    load_weights(ranker, path)
    assert values(ranker) == values(built("lora"))
    with pytest.raises(ValueError, match=r"another model \(trained=lora\)"):
        load_weights(built(), path)


def test_a_missing_file_is_named_with_the_way_out(tmp_path):
    with pytest.raises(
        ValueError, match=r"nowhere\.safetensors is missing: .*darkroom pretrain"
    ):
        load_weights(built(), tmp_path / "nowhere.safetensors")


def test_every_flipped_bit_and_every_truncation_is_found(path):
    content, draw = path.read_bytes(), random.Random(0)
    flips = [draw.randrange(len(content)) for _ in range(40)] + list(range(0, 700, 16))
    damaged = [content[: draw.randrange(len(content))] for _ in range(10)]
    for place in flips:
        flipped = bytearray(content)
        flipped[place] ^= 1 << draw.randrange(8)
        damaged.append(bytes(flipped))
    ranker, before = built(seed=1), values(built(seed=1))
    for bad in damaged:
        path.write_bytes(bad)
        with pytest.raises(ValueError, match="is damaged or not written by Darkroom"):
            load_weights(ranker, path)
    assert values(ranker) == before


def test_a_crash_while_writing_leaves_the_former_file_whole(path, monkeypatch):
    def fail(_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_weights(built(seed=3), path, origin=ORIGIN)
    monkeypatch.undo()
    ranker = built(seed=1)
    load_weights(ranker, path)
    assert values(ranker) == values(built())


def test_the_public_ranker_ships_whole_small_and_with_zero_taste():
    path, ranker = public_weights_path(), built()
    origin = load_weights(ranker, path)
    assert path.stat().st_size < 1_000_000
    assert origin.command.startswith("darkroom pretrain")
    assert ranker.list_ranker.taste.weight.eq(0).all()
