"""A run that is cut off anywhere goes on to the very bits of one that was not."""

import json

import pytest
from resumed_runs import CUTS, SEEDED, Cut, cut_off, files, go_on

OPTIMIZERS = ("sgd", "momentum", "adam", "yogi")
CENTRAL = ("privacy.device.delta=1e-3", "privacy.device.epsilon=null")
MECHANISMS = {
    "nothing": ("privacy/example=none",),
    "dpsgd": ("privacy.example.epsilon=null", "privacy.example.noise_multiplier=2"),
    "integer dpsgd": (
        "privacy.example.epsilon=null",
        "privacy.example.noise_multiplier=2",
        "privacy.example.numbers=integers",
    ),
    "gaussian": ("privacy/device=gaussian", *CENTRAL, "privacy.device.noise_multiplier=2"),
    "integers": (
        "privacy/device=gaussian",
        *CENTRAL,
        "privacy.device.noise_multiplier=2",
        "privacy.device.numbers=integers",
    ),
    "adaptive": ("privacy/device=adaptive", *CENTRAL, "privacy.device.noise_multiplier=2"),
    "separated": ("privacy/device=matrix", *CENTRAL, "privacy.device.noise_multiplier=2"),
    "buffered": (
        "privacy/device=matrix",
        *CENTRAL,
        "privacy.device.noise_multiplier=2",
        "privacy.device.strategy=buffered",
    ),
    "bands": (
        "privacy/device=matrix",
        *CENTRAL,
        "privacy.device.noise_multiplier=2",
        "privacy.device.participation=bands",
    ),
    "local": (
        "privacy/device=local",
        "privacy.device.epsilon=null",
        "privacy.device.noise_multiplier=2",
    ),
}
FEW = ("server.cohort=2", "server.rounds=4", "server.averaged=2")


@pytest.fixture(scope="module")
def whole(simulated, tmp_path_factory):
    """What an uninterrupted run leaves, once for each of the settings."""
    found = {}

    def whole(*words):
        if words not in found:
            found[words] = simulated(tmp_path_factory.mktemp("whole"), *words)
        return files(found[words])

    return whole


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_seeded_run_goes_on_to_the_same_bits(
    simulated, whole, left, tmp_path, mechanism, optimizer
):
    moments = mechanism in ("nothing", "dpsgd", "integer dpsgd")
    shared = () if moments else ("privacy/example=none",)
    words = (*SEEDED, *shared, *MECHANISMS[mechanism], *FEW, f"server/optimizer={optimizer}")
    with cut_off(Cut.STEPPED if mechanism == "nothing" else Cut.CHARGED, number=3):
        simulated(tmp_path, *words)
    go_on(left(tmp_path))
    assert files(left(tmp_path)) == whole(*words)


QUICK = (Cut.CHARGED, Cut.JUDGING)
SLOWLY = [pytest.param(cut, marks=() if cut in QUICK else pytest.mark.slow) for cut in CUTS]


@pytest.mark.parametrize("cut", SLOWLY)
def test_wherever_a_run_is_cut_off_it_goes_on_to_the_same_bits(
    simulated, whole, left, tmp_path, cut
):
    words = (*SEEDED, *MECHANISMS["adaptive"], *MECHANISMS["dpsgd"], *FEW)
    with cut_off(cut, number=2):
        simulated(tmp_path, *words)
    go_on(left(tmp_path))
    assert files(left(tmp_path)) == whole(*words)


@pytest.mark.slow
@pytest.mark.parametrize("every", [2, 3])
def test_rounds_between_two_checkpoints_and_two_evaluations_are_made_again(
    simulated, whole, left, tmp_path, every
):
    words = (*SEEDED, *MECHANISMS["dpsgd"], *FEW, "simulation.evaluate_every=3")
    words = (*words, f"checkpoint.every={every}", "server.cohort=6")
    with cut_off(Cut.CHARGED, number=4):
        simulated(tmp_path, *words)
    go_on(left(tmp_path))
    assert files(left(tmp_path)) == whole(*words)


@pytest.mark.slow
def test_a_run_that_is_cut_off_again_and_again_comes_to_its_end(
    simulated, whole, left, tmp_path
):
    words = (*SEEDED, *MECHANISMS["separated"], *FEW, "privacy/example=none")
    with cut_off(Cut.CHARGED, number=1):
        simulated(tmp_path, *words)
    for number, cut in ((1, Cut.KEPT), (2, Cut.JUDGED), (2, Cut.CHARGED)):
        with cut_off(cut, number=number):
            go_on(left(tmp_path))
    go_on(left(tmp_path))
    assert files(left(tmp_path)) == whole(*words)


@pytest.mark.slow
@pytest.mark.parametrize("mechanism", ["dpsgd", "gaussian", "adaptive", "local"])
def test_under_secure_noise_a_lost_round_is_drawn_afresh_and_charged_again(
    simulated, left, tmp_path, verified, mechanism
):
    shared = () if mechanism == "dpsgd" else ("privacy/example=none",)
    words = (*MECHANISMS[mechanism], *shared, *FEW, "server.cohort=6")
    with cut_off(Cut.CHARGED, number=2):
        simulated(tmp_path, *words)
    go_on(left(tmp_path))
    run = left(tmp_path)
    unit = "example" if mechanism == "dpsgd" else "device"
    lines = (run.ledgers / f"{unit}.jsonl").read_text().splitlines()[1:]
    tries = [(one["round"], one["attempt"]) for one in (json.loads(x)["body"] for x in lines)]
    # Four charges are promised, of each device or of the server: a lost one is among them.
    assert tries == [(1, 0), (2, 0), (2, 1), (3, 0)]
    assert run.summary["round"] == (3 if mechanism in ("gaussian", "adaptive") else 4)
    spent = run.summary["privacy"][unit]
    assert spent["worst"] == spent["ceiling"]
    assert verified(run.path)[0]
