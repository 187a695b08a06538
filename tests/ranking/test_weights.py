"""The weights' file: whole and of the ranker's sizes, or refused in one sentence."""

import errno
import json
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rankings import ENCODER, LIST, ranker, ranking
from safetensors.torch import save_file

from ranking.model.ranker import Ranker
from ranking.parameters import flatten, module_digest, tensors_digest
from ranking.settings import RANKINGS
from ranking.sizes import Probes
from ranking.weights import (
    FORMAT,
    Origin,
    load_encoder,
    load_weights,
    public_weights_path,
    read_origin,
    save_weights,
)

ORIGIN = Origin(seed=7, command="darkroom pretrain", ranking=ranking("all"), side=48)
PROBES = Probes(kind="probes", own=10, scenes=8)


def values(of: Ranker) -> list[float]:
    return flatten(of, [name for name, _ in of.named_parameters()]).tolist()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ranker.safetensors"
    save_weights(ranker("head"), path, origin=ORIGIN)
    return path


@pytest.fixture
def adapted(tmp_path):
    """A file of adapters of rank 4."""
    path = tmp_path / "lora.safetensors"
    save_weights(ranker("lora"), path, origin=replace(ORIGIN, ranking=ranking("lora")))
    return path


def test_weights_and_where_they_come_from_survive_the_file(path):
    loaded = ranker("head", seed=1)
    assert load_weights(loaded, path) == ORIGIN == read_origin(path)
    assert values(loaded) == values(ranker("head"))
    assert [file.name for file in path.parent.iterdir()] == ["ranker.safetensors"]


@pytest.mark.parametrize("trained", RANKINGS)
@pytest.mark.parametrize("sizes", [LIST, PROBES])
def test_where_weights_come_from_is_read_back_for_every_kind_of_ranking(trained, sizes):
    origin = replace(ORIGIN, seed=None, ranking=ranking(trained, list=sizes, context=False))
    assert Origin.of(origin.facts()) == origin


def test_a_file_says_its_format_and_names_no_other_weights():
    """What a run began with is in the file itself; its path is nobody else's business."""
    secret = ranking("taste", weights="/home/me/mine", frozen_digest="ab", start_norm=2.0)
    origin = replace(ORIGIN, ranking=secret)
    assert "/home/me" not in origin.facts()
    assert json.loads(origin.facts())["format"] == FORMAT == 3
    assert Origin.of(origin.facts()).ranking == ranking("taste")


def test_a_ranker_with_adapters_takes_public_weights_and_keeps_its_adapters(path):
    loaded = ranker("lora", seed=1)
    query = loaded.list_ranker.reader.blocks[0].attention.query
    adapter = query.down.weight.clone()
    load_weights(loaded, path)
    assert torch.equal(query.down.weight, adapter)
    expected = ranker("head").list_ranker.reader.blocks[0].attention.query.weight
    assert torch.equal(query.base.weight, expected)


def test_adapters_survive_their_own_file(adapted):
    loaded = ranker("lora", seed=1)
    load_weights(loaded, adapted)
    assert values(loaded) == values(ranker("lora"))


@pytest.mark.parametrize("other", [ranker("head"), ranker("lora", rank=1)])
def test_adapters_are_refused_by_a_plain_ranker_and_by_one_of_another_rank(adapted, other):
    before = values(other)
    with pytest.raises(
        ValueError,
        match=r"another model \(ranking=lora of ranking\.rank=\d\): set ranking= and",
    ):
        load_weights(other, adapted)
    assert values(other) == before


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {"encoder": replace(ENCODER, width=32, heads=2)},
            "ranking.encoder.width=32 where the file has 64, "
            "ranking.encoder.heads=2 where the file has 4",
        ),
        ({"list": replace(LIST, hidden=8)}, "ranking.list.hidden=8 where the file has 64"),
        (
            {"list": replace(LIST, attend=False)},
            "ranking.list.attend=false where the file has true",
        ),
        ({"list": PROBES}, "ranking/list=probes where the file has transformer; set"),
    ],
)
def test_sizes_that_are_not_the_files_are_one_sentence_that_names_both(path, changes, named):
    other = ranker("head", **changes)
    before = values(other)
    with pytest.raises(ValueError, match=r"ranker\.safetensors holds weights of other") as said:
        load_weights(other, path)
    assert f"other sizes: {named}" in str(said.value)
    assert str(said.value).endswith("or make some with `darkroom pretrain`.")
    assert values(other) == before


