"""What tastes may like, by hand on a moment of three photos and against numpy and scipy."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.stats import rankdata
from torch import Tensor

from photos.synthetic import feedback
from photos.synthetic.owner import public_owner
from photos.synthetic.taste import PERSONAL, USUAL_DISTANCE, standing_out
from simulations.pretraining.context_functions import (
    FAMILIES,
    OWN_SPREAD,
    PRESENT,
    Facts,
    deviation,
    distance,
    draw_tastes,
    expected_gain,
    features,
    known,
    place_in_burst,
    rank,
    redundancy,
)

OWN, CONTEXT = 10, 23  # features of a drawn photo by itself, and among its moment's
MOMENTS = 4_000  # of drawn tastes: the deviation of a share of one half is 0.008


@pytest.fixture
def three():
    """Photos at (0, 0), (3, 0) and (0, 6), the first two of one burst, and one of padding."""
    attributes = torch.zeros(1, 4, OWN)
    attributes[0, :3, :2] = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 6.0]])
    where = torch.tensor([[True, True, True, False]])
    return Facts(attributes=attributes, bursts=torch.tensor([[0, 0, 1, 0]]), where=where)


def of_photos(values: Tensor, facts: Facts) -> list[np.ndarray]:
    """What a function gives for the photos of each moment, without padding."""
    return [own[there].double().numpy() for own, there in zip(values, facts.where, strict=True)]


def test_the_families_are_worked_by_hand(three):
    """The mean is (1, 2), that of the burst (1.5, 0)."""
    assert distance(three)[0, :3, 0].tolist() == pytest.approx(
        [math.sqrt(1 + 4), math.sqrt(4 + 4), math.sqrt(1 + 16)]
    )
    assert deviation(three)[0, :3, :3].tolist() == [[1, 2, 0], [2, 2, 0], [1, 4, 0]]
    # Of the two others none has less, but less than the 3 and the 6 have both.
    assert rank(three)[0, :3, :3].tolist() == [
        [-0.5, -0.5, -0.5],
        [0.5, -0.5, -0.5],
        [-0.5, 0.5, -0.5],
    ]
    assert redundancy(three)[0, :3, 0].tolist() == pytest.approx([3, 3, 6])
    assert place_in_burst(three)[0, :3, 0].tolist() == [1.5, 1.5, 0]


def test_features_are_the_attributes_and_every_family_at_its_scale_and_nothing_in_padding(
    three,
):
    found = features(three)
    assert found.shape == (1, 4, OWN + CONTEXT)
    assert torch.equal(found[0, :3, :OWN], three.attributes[0, :3])
    assert not found[0, 3].any()
    # Of the second photo: √8, 0.35 · 2 of each deviation, 0.7 · ½, a distance of 3, and 1.5.
    context = found[0, 1, OWN:].tolist()
    assert context[0] == pytest.approx(math.sqrt(8))
    assert context[1:11] == pytest.approx([0.7, 0.7] + [0] * 8)
    assert context[11:21] == pytest.approx([0.35] + [-0.35] * 9)
    assert context[21:] == pytest.approx([3, 1.5])


def test_a_moment_of_a_single_photo_has_nobody_to_be_compared_with():
    facts = Facts(
        attributes=torch.ones(1, 1, OWN),
        bursts=torch.zeros(1, 1, dtype=torch.int64),
        where=torch.ones(1, 1, dtype=torch.bool),
    )
    for found in (distance(facts), deviation(facts), redundancy(facts), place_in_burst(facts)):
        assert not found.any()
    assert rank(facts).eq(-0.5).all()


def test_the_distance_is_what_the_private_population_likes(embedded):
    """Photos that stand out, by the code that makes the private taste."""
    rolls = [public_owner(seed=3, device=device).roll for device in range(2)]
    expected = np.concatenate([standing_out(roll) + USUAL_DISTANCE for roll in rolls])
    found = distance(embedded.facts)[embedded.where][:, 0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("function", "oracle"),
    [
        (deviation, lambda own: np.abs(own - own.mean(0))),
        (rank, lambda own: (rankdata(own, "min", axis=0) - 1) / (len(own) - 1) - 0.5),
        (
            redundancy,
            lambda own: (cdist(own, own) + np.diag([np.inf] * len(own))).min(1)[:, None],
        ),
    ],
)
def test_functions_of_public_photos_are_those_of_numpy_and_scipy(embedded, function, oracle):
    facts = embedded.facts
    for found, own in zip(
        of_photos(function(facts), facts), of_photos(facts.attributes, facts), strict=True
    ):
        np.testing.assert_allclose(found, oracle(own), atol=1e-5)


def test_the_place_in_a_burst_is_the_distance_from_its_mean(embedded):
    facts = embedded.facts
    for found, own, bursts in zip(
        of_photos(place_in_burst(facts), facts),
        of_photos(facts.attributes, facts),
        of_photos(facts.bursts, facts),
        strict=True,
    ):
        means = np.stack([own[bursts == burst].mean(0) for burst in bursts])
        expected = np.linalg.norm(own - means, axis=1)
        np.testing.assert_allclose(found[:, 0], expected, atol=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_has_as_many_functions_as_it_says_and_none_reads_padding(name, embedded):
    family, facts = FAMILIES[name], embedded.facts
    junk = facts.attributes.masked_fill(~facts.where.unsqueeze(-1), 0)
    shown = family.values(facts)
    assert shown.shape == (*facts.where.shape, family.size(OWN))
    longer = Facts(
        attributes=torch.cat([junk, torch.zeros_like(junk[:, :1])], 1),
        bursts=torch.cat([facts.bursts, torch.zeros_like(facts.bursts[:, :1])], 1),
        where=torch.cat([facts.where, torch.zeros_like(facts.where[:, :1])], 1),
    )
    torch.testing.assert_close(family.values(longer)[:, :-1][facts.where], shown[facts.where])


def test_no_family_is_much_stronger_than_another_however_many_functions_it_has(embedded):
    """Standard normal weights move a utility by the root of the functions' summed variances."""
    facts = embedded.facts
    apart = replace(facts, attributes=features(facts)[..., OWN:]).centred()[facts.where]
    sizes = [family.size(OWN) for family in FAMILIES.values()]
    parts = apart.square().mean(0).split(sizes)
    strengths = [float(part.sum().sqrt()) for part in parts]
    # Of two devices, where the docstring has thirty.
    assert strengths == pytest.approx([0.42, 0.35, 0.80, 0.45, 0.46], abs=0.08)


