"""The command, as it is typed: a mistake costs one sentence and writes nothing."""

import json
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from protocol.rebuild import from_json
from simulations import command
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.settings import Config

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "flwr", "opacus", "ray", "scipy", "PIL", "dp_accounting"}


@pytest.fixture
def simulated(monkeypatch):
    """Takes the place of the simulation: remembers what it was asked to run."""
    asked = []

    def record(config, overrides):
        asked.append((config, overrides))
        return 0

    monkeypatch.setattr(command, "_simulate", record)
    return asked


def process(*words, folder):
    line = [sys.executable, "-m", "simulations.command", *words]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "HYDRA_FULL_ERROR": "1"}
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["+privacy.example.epsilom=3"],
            "'privacy.example.epsilom' is not a setting. "
            "Did you mean 'privacy.example.epsilon'?",
        ),
        (["experiment=quikstart"], "experiment=quikstart is not one of "),
        (["server.cohort=121"], "server.cohort=121 exceeds the number of devices that "),
    ],
)
def test_a_mistake_is_one_sentence_exit_1_and_nothing_written(words, sentence, tmp_path):
    done = process("simulate", *words, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"darkroom: {sentence}")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_hydras_own_help_is_shown_beside_any_setting(tmp_path):
    done = process("simulate", "--hydra-help", "server.rounds=3", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--multirun" in done.stdout


@pytest.mark.parametrize("words", [["--help"], ["--cfg", "job"], ["seed=-1"], ["nothing"]])
def test_help_and_mistakes_answer_before_anything_heavy_is_imported(words):
    program = (
        "import json, sys; from simulations import command\n"
        f"sys.argv = ['darkroom', 'simulate', *{words!r}]\n"
        "try: command.main()\n"
        "finally: print('\\n' + json.dumps(sorted(sys.modules)))"
    )
    line = [sys.executable, "-c", program]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    modules = {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert not modules & HEAVY


def test_no_arguments_run_the_quickstart(darkroom, simulated):
    assert darkroom("simulate")[0] == 0
    assert simulated == [(compose([]), ())]


def test_overrides_reach_the_simulation_with_what_was_typed(darkroom, simulated):
    darkroom("simulate", "experiment=no-privacy", "seed=3")
    ((config, overrides),) = simulated
    assert (config.name, config.seed) == ("no-privacy", 3)
    assert overrides == ("experiment=no-privacy", "seed=3")


def test_the_status_of_the_simulation_is_the_status_of_the_command(darkroom, monkeypatch):
    monkeypatch.setattr(command, "_simulate", lambda config, overrides: 1)
    assert darkroom("simulate")[0] == 1
    assert darkroom("simulate", "-m", "seed=1,2")[0] == 1


def test_a_failing_job_does_not_end_the_sweep(darkroom, monkeypatch):
    ran = []

    def fail_at_first(config, overrides):
        ran.append(config.seed)
        if config.seed == 1:
            raise ValueError("seed 1 is unlucky.")
        return 0

    monkeypatch.setattr(command, "_simulate", fail_at_first)
    status, _, said = darkroom("simulate", "-m", "seed=1,2")
    assert (status, ran) == (1, [1, 2])
    assert "darkroom: seed 1 is unlucky." in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["simulat"],
            "'simulat' is not a command. Did you mean 'simulate'? See: darkroom --help",
        ),
        (["photos", "sampel", "DIR"], "No such command 'sampel'. Did you mean 'sample'?"),
        (["simulate", "--multirn"], "'--multirn' is not a flag. Did you mean '--multirun'?"),
        (["simulate", "--experimental-rerun", "x"], "'--experimental-rerun' is not a flag."),
        (
            ["simulate", "--cfg", "jobb"],
            "--cfg takes one of job, hydra, all, not 'jobb'. Did you mean 'job'?",
        ),
        (
            ["simulate", "--cfg", "job", "sede=1"],
            "'sede' is not a setting. Did you mean 'seed'?",
        ),
        (["simulate", "-m", "sede=1,2"], "'sede' is not a setting. Did you mean 'seed'?"),
        (
            ["simulate", "-m", "photos=a,b"],
            "photos=a is not one of flair, flickr_aes, folder, library, para, photo_triage, "
            "synthetic.",
        ),
        (
            ["pretrain", "--seed", "-1"],
            "--seed takes a whole number of at least 0.",
        ),
        (
            ["photos", "sample", "DIR", "--devices", "abc"],
            "--devices takes a whole number from 2 to 1000.",
        ),
        (
            ["photos", "sample", "DIR", "--devics", "3"],
            "'--devics' is not an option. Did you mean '--devices'?",
        ),
        (["rank", "--zzz", "3"], "'--zzz' is not an option. See --help."),
        (
            ["pretrain", "--out", "nowhere/x"],
            "--out nowhere/x: no file can be written in nowhere; make it first.",
        ),
        (["bench", "--out", "."], "--out . is a folder; name a file."),
        (
            ["simulate", "-m", "privacy.example.epsilon=4,1e-9"],
            "privacy.example.epsilon=1e-09 cannot be met with 16 steps at δ = 1e-05; raise it, "
            "or lower training.steps or privacy.example.max_participations.",
        ),
        *[
            (
                ["rank", *words],
                "rank takes a folder of photographs, and before it a run where the public "
                "ranker shall not rank: darkroom rank [RUN] DIR",
            )
            for words in ([], ["a", "b", "c"], ["--force"])
        ],
        (["rank", "a", "--xpm", "b"], "'--xpm' is not an option. Did you mean '--xmp'?"),
        (["rank", "a", "--out"], "Option '--out' requires an argument."),
        (
            ["simulate", "--flower"],
            "--flower needs a file: darkroom simulate --flower run.toml",
        ),
        (
            ["simulate", "--flower", "run"],
            "--flower run: Flower reads a run-config from a file in .toml; name it so.",
        ),
        (
            ["simulate", "--flower", "nowhere/run.toml"],
            "--flower nowhere/run.toml: its folder does not exist; make it first.",
        ),
    ],
)
def test_a_mistyped_word_is_one_sentence(darkroom, words, sentence):
    status, out, err = darkroom(*words)
    assert (status, out, err) == (1, "", f"darkroom: {sentence}\n")


