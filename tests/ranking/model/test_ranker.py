"""The model's promises: order, empty moments, and gradients that belong to one moment."""

from itertools import product
from typing import Any

import pytest
import torch
from opacus import GradSampleModule
from rankings import LIST, ranker
from torch.func import functional_call, grad, vmap

from ranking.losses.registry import LOSSES
from ranking.model.build import trainable_names
from ranking.model.ranker import Ranker
from ranking.settings import RANKINGS, Trained
from ranking.sizes import Probes

SIDE = 16
PROBES = Probes(kind="probes", own=10, scenes=8)


def moments(lists=4, photos=5, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.rand(lists, photos, 3, SIDE, SIDE, generator=generator)
    gains = torch.tensor([0.0, 1.0, 3.0])[
        torch.randint(3, (lists, photos), generator=generator)
    ]
    where = torch.arange(photos) < torch.tensor([photos, 3, 2, photos])[:lists, None]
    return pixels, gains, where


def ranker_for(trained: Trained, **changes: Any) -> Ranker:
    """A ranker whose every parameter matters: random biases, tastes and adapters too."""
    generator = torch.Generator().manual_seed(0)
    made = ranker(trained, **changes)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return made.double()


def test_permuting_the_photos_permutes_the_scores():
    pixels, _, where = moments()
    made, order = ranker_for("head"), torch.tensor([3, 0, 4, 1, 2])
    scores = made(pixels.double(), where=where)
    moved = made(pixels.double()[:, order], where=where[:, order])
    torch.testing.assert_close(moved[where[:, order]], scores[:, order][where[:, order]])


def test_a_moment_of_padding_alone_gives_no_nan_forward_nor_backward():
    pixels, gains, where = moments()
    made = ranker_for("all")
    where = where.clone()
    where[2] = False
    scores = made(pixels.double(), where=where)
    LOSSES["softmax"](scores, gains.double(), where=where).sum().backward()
    assert scores.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in made.parameters())


def test_other_photos_of_the_moment_change_a_score_and_other_moments_do_not():
    pixels, _, where = moments()
    made = ranker_for("head")
    scores = made(pixels.double(), where=where)
    changed = pixels.double().clone()
    changed[0, 1] = 0
    after = made(changed, where=where)
    assert (after[0] != scores[0]).all()
    torch.testing.assert_close(after[1:], scores[1:])


@pytest.mark.filterwarnings("ignore:Full backward hook is firing:UserWarning")
@pytest.mark.parametrize(
    ("trained", "sizes"), [*product(RANKINGS, [LIST]), ("head", PROBES), ("lora", PROBES)]
)
def test_opacus_and_vmap_agree_on_every_moment_s_gradient(trained, sizes):
    pixels, gains, where = moments()
    pixels, gains, made = pixels.double(), gains.double(), ranker_for(trained, list=sizes)
    names = trainable_names(made, trained)
    for name, parameter in made.named_parameters():
        parameter.requires_grad_(name in names)
    trainable = {name: p for name, p in made.named_parameters() if name in names}

    def loss(parameters, photos, gain, mask):
        scores = functional_call(made, parameters, (photos[None],), {"where": mask[None]})
        return LOSSES["softmax"](scores, gain[None], where=mask[None]).sum()

    expected = vmap(grad(loss), in_dims=(None, 0, 0, 0))(trainable, pixels, gains, where)
    wrapped = GradSampleModule(made, loss_reduction="sum")
    scores = wrapped(pixels, where=where)
    LOSSES["softmax"](scores, gains, where=where).sum().backward()
    for name, parameter in trainable.items():
        rows = parameter.grad_sample
        found = rows.reshape(len(pixels), -1, *parameter.shape).sum(1)
        torch.testing.assert_close(found, expected[name], rtol=1e-7, atol=1e-9)
        assert found.abs().sum() > 0
