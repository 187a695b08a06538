"""Which parameters exist, which are trained, and that no global draw decides them."""

from dataclasses import replace

import pytest
import torch
from rankings import ENCODER, LIST, ranker, ranking
from torch import Tensor, nn

from ranking.model.build import _initialise, build_ranker, frozen_names, trainable_names
from ranking.model.ranker import Ranker
from ranking.parameters import flatten
from ranking.settings import RANKINGS
from ranking.sizes import Probes

PROBES = Probes(kind="probes", own=10, scenes=8)
each_choice = pytest.mark.parametrize("trained", RANKINGS)
each_list = pytest.mark.parametrize("sizes", [LIST, PROBES])
LEAVES = (nn.Linear, nn.Conv2d, nn.LayerNorm, nn.GroupNorm)
TOKENS = ("list_ranker.token.weight", "list_ranker.scene_token.weight")
# A layer from a numbers to b has a · b + b weights. A block of width 64 has 4 · 4,160 in its
# attention, 8,320 + 8,256 in its MLP and 256 in two norms; the reader enters by 4,160, has two
# blocks, a norm of 128, a hidden layer of 4,160 and reads 33 features by 2,145.
BLOCK = 16_640 + 16_576 + 256
READER = 4_160 + 2 * BLOCK + 128 + 4_160 + 2_145
# A convolution of 3 · 3 from 8 to 16, to 32 and to 64 channels, with norms; two blocks; then a
# norm of 256, layers from 128 to 256 and to 64, and a norm of 128.
STEM = 1_168 + 32 + 4_640 + 64 + 18_496 + 128
ENCODED = STEM + 2 * BLOCK + 256 + 33_024 + 16_448 + 128
# An adapter of rank 1 from a to b has a + b: 128 for a layer of 64, 192 for one of an MLP.
ADAPTERS = 128 + 2 * (4 * 128 + 2 * 192) + 128 + 97


def size(of: Ranker, names: tuple[str, ...]) -> int:
    return flatten(of, names).size


def scores(of: Ranker) -> Tensor:
    embeddings = torch.randn(3, 4, 64, generator=torch.Generator().manual_seed(1))
    found: Tensor = of.list_ranker(embeddings, where=torch.ones(3, 4, dtype=torch.bool))
    return found


@pytest.mark.parametrize(
    ("trained", "changes", "count"),
    [
        ("taste", {}, 10 + 23),
        ("taste_scenes", {}, 10 + 23 + 10 * 8),
        ("linear", {}, 64),
        ("head", {}, READER),
        ("lora", {"rank": 1}, ADAPTERS),
        ("lora", {"rank": 4}, 4 * ADAPTERS),
        ("all", {}, READER + ENCODED),
        ("taste", {"list": PROBES}, 10 + 1),
        ("head", {"list": PROBES}, 64 * 10 + 10),
        ("lora", {"list": PROBES}, 4 * (64 + 10)),
    ],
)
def test_each_choice_trains_as_many_parameters_as_are_counted_by_hand(trained, changes, count):
    built = ranker(trained, **changes)
    assert size(built, trainable_names(built, trained)) == count


def test_the_sums_are_those_that_the_documentation_says():
    assert (READER, READER + ENCODED, 4 * ADAPTERS) == (77_537, 218_865, 8_580)


def test_tastes_train_what_weighs_the_features_and_linear_what_weighs_the_embedding():
    built = ranker("taste")
    assert trainable_names(built, "taste") == TOKENS[:1]
    assert trainable_names(built, "taste_scenes") == TOKENS
    assert trainable_names(built, "linear") == ("list_ranker.taste.weight",)


@each_list
@pytest.mark.parametrize("trained", ["head", "lora", "all"])
def test_no_choice_that_trains_the_list_model_trains_its_scenes_or_what_weighs_it(
    trained, sizes
):
    """No score depends on the scenes while their weights are zero, so no gradient would."""
    built = ranker(trained, list=sizes)
    frozen = frozen_names(built, trained)
    assert {*TOKENS, "list_ranker.taste.weight"} <= set(frozen)
    assert [name for name in frozen if name.startswith("list_ranker.reader.scene.")]
    names = trainable_names(built, trained)
    assert not [name for name in names if ".scene" in name or "token" in name]


@each_choice
@each_list
def test_every_parameter_is_either_trained_or_frozen(trained, sizes):
    built = ranker(trained, list=sizes)
    names = [name for name, _ in built.named_parameters()]
    chosen, frozen = trainable_names(built, trained), frozen_names(built, trained)
    assert sorted(chosen + frozen) == sorted(names)
    assert list(chosen) == [name for name in names if name in chosen]
    assert list(frozen) == [name for name in names if name in frozen]


@each_choice
@each_list
def test_only_leaf_layers_that_opacus_knows_own_parameters(trained, sizes):
    for module in ranker(trained, list=sizes).modules():
        if list(module.parameters(recurse=False)):
            assert type(module) in LEAVES
        assert not list(module.buffers(recurse=False))
        assert not isinstance(module, nn.Dropout | nn.MultiheadAttention)


@each_choice
def test_every_choice_scores_alike_before_it_is_trained(trained):
    """Adapters change no function, and what is added to the token's score is zero."""
    built = ranker(trained)
    assert not built.list_ranker.taste.weight.any()
    assert not built.list_ranker.scene_token.weight.any()
    assert torch.equal(scores(built), scores(ranker("taste")))


@pytest.mark.parametrize("rank", [1, 4])
def test_an_adapter_is_as_wide_as_its_rank(rank):
    query = ranker("lora", rank=rank).list_ranker.reader.blocks[0].attention.query
    assert query.down.weight.shape == (rank, 64)
    assert query.up.weight.shape == (64, rank)


def test_the_encoder_and_the_tokens_are_not_adapted():
    names = [name for name, _ in ranker("lora").named_parameters() if ".base." in name]
    assert names
    assert all(name.startswith("list_ranker.reader.") for name in names)


@pytest.mark.parametrize(
    "changes", [{"encoder": replace(ENCODER, width=48)}, {"list": replace(LIST, heads=5)}]
)
def test_sizes_that_do_not_fit_are_refused_with_their_flaw(changes):
    flawed = ranking("head", **changes)
    with pytest.raises(ValueError, match=r"^ranking\.(encoder|list)\.\w+=\d+ [^.]*") as refused:
        build_ranker(flawed, generator=torch.Generator())
    assert str(refused.value) == flawed.flaw()


def test_a_layer_that_has_no_way_to_begin_is_refused():
    with pytest.raises(TypeError, match="Bilinear has parameters and no way to begin"):
        _initialise(nn.Bilinear(2, 2, 2), generator=torch.Generator())


def test_the_weights_follow_from_the_generator_and_not_from_the_global_one():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = ranker("lora", seed=5).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again, other = ranker("lora", seed=5).state_dict(), ranker("lora", seed=6).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["encoder.stem.0.weight"], other["encoder.stem.0.weight"])
