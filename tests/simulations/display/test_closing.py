"""The figures at the end: every order between a random one and the best, and what changed."""

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulations.configuration.hydra_bridge import compose
from simulations.display import closing
from simulations.evaluation.own_metric import OwnMetric
from simulations.privacy.spending import EpsilonSpent
from simulations.runs.run import Result


@pytest.fixture
def result_of(figures_of):
    """Makes the result of a run: two devices, from NDCG@1 of 0.6 and 0.7 to 0.7 and 0.9."""

    def result_of(*, spent=None, orders=None, personal=None, after=None):
        return Result(
            before=figures_of(0.6, 0.7),
            after=after or figures_of(0.7, 0.9, best_shot=0.5),
            personal=personal,
            spent=spent or {},
            orders=orders or {},
        )

    return result_of


def spent(worst, *, claim=True):
    return EpsilonSpent(worst=worst, median=0.0, ceiling=8.0, delta=1e-5, claim=claim)


def shown(screen, result, *words, reference=None):
    closing.show(compose(words), screen, result=result, reference=reference)
    return screen.file.getvalue().splitlines()


def test_orders_stand_from_the_worst_to_the_best_with_this_run_among_them(
    screen, result_of, figures_of
):
    orders = {"Bayes": figures_of(1, 1), "random": figures_of(0.5, 0.5)}
    lines = shown(screen, result_of(orders=orders), "ranking.weights=null")
    # (ndcg − ½) / (1 − ½), the mean over devices: (0.2 + 0.4) / 2, then (0.4 + 0.8) / 2.
    assert [line.split() for line in lines if line][:5] == [
        ["NDCG@1", "best", "shot"],
        ["random", "0.0", "25.0"],
        ["random", "weights", "30.0", "25.0"],
        ["this", "run", "60.0", "50.0", "no", "privacy"],
        ["Bayes", "100.0", "25.0"],
    ]


def test_the_run_without_privacy_stands_beside_it(screen, result_of, figures_of):
    other = result_of(after=figures_of(0.95))
    lines = shown(screen, result_of(), reference=other)
    (row,) = [line for line in lines if line.startswith("this run without privacy")]
    assert row.split()[-2:] == ["90.0", "25.0"]


def test_what_devices_fitted_themselves_stands_beside_the_run_where_it_was_asked_for(
    screen, result_of, figures_of
):
    lines = shown(screen, result_of(personal=figures_of(0.8, 0.9, best_shot=0.75)))
    rows = [line.split() for line in lines if line.startswith("this run")]
    # (0.6 + 0.8) / 2, the better: it comes last.
    assert rows == [
        ["this", "run", "60.0", "50.0", "no", "privacy"],
        ["this", "run,", "personal", "70.0", "75.0"],
    ]


@pytest.mark.parametrize(
    ("units", "told"),
    [
        ({"example": spent(7.951)}, "ε 7.96 a moment"),
        ({"example": spent(2.0), "device": spent(3.0)}, "ε 2.00 a moment, 3.00 a device"),
        ({"device": spent(3.0, claim=False)}, "ε 3.00 a device, not a claim"),
    ],
)
def test_what_the_run_cost_stands_beside_its_figures(screen, result_of, units, told):
    lines = shown(screen, result_of(spent=units))
    (row,) = [line for line in lines if line.startswith("this run ")]
    assert row.rstrip().endswith(told)


def test_what_training_changed_is_the_mean_over_devices_within_their_interval(result_of):
    found = closing.gain(result_of())
    # The two devices gain 0.2 and 0.4; half of the resamples hold one of them alone.
    assert found.mean == pytest.approx(0.3)
    assert (found.low, found.high) == pytest.approx((0.2, 0.4))


def test_the_change_and_the_scale_are_said_in_words(screen, result_of, figures_of):
    known = shown(screen, result_of(orders={"Bayes": figures_of(1, 1)}))
    assert known[-4:] == [
        "Training changed NDCG@1 by +30.0 points;",
        "95% of resampled devices: +20.0 to +40.0.",
        "NDCG@1: 0 is a random order, 100 the owners' own taste.",
        "All figures: simulation only.",
    ]
    unknown = shown(screen, result_of())
    assert unknown[-2].endswith("100 the feedback given, ideal-normalised.")


def test_a_sets_own_metric_stands_below_the_table_for_each_order(screen, result_of, figures_of):
    def with_metric(*values):
        own = OwnMetric(name="Spearman", scale="0 is a random order", values=np.array(values))
        return replace(figures_of(0.7, 0.9), own=own)

    lines = shown(screen, replace(result_of(), after=with_metric(0.25, np.nan, 0.5)))
    assert lines[-6:-4] == [
        "Spearman of this run: 0.375",
        "Spearman, a mean over devices: 0 is a random order.",
    ]


@pytest.mark.parametrize(
    ("words", "commands"),
    [
        (
            (),
            ["darkroom rank", "darkroom simulate privacy.example.epsilon=2", "darkroom photos"],
        ),
        (("privacy/example=none",), ["darkroom rank", "darkroom photos"]),
        (
            ("photos=folder", "photos.root=DIR"),
            ["darkroom rank", "darkroom simulate privacy.example.epsilon=2"],
        ),
    ],
)
def test_the_next_steps_are_those_that_this_run_leaves_open(screen, words, commands):
    folder = Path("runs") / ("long" * 30)
    closing.next_steps(compose(words), screen, folder)
    lines = screen.file.getvalue().splitlines()[1:]
    assert len(lines) == len(commands)
    for line, command in zip(lines, commands, strict=True):
        assert line.strip().startswith(command)
    assert f"darkroom rank {folder} DIR" in lines[0]


def test_a_model_that_knows_drawings_alone_is_offered_with_a_warning(screen):
    closing.next_steps(compose([]), screen, Path("run"))
    assert "which knows drawings: maybe worse than chance" in screen.file.getvalue()


def test_a_model_that_knows_photographs_is_offered_without_one(screen):
    closing.next_steps(compose(["photos=folder", "photos.root=DIR"]), screen, Path("run"))
    assert "rank your own photographs with this model" in screen.file.getvalue()
    assert "chance" not in screen.file.getvalue()


def test_the_next_run_goes_on_from_what_was_typed(screen):
    typed = ["experiment=real-photos", 'photos.root="it\'s, here"', "privacy.example.epsilon=4"]
    closing.next_steps(compose(typed), screen, Path("run"), overrides=typed)
    line = screen.file.getvalue().splitlines()[2]
    words = shlex.split(line)[: len(typed) + 2]
    assert words == ["darkroom", "simulate", *typed[:2], "privacy.example.epsilon=2"]
    assert compose(words[2:]).photos.root == "it's, here"


def test_a_promise_as_strong_is_offered_no_stronger_one(screen):
    closing.next_steps(compose(["privacy.example.epsilon=2"]), screen, Path("run"))
    assert "darkroom simulate" not in screen.file.getvalue()


@pytest.mark.parametrize("folder", ["my runs/a (1)", "it's", "$HOME;x"])
def test_the_next_command_can_be_typed_as_it_stands(screen, folder):
    closing.next_steps(compose([]), screen, Path(folder))
    line = screen.file.getvalue().splitlines()[1]
    assert shlex.split(line)[:4] == ["darkroom", "rank", folder, "DIR"]
