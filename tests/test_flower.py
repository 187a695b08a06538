"""`flwr run .` in a copy of the checkout: Flower's own processes, the very same apps."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import torch
from own_encoders import WIDTH, onnx_file, package
from photo_files import photo
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


def written(config, words, *, output, environment):
    """Writes a run-config for Flower that keeps the model."""
    darkroom = [sys.executable, "-m", "simulations.command", "simulate", *words]
    line = [*darkroom, "--flower", str(config)]
    subprocess.run(line, check=True, timeout=240, cwd=ROOT, env=environment)
    with config.open("a") as file:
        file.write(f'output = "{output}"\n')


def same_as_in_process(flowers, words, *, runs, environment):
    """Compares a model with that of the in-process grid; returns it."""
    darkroom = [sys.executable, "-m", "simulations.command", "simulate", *words]
    line = [*darkroom, f"simulation.runs={runs}"]
    subprocess.run(
        line, check=True, timeout=240, cwd=ROOT, env=environment, capture_output=True
    )
    (model,) = runs.glob("*/*/model.safetensors")
    ours, theirs = load_file(model), load_file(flowers)
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(theirs[name], ours[name], rtol=1e-5, atol=1e-6)
    return ours


PRIVATE = ("experiment=flower", "privacy/example=dpsgd", "privacy.noise=insecure_seeded")


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
    ours = os.environ | {"PYTHONPATH": str(folder)}
    config, output = tmp_path / "run.toml", tmp_path / "flower.safetensors"
    named = ["ranking.encoder.name=colours"] if kind == "module" else []
    words = [*PRIVATE, f"ranking/encoder={kind}", *named]
    written(config, words, output=output, environment=ours)
    streamed = streamed_run(config, app=app, environment=environment)
    assert output.is_file(), streamed[-4000:]
    model = same_as_in_process(output, words, runs=tmp_path / "runs", environment=ours)
    width = model["list_ranker.taste.weight"].shape[1]
    assert width == {"real": 64, "module": 3}[kind]
    assert any(name.startswith("encoder.") for name in model) == (kind == "real")


def started(line, *, environment, log):
    """Starts one of Flower's daemons; the environment's fixture ends it."""
    with log.open("w") as said:
        return subprocess.Popen(line, env=environment, stdout=said, stderr=subprocess.STDOUT)


def wait_for(host, port, *, seconds=120):
    """Waits until somebody listens there."""
    end = time.monotonic() + seconds
    while True:
        try:
            with socket.create_connection((host, port), timeout=1):
                return
        except OSError:
            assert time.monotonic() < end, f"nobody listens at {host}:{port}"
            time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="ends Flower's daemons through /proc")
def test_devices_train_by_the_onnx_file_that_each_owner_names(app, environment, tmp_path):
    """A device's node-config is what its SuperNode is started with; here each has a copy."""
    file = onnx_file(tmp_path / "own.onnx", shape=("photos", 3, 48, 48))
    config, output = tmp_path / "run.toml", tmp_path / "flower.safetensors"
    small = ("photos.devices=2", "photos.held_out_devices=1", "server.cohort=2")
    chosen = ("ranking/encoder=onnx", f"ranking.encoder.file={file}")
    words = [*PRIVATE, *small, "server.rounds=1", *chosen]
    written(config, words, output=output, environment=os.environ)
    link = f"127.0.0.1:{free_port()}"
    host, _, port = link.partition(":")
    line = ["flower-superlink", "--insecure", "--disable-runtime-dependency-installation"]
    line += ["--host", host, "--port", port]
    started(line, environment=environment, log=tmp_path / "link.log")
    wait_for(host, int(port))
    for device in range(2):
        own = shutil.copyfile(file, tmp_path / f"device-{device}.onnx")
        node = f'partition-id={device} num-partitions=2 encoder="{own}"'
        line = ["flower-supernode", "--insecure", "--superlink", link, "--node-config", node]
        line += ["--port", str(free_port())]
        started(line, environment=environment, log=tmp_path / f"node-{device}.log")
    home = Path(environment["FLWR_HOME"])
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(
        f'[superlink.devices]\naddress = "{link}"\ninsecure = true\n'
    )
    file.unlink()
    run = ("run", ".", "devices", "--stream", "--run-config", str(config))
    streamed = flwr(*run, app=app, environment=environment)
    logs = "".join(log.read_text()[-2000:] for log in tmp_path.glob("*.log"))
    assert output.is_file(), streamed[-4000:] + logs
    shutil.copyfile(own, file)
    model = same_as_in_process(output, words, runs=tmp_path / "runs", environment=os.environ)
    assert model["list_ranker.taste.weight"].shape[1] == WIDTH


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="ends Flower's daemons through /proc")
def test_a_simulation_of_flowers_reads_the_researchers_own_photographs(
    app, environment, tmp_path
):
    """Run and machine have one owner, so the folder that the run names is theirs."""
    for device in range(2):
        for moment in range(4):
            for shot in range(2):
                place = tmp_path / "photos" / f"person {device}" / f"moment {moment}"
                photo(place / f"{shot}.jpg", 10 * device + moment, like=shot)
    config = tmp_path / "run.toml"
    words = ["experiment=flower", "photos=folder", f"photos.root={tmp_path / 'photos'}"]
    words += ["photos.devices=2", "photos.held_out_devices=0", "server.cohort=2"]
    darkroom = [sys.executable, "-m", "simulations.command", "simulate", *words]
    subprocess.run([*darkroom, "--flower", str(config)], check=True, timeout=120, cwd=ROOT)
    streamed = streamed_run(config, app=app, environment=environment)
    assert streamed.count("2 of 2 updates admitted") == 2, streamed[-4000:]
