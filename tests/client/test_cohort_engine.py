from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from client.bookkeeping import Bookkeeping
from client.cohort_batch import Shelf, cuts
from client.cohort_engine import CohortEngine
from client.engine import Visit
from client.layers import LAYERS
from client.recording import Recording, Sums, UnknownLayerError
from client.vmapped import Vmapped
from privacy.clipping import coefficients
from privacy.noise import SeededSource
from ranking.build import build_ranker, trainable_names
from ranking.losses import LOSSES
from ranking.parameters import flatten
from ranking.settings import Ranking

PARTS = ["linear", "head", "lora", "all"]


def bookkeeping(ranker, ranking):
    return CohortEngine(Bookkeeping(ranker, ranking))


def vmapped(ranker, ranking):
    return CohortEngine(Vmapped(ranker, ranking))


KINDS = [bookkeeping, vmapped]


def cohort(lab, trained, lengths):
    return [
        Visit(examples=lab.moments(trained, own, seed=index), source=SeededSource(7, index))
        for index, own in enumerate(lengths)
    ]


def updates(lab, kind, trained, visits, terms, loss="softmax"):
    engine, start = lab.engine_and_start(trained, kind, loss)
    found = [one.delta for one in engine.train(start, visits, work=terms)]
    return np.stack(found) if found else np.zeros((0, len(start)))


def reference(lab, trained, visits, terms, loss="softmax"):
    engine, start = lab.engine_and_start(trained, loss=loss)
    return np.stack([one.delta for one in engine.train(start, visits, work=terms)])


def assert_equal(found, expected):
    """To 1e-5 of the update, or an ulp of the float32 parameters that it is a difference of."""
    largest = np.abs(expected).max(initial=1e-3)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * largest + 2**-23)


terms = st.fixed_dictionaries(
    {
        "steps": st.integers(1, 3),
        "rate": st.sampled_from([0.2, 0.5, 1.0]),
        "clip": st.sampled_from([0.01, 0.3, 2.0]),
        "noise_multiplier": st.sampled_from([0.0, 0.2]),
    }
)
libraries = st.lists(st.lists(st.integers(2, 12), max_size=5), min_size=1, max_size=5)


