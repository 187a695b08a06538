"""What the terms of a visit mean for its noise, and reasons that cross the wire as they are."""

import dataclasses
import math

import pytest

from protocol.messages import DeclineReason, RefusalReason, VisitTerms

TERMS = VisitTerms(
    steps=4,
    rate=0.25,
    denominator=4.0,
    lr=0.5,
    clip=0.5,
    noise_multiplier=3.0,
    max_participations=0,
    private=True,
    update_clip=0.25,
    update_noise=8.0,
)


def test_deviations_are_noise_times_clip():
    """3 clips of 0.5 in a step, 8 of 0.25 on the update."""
    assert (TERMS.deviation, TERMS.update_deviation) == (1.5, 2.0)


@pytest.mark.parametrize("clip", [0.5, math.inf])
def test_no_noise_has_no_deviation_even_where_nothing_is_clipped(clip):
    """Zero times infinity is no number, and would erase every update."""
    silent = dataclasses.replace(
        TERMS, clip=clip, noise_multiplier=0.0, update_clip=clip, update_noise=0.0
    )
    assert (silent.deviation, silent.update_deviation) == (0.0, 0.0)


def test_an_update_leaves_as_it_is_where_nothing_else_is_said():
    fields = {field.name: field.default for field in dataclasses.fields(VisitTerms)}
    assert (fields["update_clip"], fields["update_noise"], fields["integers"]) == (
        math.inf,
        0.0,
        False,
    )


@pytest.mark.parametrize("reasons", [DeclineReason, RefusalReason])
def test_a_reason_is_its_own_text_and_no_two_are_alike(reasons):
    texts = [str(reason) for reason in reasons]
    assert [reasons(text) for text in texts] == list(reasons)
    assert len(set(texts)) == len(reasons.__members__)