def test_an_encoder_is_taken_alone_whatever_the_list_model_is(path):
    other = ranker("taste", seed=1, list=PROBES)
    kept = module_digest(other.list_ranker)
    load_encoder(other, path)
    assert module_digest(other.encoder) == module_digest(ranker("head").encoder)
    assert module_digest(other.list_ranker) == kept


def test_an_encoder_of_other_sizes_is_refused_and_stays(path):
    other = ranker("taste", seed=1, encoder=replace(ENCODER, depth=1))
    kept = values(other)
    with pytest.raises(ValueError, match=r"ranking\.encoder\.depth=1 where the file has 2"):
        load_encoder(other, path)
    assert values(other) == kept


def test_a_missing_file_is_named_with_the_way_out(tmp_path):
    for load in (load_weights, load_encoder):
        with pytest.raises(
            ValueError, match=r"nowhere\.safetensors is missing: .*darkroom pretrain"
        ):
            load(ranker("head"), tmp_path / "nowhere.safetensors")


@pytest.mark.parametrize(
    "facts",
    [
        {"format": 1, "seed": 0, "command": "", "trained": "all", "side": 48},
        json.loads(ORIGIN.facts()) | {"format": 4},
        {name: fact for name, fact in json.loads(ORIGIN.facts()).items() if name != "format"},
    ],
)
def test_a_whole_file_of_another_format_is_refused_in_one_sentence(tmp_path, facts):
    """Its digest is right: only what it says of itself is another version's."""
    path, text, tensors = tmp_path / "old", json.dumps(facts), ranker("head").state_dict()
    metadata = {"darkroom": text, "sha256": tensors_digest(tensors, facts=text)}
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(ValueError, match=r"^[^.]*old is damaged or not written by Darkroom: "):
        load_weights(ranker("head"), path)


def test_every_flipped_bit_and_every_truncation_is_found(path):
    content, draw = path.read_bytes(), random.Random(0)
    flips = [draw.randrange(len(content)) for _ in range(40)] + list(range(0, 700, 16))
    damaged = [content[: draw.randrange(len(content))] for _ in range(10)]
    for place in flips:
        flipped = bytearray(content)
        flipped[place] ^= 1 << draw.randrange(8)
        damaged.append(bytes(flipped))
    kept = ranker("head", seed=1)
    for bad in damaged:
        path.write_bytes(bad)
        with pytest.raises(ValueError, match="is damaged or not written by Darkroom"):
            load_weights(kept, path)
    assert values(kept) == values(ranker("head", seed=1))


def test_a_crash_while_writing_leaves_the_former_file_whole(path, monkeypatch):
    def fail(_):
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_weights(ranker("head", seed=3), path, origin=ORIGIN)
    monkeypatch.undo()
    loaded = ranker("head", seed=1)
    load_weights(loaded, path)
    assert values(loaded) == values(ranker("head"))


def test_the_public_ranker_ships_whole_small_and_with_a_token_alone():
    path, loaded = public_weights_path(), ranker("head")
    origin = load_weights(loaded, path)
    assert path.stat().st_size < 1_000_000
    assert origin.command.startswith("darkroom pretrain")
    assert not loaded.list_ranker.taste.weight.any()
    assert not loaded.list_ranker.scene_token.weight.any()
    assert loaded.list_ranker.token.weight.any()


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf")])
def test_weights_of_a_training_that_diverged_are_refused_and_nothing_is_copied(tmp_path, odd):
    strayed, path = ranker("head"), tmp_path / "strayed.safetensors"
    strayed.list_ranker.taste.weight.data[0, 0] = odd
    save_weights(strayed, path, origin=ORIGIN)
    loaded = ranker("head", seed=1)
    with pytest.raises(
        ValueError, match=r"strayed\.safetensors holds numbers that are not fin"
    ):
        load_weights(loaded, path)
    assert values(loaded) == values(ranker("head", seed=1))


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_file_that_cannot_be_written_leaves_the_former_one_alone(path, monkeypatch, step):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    former = path.read_bytes()
    monkeypatch.setattr(*{"fsync": (os, step, full), "replace": (Path, step, full)}[step])
    with pytest.raises(OSError, match="No space"):
        save_weights(ranker("head", seed=2), path, origin=ORIGIN)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == former