def test_a_list_model_knows_none_or_the_first_so_many_families():
    assert [family.size(OWN) for family in FAMILIES.values()] == [1, 10, 10, 1, 1]
    assert known(OWN) == (0, 1, 11, 21, 22, CONTEXT)
    # Of eight attributes: 1, then 1 + 8, 9 + 8, and two more of one each.
    assert known(8) == (0, 1, 9, 17, 18, 19)


def test_a_taste_has_a_direction_of_its_own_and_a_deviation_as_large_as_an_owners():
    """A unit vector and ten deviations of 0.17 have 1 + 10 · 0.0289 as mean square."""
    own = draw_tastes(MOMENTS, own=OWN, generator=torch.Generator().manual_seed(0))[:, :OWN]
    assert pytest.approx(PERSONAL / math.sqrt(OWN), abs=0.005) == OWN_SPREAD
    assert float(own.square().sum(1).mean()) == pytest.approx(1.289, abs=0.04)
    # No direction is preferred: a mean of 4,000 with variance 0.129 has a deviation of 0.006.
    assert float(own.mean(0).abs().max()) < 0.03


def test_a_family_is_liked_as_often_as_not_and_then_by_standard_normal_weights():
    tastes = draw_tastes(MOMENTS, own=OWN, generator=torch.Generator().manual_seed(0))[:, OWN:]
    shown = tastes.split([family.size(OWN) for family in FAMILIES.values()], -1)
    for weights in shown:
        there = weights.any(1)
        assert torch.equal(there, weights.all(1))
        assert float(there.float().mean()) == pytest.approx(PRESENT, abs=0.04)
        assert float(weights[there].std()) == pytest.approx(1, abs=0.1)
    # Whether one is liked says nothing of another: both are in a quarter of the moments.
    both = (shown[1].any(1) & shown[2].any(1)).float().mean()
    assert float(both) == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize("without", [{"deviation"}, {"distance", "place_in_burst"}])
def test_what_no_taste_knows_is_zero_and_changes_nothing_else(without):
    def drawn(left_out: set[str]) -> Tensor:
        generator = torch.Generator().manual_seed(5)
        return draw_tastes(50, own=OWN, generator=generator, without=frozenset(left_out))

    whole, less = drawn(set()), drawn(without)
    sizes = [family.size(OWN) for family in FAMILIES.values()]
    assert torch.equal(whole[:, :OWN], less[:, :OWN])
    for name, one, other in zip(
        FAMILIES, whole[:, OWN:].split(sizes, -1), less[:, OWN:].split(sizes, -1), strict=True
    ):
        assert one.any()
        assert not other.any() if name in without else torch.equal(one, other)


def test_the_expected_gain_is_that_of_the_population(embedded):
    """The same model of favourites and keepers, for moments with padding."""
    utility = torch.randn(embedded.where.shape, generator=torch.Generator().manual_seed(1))
    found = expected_gain(utility, embedded.facts)
    assert not found[~embedded.where].any()
    rolls = [public_owner(seed=3, device=device).roll for device in range(2)]
    liked = np.split(utility[embedded.where].double().numpy(), [len(rolls[0].bursts)])
    expected = [feedback.expected_gain(*pair) for pair in zip(liked, rolls, strict=True)]
    np.testing.assert_allclose(found[embedded.where], np.concatenate(expected), atol=1e-5)
