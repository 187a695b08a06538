import json

import pytest

from client.sections import ServerSteps, read_sections
from protocol.rebuild import SettingError
from protocol.setting_names import field_hints
from server.settings import Server


def changed(text, path, value):
    plain = json.loads(text)
    *sections, key = path.split(".")
    inner = plain
    for name in sections:
        inner = inner[name]
    inner[key] = value
    return json.dumps(plain)


def test_a_device_reads_only_its_own_sections(node):
    sections = read_sections(node.config(mechanism="none"))
    assert sections.ranking.trained == "head"
    assert (sections.training.rate, sections.training.steps) == (1.0, 1)
    assert not sections.private


def test_of_the_server_it_reads_how_far_that_moves_the_parameters(node):
    text = changed(node.config(), "server.optimizer", {"name": "sgd", "lr": 0.5})
    server = read_sections(text).server
    assert (server.rounds, server.cohort) == (8, 2.0)
    assert server.optimizer.farthest(4.0) == 2.0


def test_a_run_is_private_where_either_unit_is_protected(lab):
    local = {
        "mechanism": "local",
        "epsilon": None,
        "noise_multiplier": 6.0,
        "delta": 1e-5,
        "clip": 2.0,
        "max_participations": 3,
    }
    neither = lab.configuration()
    assert not read_sections(neither).private
    assert read_sections(lab.configuration(example=lab.dpsgd)).private
    assert read_sections(changed(neither, "privacy.device", local)).private


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("training.stepz", 3, r"training\.stepz.*training\.steps"),
        ("training.rate", 1.5, r"training\.rate=1\.5"),
        ("server.rounds", None, r"server\.rounds=null"),
        ("server.optimizer", {"name": "sgd"}, r"server\.optimizer\.lr"),
        ("simulation.engine", {"name": "fast"}, r"simulation\.engine\.name='?fast"),
        ("simulation.accelerator", "gpu", r"simulation\.accelerator='?gpu"),
        ("photos.source", "cloud", r"photos\.source='?cloud"),
    ],
)
def test_a_setting_that_is_unknown_missing_or_wrong_is_named(node, path, value, named):
    with pytest.raises(SettingError, match=named):
        read_sections(changed(node.config(), path, value))


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense"])
def test_what_is_no_configuration_is_refused_in_one_sentence(text):
    with pytest.raises(SettingError, match="configuration"):
        read_sections(text)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("rounds", 0, "at least 1 and at most 1000000"),
        ("rounds", 1_000_001, "at least 1 and at most 1000000"),
        ("cohort", 0.0, "above 0"),
    ],
)
def test_a_device_refuses_rounds_and_cohorts_that_no_server_runs(lab, name, value, allowed):
    plain = json.loads(lab.configuration())
    plain["server"][name] = value
    with pytest.raises(SettingError) as refused:
        read_sections(json.dumps(plain))
    assert str(refused.value) == (
        f"server.{name}={value} is out of range: it must be {allowed}."
    )


def test_a_device_reads_the_servers_settings_with_the_servers_own_types():
    own, servers = field_hints(ServerSteps), field_hints(Server)
    assert own == {name: servers[name] for name in own}
