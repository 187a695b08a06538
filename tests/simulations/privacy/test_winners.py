import json

import pytest

from simulations.configuration.hydra_bridge import compose
from simulations.privacy import winners as module
from simulations.privacy.winners import Measured, measured, winners

shipped = module.table
POINTS = (
    Measured(unit="device", devices=100, epsilon=2.0, trained="taste", after=0.40),
    Measured(unit="device", devices=100, epsilon=2.0, trained="head", after=0.20),
    Measured(unit="device", devices=1000, epsilon=0.5, trained="taste", after=0.5),
    Measured(unit="device", devices=1000, epsilon=2.0, trained="taste", after=0.6),
    Measured(unit="device", devices=1000, epsilon=2.0, trained="head", after=0.7),
    Measured(unit="example", devices=100, epsilon=8.0, trained="linear", after=0.3),
)


@pytest.fixture(autouse=True)
def few_points(monkeypatch):
    monkeypatch.setattr(module, "table", lambda: POINTS)


def said(*words):
    return " ".join(line.strip() for line in winners(compose(list(words))))


def test_the_winner_is_that_of_the_largest_point_not_above_the_run():
    text = said("photos.devices=5000", "privacy.device.epsilon=4", "privacy/example=none")
    assert "training head did best, 70.0, measured at 1,000 devices and ε = 2" in text
    assert "taste 60.0" in text


def test_fewer_devices_have_another_winner():
    text = said("photos.devices=999", "privacy.device.epsilon=2", "privacy/example=none")
    assert "training taste did best, 40.0, measured at 100 devices" in text


def test_below_every_point_the_smallest_is_named():
    text = said("photos.devices=60", "privacy.device.epsilon=0.1", "privacy/example=none")
    assert "measured at 100 devices and ε = 2" in text


def test_each_unit_that_is_protected_has_its_own_sentence():
    text = said("privacy.example.epsilon=8", "privacy.device.epsilon=2")
    assert "for a moment: training linear" in text
    assert "for a device: training taste" in text


def test_a_noise_multiplier_that_is_given_has_no_winner():
    words = ("privacy.device.epsilon=null", "privacy.device.noise_multiplier=1")
    assert said(*words, "privacy/example=none") == ""


def test_points_are_read_from_the_arms_of_a_study(tmp_path):
    axes = {"unit": "device", "devices": "1000", "epsilon": "2", "trained": "head"}
    control = {"population": "control", "epsilon": "2", "trained": "head"}
    alike = {"unit": "moment", "epsilon": "8", "trained": "taste"}
    arms = [
        {"name": "a", "axes": axes, "after": 0.71234},
        {"name": "b", "axes": control, "after": 0.8},
        {"name": "c", "axes": alike, "after": 0.5},
    ]
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "study.json").write_text(json.dumps({"arms": arms}))
    run = tmp_path / "private" / "c" / "seed-0" / "private"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text("photos: {devices: 1200}")
    assert measured(tmp_path) == [
        Measured(unit="device", devices=1000, epsilon=2.0, trained="head", after=0.7123),
        Measured(unit="example", devices=1200, epsilon=8.0, trained="taste", after=0.5),
    ]


def test_the_table_that_ships_can_be_read():
    for one in shipped():
        assert 0 <= one.after <= 1
