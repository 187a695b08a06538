"""`flwr run .` in a copy of the checkout: Flower's own processes, the very same apps."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from own_encoders import package
from safetensors.torch import load_file

from privacy.ledger.chain import examine
from privacy.statements.recomputation import state
from ranking.initial import initial_ranker
from simulations.configuration.hydra_bridge import compose

ROOT = Path(__file__).parents[1]
FEDERATION = "num-supernodes=4 client-resources-num-cpus=1"
BUNDLED = (
    "client",
    "conf",
    "photos",
    "privacy",
    "protocol",
    "ranking",
    "server",
    "simulations",
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def app(tmp_path):
    copy = tmp_path / "darkroom"
    copy.mkdir()
    for name in BUNDLED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE", "README.md", ".gitignore"):
        shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture
def environment(tmp_path):
    home = str(tmp_path / "flower-home")
    # A folder of its own, with a short name for Ray's sockets: Flower's simulation would join
    # a cluster that another test has started.
    ray_folder = tempfile.mkdtemp(prefix="darkroom-")
    yield os.environ | {
        "FLWR_HOME": home,
        "FLWR_LOCAL_SUPERLINK_HTTP_API_PORT": str(free_port()),
        "FLWR_TELEMETRY_ENABLED": "0",
        "FLWR_DISABLE_UPDATE_CHECK": "1",
        "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_TMPDIR": ray_folder,
        "UV_OFFLINE": "1",
        "PYTHONPATH": "",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    for pid in processes_of(home):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(ray_folder, ignore_errors=True)


def processes_of(home):
    """Every process that was born with this FLWR_HOME: Flower's daemons outlive a run."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            born_with = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"FLWR_HOME={home}".encode() in born_with:
            yield int(folder.name)


def flwr(*words, app, environment):
    done = subprocess.run(
        ["flwr", *words], cwd=app, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def streamed_run(config, *, app, environment):
    words = ["--stream", "--run-config", str(config), "--federation-config", FEDERATION]
    return flwr("run", ".", *words, app=app, environment=environment)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="ends Flower's daemons through /proc")
def test_flwr_run_gives_the_parameters_of_the_in_process_grid(app, environment, tmp_path):
    config = tmp_path / "run.toml"
    darkroom = [sys.executable, "-m", "simulations.command", "simulate", "experiment=flower"]
    runs = f"simulation.runs={tmp_path / 'runs'}"
    subprocess.run([*darkroom, "--flower", str(config)], check=True, timeout=120, cwd=ROOT)
    subprocess.run([*darkroom, runs], check=True, timeout=240, cwd=ROOT, capture_output=True)
    output = tmp_path / "flower.safetensors"
    with config.open("a") as file:
        file.write(f'output = "{output}"\n')
    streamed = streamed_run(config, app=app, environment=environment)
    (run,) = json.loads(flwr("ls", "--format", "json", app=app, environment=environment))[
        "runs"
    ]
    assert run["status"] == "finished:completed", streamed[-4000:]
    (model,) = (tmp_path / "runs").glob("*/private/model.safetensors")
    ours, flowers = load_file(model), load_file(output)
    assert ours.keys() == flowers.keys()
    untrained = initial_ranker(compose(["experiment=flower"]).ranking, seed=0).state_dict()
    assert not torch.equal(
        ours["list_ranker.token.weight"], untrained["list_ranker.token.weight"]
    )
    for name in ours:
        torch.testing.assert_close(flowers[name], ours[name], rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="ends Flower's daemons through /proc")
def test_a_private_flwr_run_keeps_a_ledger_and_logs_no_count(app, environment, tmp_path):
    config = tmp_path / "run.toml"
    words = ["experiment=flower", "privacy/example=dpsgd", "privacy/device=adaptive"]
    words += ["privacy.device.delta=1e-3", "--flower", str(config)]
    darkroom = [sys.executable, "-m", "simulations.command", "simulate"]
    subprocess.run([*darkroom, *words], check=True, timeout=120, cwd=ROOT)
    streamed = streamed_run(config, app=app, environment=environment)
    assert (tmp_path / "run.ledger").is_dir(), streamed[-3000:]
    (ledger,) = (tmp_path / "run.ledger").iterdir()
    found = examine(ledger, "device")
    assert found.spent.charges == 2
    assert state(found.terms, found.spent).claim
    assert "each device's whole library" in streamed
    assert "round 2 of 2 released, clip " in streamed
    assert "admitted" not in streamed


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="ends Flower's daemons through /proc")
@pytest.mark.parametrize("kind", ["real", "module"])
def test_flwr_run_trains_over_an_encoder_that_no_bundle_carries(
    app, environment, tmp_path, kind
):
    """The shipped one comes with the weights; a user's own is installed on the device."""
    code = "def colours(settings):\n    return lambda photos: photos.mean((-1, -2))\n"
    folder = package(tmp_path / "own", code=code, names=["colours"])
    environment["PYTHONPATH"] = str(folder)
    config, output = tmp_path / "run.toml", tmp_path / "flower.safetensors"
    words = ["experiment=flower", f"ranking/encoder={kind}", "privacy/example=dpsgd"]
    words += ["ranking.encoder.name=colours"] if kind == "module" else []
    darkroom = [sys.executable, "-m", "simulations.command", "simulate", *words]
    subprocess.run(
        [*darkroom, "--flower", str(config)],
        check=True,
        timeout=120,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(folder)},
    )
    with config.open("a") as file:
        file.write(f'output = "{output}"\n')
    streamed = streamed_run(config, app=app, environment=environment)
    assert output.is_file(), streamed[-4000:]
    model = load_file(output)
    width = model["list_ranker.taste.weight"].shape[1]
    assert width == {"real": 64, "module": 3}[kind]
    assert any(name.startswith("encoder.") for name in model) == (kind == "real")
