"""The choices of what is trained, and what follows from them."""

from dataclasses import fields, replace
from typing import get_args

import pytest
from rankings import ENCODER, LIST, ranking

from ranking.settings import RANKINGS, Lora, Ranking, Trained


@pytest.mark.parametrize(
    ("trained", "inputs"),
    [
        ("taste", "readings"),
        ("taste_scenes", "readings"),
        ("linear", "readings"),
        ("head", "embeddings"),
        ("lora", "embeddings"),
        ("all", "pixels"),
    ],
)
def test_a_device_keeps_what_comes_out_of_the_part_that_it_does_not_train(trained, inputs):
    assert ranking(trained).inputs == inputs


def test_every_choice_has_its_settings_and_lora_alone_has_a_rank():
    assert set(RANKINGS) == set(get_args(Trained))
    with_rank = [
        name for name, kind in RANKINGS.items() if "rank" in {one.name for one in fields(kind)}
    ]
    assert with_rank == ["lora"]


@pytest.mark.parametrize(
    ("changes", "starts"),
    [
        ({}, ""),
        ({"encoder": replace(ENCODER, width=40)}, "ranking.encoder.width=40"),
        ({"list": replace(LIST, heads=5)}, "ranking.list.heads=5"),
        (
            {"encoder": replace(ENCODER, heads=7), "list": replace(LIST, heads=5)},
            "ranking.encoder.heads=7",
        ),
    ],
)
def test_a_flaw_of_either_part_is_one_of_the_ranking_the_encoders_first(changes, starts):
    flaw = ranking("taste", **changes).flaw()
    assert flaw.startswith(starts)
    assert bool(flaw) == bool(starts)


@pytest.mark.parametrize("trained", ["taste", "lora"])
def test_without_weights_a_ranking_forgets_what_it_knew_of_them_and_nothing_else(trained):
    known = ranking(trained, weights="mine", frozen_digest="ab", start_norm=1.5, context=False)
    bare = known.unweighted()
    assert bare == ranking(trained, context=False)
    assert isinstance(bare, Lora if trained == "lora" else Ranking)
    assert (known.weights, known.frozen_digest, known.start_norm) == ("mine", "ab", 1.5)
