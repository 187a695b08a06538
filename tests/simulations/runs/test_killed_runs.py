"""Processes that are killed or stopped at named points: nothing that was released is lost."""

import json
import os
import signal
from collections import Counter
from unittest.mock import patch

import pytest
from resumed_runs import CUTS, Cut, dying, files, go_on

from privacy.ledger.chain import examine
from simulations.runs import run as performing
from simulations.runs.checkpoints.checkpoint_folder import CheckpointFolder
from simulations.runs.run_folder import RunFolder

pytestmark = pytest.mark.slow
SEEDED = (
    "privacy.noise=insecure_seeded",
    "privacy.example.epsilon=null",
    "privacy.example.noise_multiplier=2",
    "server.rounds=3",
    "server.cohort=3",
    "server/optimizer=adam",
)
SECURE = ("privacy.noise=secure", *SEEDED[1:])
CENTRAL = (
    "privacy.device.delta=1e-3",
    "privacy.device.epsilon=null",
    "privacy.device.noise_multiplier=2",
)
KINDS = ("adaptive", "gaussian", "matrix", "none", "local")
"""What protects libraries, one for each of the five seeds."""

WAYS = ("SIGTERM", "SIGKILL", "Ctrl-C", "Ctrl-C twice")
KILLED = 99
SEEDS = [pytest.param(seed, marks=pytest.mark.exhaustive if seed else ()) for seed in range(5)]


def words_of(seed):
    kind = KINDS[seed]
    at_server = CENTRAL if kind not in ("none", "local") else ()
    local = CENTRAL[1:] if kind == "local" else ()
    return (*SEEDED, f"seed={seed}", f"privacy/device={kind}", *at_server, *local)


def in_a_process(work):
    """Runs ``work`` in a process of its own; returns how it ended, as a shell has it."""
    child = os.fork()
    if child == 0:
        status = KILLED
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            work()
            status = 0
        except KeyboardInterrupt:
            status = 130
        except SystemExit as end:
            status = end.code
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def stops(way):
    """What happens at the point: a signal to the process itself."""
    number = {"SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL}.get(way, signal.SIGINT)
    return lambda: os.kill(os.getpid(), number)


def ended(simulated, runs, words, *, cut, way, number=2):
    """A run in a process of its own that is ended at ``cut``; returns its exit status."""
    saving = performing._leave_early

    def again(*given, **named):
        stops(way)()
        saving(*given, **named)

    def work():
        twice = again if way == "Ctrl-C twice" else saving
        with (
            patch.object(performing, "_leave_early", twice),
            dying(cut, number=number, die=stops(way)),
        ):
            simulated(runs, *words)

    return in_a_process(work)


@pytest.fixture(scope="module")
def whole(simulated, tmp_path_factory):
    """What an uninterrupted run leaves, and the models of its rounds, once for each seed."""
    found = {}

    def whole(words):
        if words not in found:
            models = {}
            honest = CheckpointFolder.save

            def remembered(self, checkpoint):
                models[checkpoint.server.round] = checkpoint.server.model.tobytes()
                honest(self, checkpoint)

            with patch.object(CheckpointFolder, "save", remembered):
                left = simulated(tmp_path_factory.mktemp("whole"), *words)
            found[words] = files(left), models
        return found[words]

    return whole


def charges(folder):
    """How often each charge stands in the ledgers of a run."""
    return Counter(
        (path.stem, line.record)
        for path in folder.ledgers.glob("*.jsonl")
        for line in examine(folder.ledgers, path.stem).lines[1:]
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cut", CUTS)
def test_a_killed_run_goes_on_to_the_same_bits(
    simulated, whole, left, tmp_path, measured, cut, seed
):
    words = words_of(seed)
    wanted, _ = whole(words)
    assert ended(simulated, tmp_path, words, cut=cut, way="SIGKILL") == 128 + signal.SIGKILL
    paid = charges(left(tmp_path))
    assert in_a_process(lambda: go_on(left(tmp_path))) == 0
    run = left(tmp_path)
    assert files(run) == wanted
    assert paid <= charges(run)
    assert run.summary["status"] == "finished"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cut", CUTS)
def test_however_a_run_is_stopped_the_model_of_the_last_released_round_is_there(
    simulated, whole, left, tmp_path, verified, cut, way
):
    words = words_of(0)
    _, models = whole(words)
    status = ended(simulated, tmp_path, words, cut=cut, way=way)
    assert status == {"SIGTERM": 143, "SIGKILL": 137}.get(way, 130)
    run = left(tmp_path)
    rounds = [json.loads(line)["round"] for line in RunFolder(run.path).rows()]
    seen = max(rounds, default=None)
    kept = CheckpointFolder(run.checkpoints).load().checkpoint
    if seen is not None:
        assert kept.server.round >= seen
    if kept is not None:
        assert kept.server.model.tobytes() == models[kept.server.round]
    assert len(set(rounds)) == len(rounds)
    if way in ("SIGTERM", "Ctrl-C") and (run.private / "summary.json").exists():
        holds, said = verified(run.path)
        assert holds, said
        worst = run.summary["privacy"]["device"]["worst"]
        assert worst == pytest.approx(run.card["device"]["as_it_ran"]["worst"])


@pytest.mark.parametrize("cut", CUTS)
def test_under_secure_noise_a_killed_run_goes_on_and_its_ledger_is_never_below_the_truth(
    simulated, left, tmp_path, verified, cut
):
    words = (*SECURE, "privacy/device=gaussian", *CENTRAL)
    assert ended(simulated, tmp_path, words, cut=cut, way="SIGKILL") == 128 + signal.SIGKILL
    paid = charges(left(tmp_path))
    assert in_a_process(lambda: go_on(left(tmp_path))) == 0
    run = left(tmp_path)
    assert paid <= charges(run)
    found = examine(run.ledgers, "device").spent.charges
    assert run.summary["round"] <= found <= 3
    chosen = run.config.protection(devices=6).device.mechanism
    assert run.summary["privacy"]["device"]["worst"] == chosen.epsilon(found)
    holds, said = verified(run.path)
    assert holds, said


def test_a_run_that_two_processes_want_is_the_first_ones(simulated, left, tmp_path):
    simulated(tmp_path, *words_of(3))
    run = RunFolder(left(tmp_path).path)
    with run.held(), pytest.raises(ValueError, match="running in another process"), run.held():
        pass


def test_every_point_is_one_of_twelve():
    assert len(CUTS) == 12
    assert Cut.CHARGED in CUTS