def test_an_interrupt_is_one_line_and_130(darkroom, monkeypatch):
    def interrupted(config, overrides):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_simulate", interrupted)
    status, _, err = darkroom("simulate")
    assert (status, err.strip()) == (130, "darkroom: interrupted.")


def test_text_that_cannot_be_encoded_is_a_fault_not_a_refusal(monkeypatch):
    def broken(config, overrides):
        "\ud800".encode()

    monkeypatch.setattr(command, "_simulate", broken)
    monkeypatch.setattr(sys, "argv", ["darkroom", "simulate"])
    with pytest.raises(UnicodeEncodeError):
        command.main()


def test_a_terminal_without_greek_letters_shows_their_numbers(tmp_path):
    line = [sys.executable, "-m", "simulations.command", "simulate", "name=δ"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stderr.startswith("darkroom: 'name=\\u03b4' is not name=value")


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    def broken(config, overrides):
        raise RuntimeError("a fault")

    monkeypatch.setattr(command, "_simulate", broken)
    monkeypatch.setattr(sys, "argv", ["darkroom", "simulate"])
    with pytest.raises(RuntimeError, match="a fault"):
        command.main()


def test_help_has_one_line_for_each_command(darkroom):
    status, out, _ = darkroom("--help")
    assert status == 0
    for name in ("simulate", "pretrain", "rank", "photos"):
        assert name in out
    assert darkroom()[0] == 0


def test_the_version_is_printed(darkroom):
    status, out, _ = darkroom("--version")
    assert status == 0
    assert out[0].isdigit()


def test_help_of_simulate_lists_groups_and_settings(darkroom):
    status, out, _ = darkroom("simulate", "--help")
    assert status == 0
    assert "privacy/example: dpsgd, none" in out
    assert "  device:\n    mechanism: gaussian\n" in out
    assert "max_participations: ${server.rounds}" in out
    assert "darkroom simulate --cfg job --resolve" in out


def test_help_shows_what_a_choice_has_and_refuses_one_that_is_not_there(darkroom):
    status, out, _ = darkroom("simulate", "privacy/device=matrix", "--help")
    assert (status, "buffers" in out) == (0, True)
    status, out, error = darkroom("simulate", "privacy/device=matrx", "-h")
    assert (status, out) == (1, "")
    assert error.startswith("darkroom: privacy/device=matrx is not one of adaptive, auto,")


def test_the_shell_completes_settings_after_simulate(darkroom, monkeypatch):
    monkeypatch.setenv("COMP_LINE", "darkroom simulate server.rou")
    status, out, _ = darkroom("-sc", "query=bash")
    assert (status, out.strip()) == (0, "server.rounds=")


@pytest.mark.parametrize("flag", [["--flower", "run.toml"], ["--flower=run.toml"]])
def test_flowers_file_holds_the_configuration_with_absolute_paths(darkroom, tmp_path, flag):
    overrides = ["photos=folder", "photos.root=DIR", "seed=5"]
    status, out, _ = darkroom("simulate", *overrides, *flag)
    assert status == 0
    assert "flwr run . --stream --run-config run.toml" in out
    written = tomllib.loads((tmp_path / "run.toml").read_text())
    config = from_json(Config, written["config"])
    assert (config.seed, config.photos.root) == (5, str(tmp_path / "DIR"))
    assert Path(config.ranking.weights).is_absolute()


def test_flowers_telemetry_and_update_check_are_off():
    program = "import simulations.command, os; print(os.environ['FLWR_TELEMETRY_ENABLED'])"
    line = [sys.executable, "-c", program]
    environment = {"FLWR_TELEMETRY_ENABLED": "1", "PATH": ""}
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout == "0\n"


def test_the_next_command_after_a_file_for_flower_can_be_typed(darkroom):
    _, out, _ = darkroom("simulate", "experiment=flower", "--flower", "it's mine.toml")
    (line,) = [line for line in out.splitlines() if line.startswith("Next: ")]
    assert shlex.split(line)[-2:] == ["--run-config", "it's mine.toml"]
