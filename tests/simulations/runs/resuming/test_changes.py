"""What may change when a run goes on: little, and all else is named."""

import pytest

from protocol.rebuild import SettingError, to_plain
from simulations.configuration.hydra_bridge import compose
from simulations.runs.resuming import changes
from simulations.runs.run_folder import RunFolder, yaml_of

CENTRAL = ("privacy/example=none", "privacy.device.delta=1e-3")


@pytest.fixture(scope="module")
def config(tiny):
    return compose([*tiny])


@pytest.fixture(scope="module")
def small(tiny):
    return lambda *words: compose([*tiny, *CENTRAL, *words])


@pytest.mark.parametrize(
    ("word", "at"),
    [
        ("simulation.workers=2", lambda one: one.simulation.workers),
        ("checkpoint.every=2", lambda one: one.checkpoint.every),
        ("server.rounds=2", lambda one: one.server.rounds),
        ("simulation.evaluate_every=2", lambda one: one.simulation.evaluate_every),
    ],
)
def test_what_may_change_is_changed(config, word, at):
    assert at(changes.changed(config, [word])) == 2


def test_what_is_typed_as_it_was_is_no_change(config):
    assert changes.changed(config, ["training.steps=1", "seed=0"]) == config


def test_all_that_may_not_change_is_named_with_both_values(config):
    with pytest.raises(SettingError) as refused:
        changes.changed(config, ["training.lr=2", "seed=7", "server.rounds=9"])
    said = str(refused.value)
    assert "training.lr=2" in said
    assert "seed=7 where it is 0" in said
    assert "server.rounds=9 " not in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "word",
    [
        "privacy.example.epsilon=3",
        "privacy.example.clip=1",
        "privacy.noise=insecure_seeded",
        "server.cohort=3",
        "server.averaged=2",
        "photos.devices=9",
        "ranking.loss=ranknet",
        "simulation.accelerator=auto",
        "simulation.dropout=0.5",
        "name=other",
    ],
)
def test_nothing_that_a_model_or_an_epsilon_follows_from_may_change(config, word):
    with pytest.raises(SettingError, match=word.partition("=")[0]):
        changes.changed(config, [word, "server.rounds=9"])


@pytest.mark.parametrize(
    ("word", "match"),
    [
        ("privacy/device=gaussian", "beside resume=RUN"),
        ("experiment=quickstart", "beside resume=RUN"),
        ("server.rounds=3,4", "beside resume=RUN"),
        ("server.rouds=3", "server.rounds"),
        ("+server.rounds=3", "needs no"),
        ("server.rounds=-1", "server.rounds"),
        ("server.rounds=1", "fewer than"),
        ("server", "server"),
    ],
)
def test_what_is_no_change_of_a_setting_is_one_sentence(config, word, match):
    with pytest.raises(SettingError, match=match) as refused:
        changes.changed(config, [word])
    assert "\n" not in str(refused.value)


def test_more_rounds_go_on_with_the_noise_that_was_derived_and_cost_more(small):
    before = small("privacy/device=gaussian", "privacy.device.epsilon=5")
    more = changes.changed(before, ["server.rounds=6"])
    after = changes.lengthened(before, more, devices=6)
    was, now = before.protection(devices=6), after.protection(devices=6)
    assert now.device.mechanism == was.device.mechanism
    assert (was.device.times, now.device.times) == (2, 6)
    (said,) = changes.said(was, now)
    assert "after 6 rounds, where it was 5.00 after 2" in said
    assert now.device.mechanism.epsilon(6) > 5


def test_a_budget_beside_given_noise_still_ends_the_run(small):
    words = ("privacy.device.epsilon=5", "privacy.device.noise_multiplier=1.5")
    before = small("privacy/device=gaussian", *words)
    after = changes.lengthened(before, changes.changed(before, ["server.rounds=9"]), devices=6)
    protection = after.protection(devices=6)
    assert protection.device.mechanism.epsilon(protection.rounds) <= 5


def test_the_epsilon_of_a_moment_does_not_move_with_the_rounds(config):
    after = changes.lengthened(config, changes.changed(config, ["server.rounds=9"]), devices=6)
    both = [one.protection(devices=6) for one in (config, after)]
    (said,) = changes.said(*both)
    assert both[0].example.mechanism == both[1].example.mechanism
    assert "stays at most 7.99: a device declines after 2 visits" in said


@pytest.mark.parametrize("noise", ["privacy.device.epsilon=5", "privacy.device.epsilon=null"])
def test_correlated_noise_is_shaped_for_its_rounds_and_cannot_be_lengthened(small, noise):
    given = ("privacy.device.noise_multiplier=2",) if "null" in noise else ()
    before = small("privacy/device=matrix", noise, *given, "server.cohort=1")
    with pytest.raises(SettingError, match="cannot be lengthened"):
        changes.lengthened(before, changes.changed(before, ["server.rounds=6"]), devices=6)


@pytest.mark.parametrize("text", [None, "", "[]", "name: 1", "a: b: c", "\x00", "seed: {}"])
def test_a_folder_without_a_whole_configuration_is_one_sentence(tmp_path, text):
    folder = RunFolder.at(tmp_path / "run")
    if text is not None:
        (folder.private / "config.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"config\.yaml is (missing|damaged)") as refused:
        changes.config_of(folder)
    assert "\n" not in str(refused.value)


def test_the_configuration_of_a_run_is_read_again(config, tmp_path):
    folder = RunFolder.at(tmp_path / "run")
    (folder.private / "config.yaml").write_text(yaml_of(to_plain(config)))
    assert changes.config_of(folder) == config
