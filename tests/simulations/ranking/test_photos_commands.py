"""The commands that make and look at photographs say what to type next."""

import shlex

import pytest

from simulations.configuration.hydra_bridge import compose


@pytest.mark.parametrize(
    ("devices", "sizes"),
    [
        ("72", []),
        ("2", ["photos.held_out_devices=1", "server.cohort=1"]),
        ("90", ["photos.held_out_devices=30", "server.cohort=48"]),
    ],
)
def test_the_next_command_after_a_sample_runs_over_it(darkroom, monkeypatch, devices, sizes):
    monkeypatch.setattr("photos.sample.sample.write_sample", lambda *given, **named: None)
    _, out, _ = darkroom("photos", "sample", "a, (b)", "--devices", devices)
    words = shlex.split(out.splitlines()[-1].removeprefix("Next: "))
    root = 'photos.root="a, (b)"'
    assert words == ["darkroom", "simulate", "experiment=real-photos", root, *sizes]
    assert compose(words[2:]).photos.root == "a, (b)"
