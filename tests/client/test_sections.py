import json

import pytest

from client.sections import ServerSteps, read_sections
from protocol.rebuild import SettingError
from protocol.setting_names import field_hints
from server.settings import Server


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