@pytest.mark.parametrize("kind", KINDS)
@given(lengths=libraries, terms=terms, trained=st.sampled_from(["linear", "head", "lora"]))
@settings(max_examples=100, deadline=None)
def test_updates_are_those_of_opacus(lab, kind, lengths, terms, trained):
    visits, work = cohort(lab, trained, lengths), lab.work(lr=0.2, **terms)

    assert_equal(
        updates(lab, kind, trained, visits, work), reference(lab, trained, visits, work)
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_updates_of_the_whole_ranker_are_those_of_opacus(lab, kind, noise):
    visits = cohort(lab, "all", [[2, 9], [], [12, 3, 5]])
    work = lab.work(steps=2, rate=0.7, clip=0.3, noise_multiplier=noise, lr=0.1)

    found = updates(lab, kind, "all", visits, work)

    assert_equal(found, reference(lab, "all", visits, work))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss_trains_alike(lab, kind, loss):
    visits = cohort(lab, "linear", [[2, 6], [5, 3, 4]])

    found = updates(lab, kind, "linear", visits, lab.plain, loss)

    np.testing.assert_allclose(
        found, reference(lab, "linear", visits, lab.plain, loss), atol=2e-6, rtol=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trained", PARTS)
def test_a_poisoned_device_leaves_every_bit_of_the_others(lab, kind, trained):
    work = lab.work(steps=2, clip=0.3, noise_multiplier=0.5)
    visits = cohort(lab, trained, [[3, 5], [2, 4, 12], [6]])
    clean = updates(lab, kind, trained, visits, work)
    visits[1].examples.inputs[0, 1] = float("nan")
    visits[1].examples.inputs[2, 0] = float("inf")
    engine, start = lab.engine_and_start(trained, kind)

    poisoned = list(engine.train(start, visits, work=work))

    assert poisoned[0].delta.tobytes() == clean[0].tobytes()
    assert poisoned[2].delta.tobytes() == clean[2].tobytes()
    assert np.isfinite(poisoned[1].delta).all()
    assert [one.non_finite for one in poisoned] == [0, 4, 0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trained", PARTS)
def test_what_stands_in_padding_is_never_read(lab, kind, trained):
    work = lab.work(clip=0.3)
    visits = cohort(lab, trained, [[3, 5], [2]])
    clean = updates(lab, kind, trained, visits, work)
    for visit in visits:
        visit.examples.inputs[~visit.examples.where] = float("nan")
        visit.examples.gains[~visit.examples.where] = float("inf")

    assert updates(lab, kind, trained, visits, work).tobytes() == clean.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_devices_and_of_moments_changes_nothing_beyond_rounding(lab, kind):
    work = lab.work(steps=2, clip=0.3, noise_multiplier=0.5, rate=0.6)
    visits = cohort(lab, "head", [[3, 5, 7], [2, 4, 12], [6]])
    turned = [
        replace(visit, examples=lab.chosen(visit.examples, torch.arange(n - 1, -1, -1)))
        for visit, n in zip(visits, [3, 3, 1], strict=True)
    ]

    expected = updates(lab, kind, "head", visits, work)

    assert_equal(updates(lab, kind, "head", turned[::-1], work)[::-1], expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trained", PARTS)
def test_one_moment_moves_the_sum_by_at_most_the_clip(lab, kind, trained):
    clip = 0.05
    work = lab.work(clip=clip, lr=1.0, denominator=1.0)
    visits = cohort(lab, trained, [[6], [4], [12]])

    norms = np.linalg.norm(updates(lab, kind, trained, visits, work).astype(float), axis=1)

    assert norms == pytest.approx(clip, rel=1e-3)


def test_the_norm_of_a_moment_of_near_duplicates_does_not_cancel_away(lab):
    """Their gradients are a thousandth of what is summed: float32 products would be 6% off."""
    moment = lab.moments("head", [6], seed=1)
    moment.inputs[:] = moment.inputs[:, :1] + 1e-3 * moment.inputs
    visits = [Visit(examples=moment, source=SeededSource(1))]
    work = lab.work(clip=1e-3, lr=1e3, denominator=1.0)

    found = updates(lab, bookkeeping, "head", visits, work)

    assert np.linalg.norm(found.astype(float)) == pytest.approx(1, rel=1e-3)


def test_devices_beyond_one_batch_are_trained_in_their_order(lab):
    visits = cohort(lab, "linear", [[2 + index % 5] for index in range(70)])
    work = lab.work(clip=0.3)

    found = updates(lab, bookkeeping, "linear", visits, work)

    assert_equal(found, reference(lab, "linear", visits, work))


def test_a_cohort_of_nobody_gives_nothing(lab):
    assert len(updates(lab, bookkeeping, "head", [], lab.plain)) == 0


def test_a_layer_that_is_not_known_is_left_to_vmap_and_said_once(lab, caplog):
    class Squared(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, items):
            return items @ self.inner.weight.t() + self.inner.bias

    def odd(ranker, ranking):
        ranker.list_ranker.score = Squared(ranker.list_ranker.score)
        return CohortEngine(Bookkeeping(ranker, ranking))

    ranker = build_ranker("head", generator=torch.Generator().manual_seed(1))
    ranking = Ranking(trained="head", loss="softmax", weights=None)
    start = flatten(ranker, trainable_names(ranker, "head"))
    visits, work = cohort(lab, "head", [[2, 6], [3]]), lab.work(steps=2, clip=0.3)
    expected = [one.delta for one in vmapped(ranker, ranking).train(start, visits, work=work)]

    found = [one.delta for one in odd(ranker, ranking).train(start, visits, work=work)]

    assert_equal(np.stack(found), np.stack(expected))
    assert caplog.text.count("vmap trains instead") == 1


class Tied(nn.Module):
    """A ranker's stand-in: one trained layer in several roles."""

    def __init__(self, role):
        super().__init__()
        self.layer = nn.Linear(64, 64, bias=False)
        self.role = role

    def forward(self, inputs, where):
        found = {
            "twice": lambda: self.layer(inputs) + self.layer(inputs),
            "in a list": lambda: inputs @ torch.stack([self.layer.weight])[0],
            "a norm without a bias": lambda: nn.functional.layer_norm(
                inputs, (64,), self.layer.weight[0]
            ),
        }[self.role]()
        return found.sum(-1)


@pytest.mark.parametrize("role", ["twice", "in a list", "a norm without a bias"])
def test_a_parameter_in_a_role_that_is_not_known_is_refused_by_name(role):
    model = Tied(role)
    weight = model.layer.weight.requires_grad_(False)
    recording = Recording([weight], weight.flatten()[None].clone(), lists=(1, 1), known=LAYERS)
    with torch.enable_grad(), recording, pytest.raises(UnknownLayerError):
        model(torch.ones(1, 1, 2, 64), None)


@pytest.mark.parametrize("scale", [1.0, 1e4, 1e8])
def test_a_moment_whose_photos_cancel_moves_the_sum_by_no_more_than_the_clip(scale):
    torch.manual_seed(1)
    layer = nn.Linear(64, 64, bias=False)
    weight = layer.weight.requires_grad_(False)
    recording = Recording([weight], weight.flatten()[None].clone(), lists=(1, 1), known=LAYERS)
    inputs = (torch.randn(64) * scale).expand(1, 6, 64).contiguous()
    with torch.enable_grad(), recording:
        layer(inputs)
    (recorded,) = recording.taken()
    gradient = torch.randn(6, 64)
    gradient[5] = -gradient[:5].sum(0)
    recorded.take(gradient[None])
    sums = Sums(recording)
    recorded.add_to(sums, coefficients(recorded.squared_norms().sqrt(), 0.1).float())
    assert sums.finished().norm() <= 0.1 * 1.005


def test_a_draw_holds_every_drawn_moment_once_and_little_else(lab):
    devices = [lab.moments("head", own, seed=n) for n, own in enumerate([[2, 9], [5, 4, 9]])]
    shelf = Shelf(devices)
    draw = shelf.draw(np.array([True, False, True, True, True]))

    batches = list(shelf.batches(draw, moments=32, spare=2))

    assert draw.order.tolist() == [1, 0]
    assert [tuple(batch.where.shape) for batch in batches] == [(2, 1, 9), (1, 2, 5)]
    assert [batch.where.sum().item() for batch in batches] == [9 + 2, 5 + 4]
    assert batches[0].inputs[1, 0, :2].equal(devices[0].inputs[0, :2])
    assert batches[0].inputs[1, 0, 2:].abs().sum() == 0


@pytest.mark.parametrize(
    ("spare", "expected"),
    [(0, [0, 2, 3, 5]), (1, [0, 2, 3, 5]), (3, [0, 3, 5]), (15, [0, 3, 5]), (100, [0, 5])],
)
def test_ranks_are_cut_where_padding_costs_more_than_another_batch(spare, expected):
    # apart 10+10 | 8 | 1+1 are 30 photos; joined 10+10+10 | 1+1 are 32; all in one are 50
    assert cuts([10, 10, 8, 1, 1], most=9, spare=spare) == expected


@given(
    photos=st.lists(st.integers(1, 30), min_size=1, max_size=7).map(
        lambda found: sorted(found, reverse=True)
    ),
    most=st.integers(1, 4),
    spare=st.integers(0, 40),
)
def test_no_way_to_cut_ranks_costs_less(photos, most, spare):
    def cost(bounds):
        return sum(spare + photos[a] * (b - a) for a, b in pairwise(bounds))

    inner = range(1, len(photos))
    every = [
        [0, *chosen, len(photos)]
        for size in range(len(photos))
        for chosen in combinations(inner, size)
    ]
    allowed = [one for one in every if max(b - a for a, b in pairwise(one)) <= most]
    assert cost(cuts(photos, most=most, spare=spare)) == min(map(cost, allowed))


def test_equal_moments_make_one_batch_up_to_the_most_that_one_may_hold(lab):
    devices = [lab.moments("head", [6] * 5, seed=seed) for seed in range(3)]
    shelf = Shelf(devices)
    everything = shelf.draw(np.ones(15, bool))

    shapes = [tuple(b.where.shape) for b in shelf.batches(everything, moments=4, spare=0)]

    assert shapes == [(3, 4, 6), (3, 1, 6)]


def test_a_draw_of_nothing_has_no_batch(lab):
    shelf = Shelf([lab.moments("head", [3]), lab.moments("head", [])])

    assert list(shelf.batches(shelf.draw(np.zeros(1, bool)), moments=4, spare=0)) == []
