"""List models: what they read of a photo, of the others of its moment, and of the moment."""

import math
from dataclasses import replace

import pytest
import torch
from rankings import LIST
from torch import Tensor, nn

from ranking.model.readers import ProbeReader, TransformerReader, build_reader, mean
from ranking.sizes import ListSizes, Probes

WIDTH = 6
SMALL = replace(LIST, width=8, heads=2, hidden=5, own=3, context=2, scenes=4)
ALONE = replace(SMALL, attend=False)
PROBES = Probes(kind="probes", own=3, scenes=4)
each_kind = pytest.mark.parametrize("sizes", [SMALL, ALONE, PROBES])


def filled(sizes: ListSizes) -> nn.Module:
    """A reader in double precision whose every parameter matters."""
    reader = build_reader(sizes, width=WIDTH).double()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in reader.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 3)
    return reader


def moments(lists: int, photos: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    embeddings = torch.randn(lists, photos, WIDTH, generator=generator, dtype=torch.float64)
    return embeddings, torch.ones(lists, photos, dtype=torch.bool)


@each_kind
def test_a_reader_gives_features_of_photos_and_logits_of_scenes(sizes):
    embeddings, where = moments(3, 5)
    features, scenes = filled(sizes)(embeddings, where=where)
    assert features.shape == (3, 5, sizes.own + sizes.relative)
    assert scenes.shape == (3, sizes.scenes)


@each_kind
def test_a_permutation_of_the_photos_permutes_what_is_read_and_keeps_the_scene(sizes):
    reader, (embeddings, where) = filled(sizes), moments(2, 5)
    where[0, 3:] = False
    order = torch.tensor([3, 0, 4, 1, 2])
    features, scenes = reader(embeddings, where=where)
    moved, still = reader(embeddings[:, order], where=where[:, order])
    torch.testing.assert_close(moved[where[:, order]], features[:, order][where[:, order]])
    torch.testing.assert_close(still, scenes)


@each_kind
def test_padding_changes_nothing_that_is_read(sizes):
    reader, (embeddings, _) = filled(sizes), moments(2, 5)
    where = torch.tensor([[True] * 5, [True, True, False, False, False]])
    features, scenes = reader(embeddings, where=where)
    other = reader(embeddings.masked_fill(~where.unsqueeze(-1), 1e3), where=where)
    torch.testing.assert_close(other[0][where], features[where])
    torch.testing.assert_close(other[1], scenes)
    short = reader(embeddings[1:, :2], where=where[1:, :2])
    torch.testing.assert_close(short[0][0], features[1, :2])
    torch.testing.assert_close(short[1], scenes[1:])


@each_kind
def test_a_moment_of_padding_alone_is_finite_forward_and_backward(sizes):
    reader, embeddings = filled(sizes), torch.zeros(2, 3, WIDTH, dtype=torch.float64)
    embeddings.requires_grad_()
    features, scenes = reader(embeddings, where=torch.zeros(2, 3, dtype=torch.bool))
    (features.sum() + scenes.sum()).backward()
    assert features.isfinite().all()
    assert scenes.isfinite().all()
    assert embeddings.grad.isfinite().all()


@pytest.mark.parametrize(("sizes", "alike"), [(SMALL, False), (ALONE, True)])
def test_another_photo_changes_features_where_photos_attend_and_always_the_scene(sizes, alike):
    reader, (embeddings, where) = filled(sizes), moments(1, 4)
    changed = embeddings.clone()
    changed[0, 2] += 1
    (features, scenes), (after, then) = (
        reader(one, where=where) for one in (embeddings, changed)
    )
    others = [0, 1, 3]
    same = torch.isclose(after[0, others], features[0, others], rtol=0, atol=1e-12)
    assert same.all() if alike else not same.any()
    assert (then != scenes).all()


def test_a_photo_that_does_not_attend_is_read_as_if_it_were_alone():
    reader, (embeddings, where) = filled(ALONE), moments(1, 4)
    features, _ = reader(embeddings, where=where)
    for photo in range(4):
        alone, _ = reader(embeddings[:, photo : photo + 1], where=where[:, :1])
        torch.testing.assert_close(alone[0, 0], features[0, photo])


def test_the_features_and_the_scene_are_linear_in_what_the_last_layers_see():
    """The reader ends as its parts say: hidden and read for a photo, scene for their mean."""
    reader, (embeddings, where) = filled(SMALL), moments(1, 3)
    seen = reader.enter(embeddings)
    for block in reader.blocks:
        seen = block(seen, where=where)
    seen = reader.norm(seen)
    features, scenes = reader(embeddings, where=where)
    torch.testing.assert_close(features, reader.read(reader.hidden(seen)))
    torch.testing.assert_close(scenes, reader.scene(seen.mean(1)))


def test_the_distance_of_a_probe_is_worked_by_hand():
    """Read-outs (0, 0), (6, 0) and (0, 9) have the mean (2, 3); the fourth photo is padding.

    Their squared distances are 4 + 9, 16 + 9 and 4 + 36. The scene reads the mean embedding.
    """
    reader = ProbeReader(Probes(kind="probes", own=2, scenes=1), width=2).double()
    with torch.no_grad():
        reader.read.weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 1.0]]))
        reader.read.bias.zero_()
        reader.scene.weight.copy_(torch.tensor([[1.0, 10.0]]))
        reader.scene.bias.fill_(0.5)
    photos = torch.tensor([[[0.0, 0.0], [2.0, 0.0], [0.0, 9.0], [70.0, 70.0]]]).double()
    features, scenes = reader(photos, where=torch.tensor([[True, True, True, False]]))
    assert features[0, :3, :2].tolist() == [[0, 0], [6, 0], [0, 9]]
    expected = [math.sqrt(13), math.sqrt(25), math.sqrt(40)]
    assert features[0, :3, 2].tolist() == pytest.approx(expected, abs=1e-6)
    assert scenes.item() == pytest.approx(2 / 3 + 10 * 3 + 0.5)


def test_photos_that_are_all_alike_have_a_distance_with_a_gradient():
    """Without what is added below the root its slope at zero is infinite."""
    embeddings = torch.ones(1, 3, WIDTH, dtype=torch.float64, requires_grad=True)
    features, _ = filled(PROBES)(embeddings, where=torch.ones(1, 3, dtype=torch.bool))
    features[..., -1].sum().backward()
    assert features[..., -1].tolist() == [pytest.approx([0.001] * 3)]
    assert embeddings.grad.isfinite().all()


def test_the_mean_is_of_the_photos_alone_and_zero_without_any():
    values = torch.tensor([[[1.0, 5.0], [3.0, 7.0], [math.nan, 9.0]]] * 2)
    where = torch.tensor([[True, True, False], [False, False, False]])
    assert mean(values, where=where).tolist() == [[2, 6], [0, 0]]


def test_each_kind_of_sizes_has_its_reader_and_no_other_kind_has_one():
    assert isinstance(build_reader(SMALL, width=WIDTH), TransformerReader)
    assert isinstance(build_reader(PROBES, width=WIDTH), ProbeReader)
    with pytest.raises(TypeError, match="ListSizes has no list model"):
        build_reader(ListSizes(kind="probes", own=1, scenes=1), width=WIDTH)
