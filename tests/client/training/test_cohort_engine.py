from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rankings import LIST

from client.engine import Visit
from client.training.bookkeeping import Bookkeeping
from client.training.cohort_engine import CohortEngine
from client.training.vmapped import Vmapped
from privacy.noise import SeededSource
from ranking.losses.registry import LOSSES
from ranking.settings import RANKINGS


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
    found = [one.delta for one in engine.train(start, visits, terms=terms)]
    return np.stack(found) if found else np.zeros((0, len(start)))


def reference(lab, trained, visits, terms, loss="softmax"):
    engine, start = lab.engine_and_start(trained, loss=loss)
    return np.stack([one.delta for one in engine.train(start, visits, terms=terms)])


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
@given(lengths=libraries, terms=terms, trained=st.sampled_from(["taste", "head", "lora"]))
@settings(max_examples=40, deadline=None)
def test_updates_are_those_of_opacus(lab, kind, lengths, terms, trained):
    visits, work = cohort(lab, trained, lengths), lab.terms(lr=0.2, **terms)

    assert_equal(
        updates(lab, kind, trained, visits, work), reference(lab, trained, visits, work)
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_updates_of_the_whole_ranker_are_those_of_opacus(lab, kind, noise):
    visits = cohort(lab, "all", [[2, 9], [], [12, 3, 5]])
    work = lab.terms(steps=2, rate=0.7, clip=0.3, noise_multiplier=noise, lr=0.1)

    found = updates(lab, kind, "all", visits, work)

    assert_equal(found, reference(lab, "all", visits, work))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss_trains_alike(lab, kind, loss):
    visits = cohort(lab, "taste", [[2, 6], [5, 3, 4]])

    found = updates(lab, kind, "taste", visits, lab.plain, loss)

    np.testing.assert_allclose(
        found, reference(lab, "taste", visits, lab.plain, loss), atol=2e-6, rtol=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trained", RANKINGS)
def test_a_poisoned_device_leaves_every_bit_of_the_others(lab, kind, trained):
    work = lab.terms(steps=2, clip=0.3, noise_multiplier=0.5)
    visits = cohort(lab, trained, [[3, 5], [2, 4, 12], [6]])
    clean = updates(lab, kind, trained, visits, work)
    visits[1].examples.inputs[0, 1] = float("nan")
    visits[1].examples.inputs[2, 0] = float("inf")
    engine, start = lab.engine_and_start(trained, kind)

    poisoned = list(engine.train(start, visits, terms=work))

    assert poisoned[0].delta.tobytes() == clean[0].tobytes()
    assert poisoned[2].delta.tobytes() == clean[2].tobytes()
    assert np.isfinite(poisoned[1].delta).all()
    assert [one.non_finite for one in poisoned] == [0, 4, 0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trained", RANKINGS)
def test_what_stands_in_padding_is_never_read(lab, kind, trained):
    work = lab.terms(clip=0.3)
    visits = cohort(lab, trained, [[3, 5], [2]])
    clean = updates(lab, kind, trained, visits, work)
    for visit in visits:
        visit.examples.inputs[~visit.examples.where] = float("nan")
        visit.examples.gains[~visit.examples.where] = float("inf")

    assert updates(lab, kind, trained, visits, work).tobytes() == clean.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_devices_and_of_moments_changes_nothing_beyond_rounding(lab, kind):
    work = lab.terms(steps=2, clip=0.3, noise_multiplier=0.5, rate=0.6)
    visits = cohort(lab, "head", [[3, 5, 7], [2, 4, 12], [6]])
    turned = [
        replace(visit, examples=lab.chosen(visit.examples, torch.arange(n - 1, -1, -1)))
        for visit, n in zip(visits, [3, 3, 1], strict=True)
    ]

    expected = updates(lab, kind, "head", visits, work)

    assert_equal(updates(lab, kind, "head", turned[::-1], work)[::-1], expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("trained", "changes"),
    [*((trained, {}) for trained in RANKINGS), ("head", {"list": replace(LIST, width=96)})],
    ids=[*RANKINGS, "wide"],
)
def test_one_moment_moves_the_sum_by_at_most_the_clip(lab, kind, trained, changes):
    clip = 0.05
    engine, start = lab.engine_and_start(trained, kind, **changes)
    work = lab.terms(clip=clip, lr=1.0, denominator=1.0)
    visits = [
        Visit(examples=lab.moments(trained, [length], **changes), source=SeededSource(7))
        for length in (6, 4, 12)
    ]

    found = [one.delta.astype(float) for one in engine.train(start, visits, terms=work)]
    norms = np.linalg.norm(found, axis=1)

    assert norms == pytest.approx(clip, rel=1e-3)


def test_devices_beyond_one_batch_are_trained_in_their_order(lab):
    visits = cohort(lab, "taste", [[2 + index % 5] for index in range(70)])
    work = lab.terms(clip=0.3)

    found = updates(lab, bookkeeping, "taste", visits, work)

    assert_equal(found, reference(lab, "taste", visits, work))


def test_a_cohort_of_nobody_gives_nothing(lab):
    assert len(updates(lab, bookkeeping, "head", [], lab.plain)) == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("trained", RANKINGS)
def test_a_cuda_device_gives_the_updates_of_the_host(lab, trained):
    terms = lab.terms(steps=2, rate=0.5, clip=0.3, noise_multiplier=0.2)
    visits = [Visit(examples=lab.moments(trained, [3, 2, 5]), source=SeededSource(7))]
    found = []
    for place in ("cpu", "cuda"):
        engine, start = lab.engine_and_start(
            trained,
            lambda ranker, ranking, place=place: CohortEngine(
                Bookkeeping(ranker.to(place), ranking)
            ),
        )
        (trained_once,) = engine.train(start, visits, terms=terms)
        found.append(trained_once.delta)
    np.testing.assert_allclose(found[1], found[0], atol=1e-4 * np.abs(found[0]).max())
