from dataclasses import dataclass
from types import SimpleNamespace
from typing import Literal

import pytest

from privacy.mechanisms.registry import DEVICE
from protocol.rebuild import SettingError
from server.aggregation.rules import RULES, check_protected
from server.aggregation.uniform_mean import UniformMean


@dataclass(frozen=True)
class Unbounded:
    rule: Literal["median"] = "median"
    sensitivity: None = None

    def aggregate(self, deltas):
        return None


def kind(device):
    """What a kind of settings of the unit device says of itself."""
    return SimpleNamespace(mechanism=device, at_server=DEVICE[device].at_server)


def test_every_rule_has_the_name_under_which_it_is_found():
    assert {name: kind().rule for name, kind in RULES.items()} == {name: name for name in RULES}


@pytest.mark.parametrize("device", ["gaussian", "adaptive", "matrix", "auto"])
def test_a_rule_without_a_bound_is_refused_where_the_server_protects_devices(device):
    with pytest.raises(SettingError) as refused:
        check_protected(Unbounded(), device=kind(device))
    assert str(refused.value) == (
        "server.aggregation.rule=median has no bound on how far one device moves its result, "
        f"which privacy/device={device} needs; take server/aggregation=mean, or "
        "privacy/device=none or local."
    )
    check_protected(UniformMean(), device=kind(device))


@pytest.mark.parametrize("device", ["gaussian", "adaptive", "matrix", "auto"])
def test_no_other_rule_is_taken_for_the_noisy_mean_of_a_mechanism(device):
    bounded = SimpleNamespace(rule="trimmed", sensitivity=2.0)
    with pytest.raises(SettingError, match="would be replaced by the noisy mean"):
        check_protected(bounded, device=kind(device))


@pytest.mark.parametrize("device", ["none", "local"])
def test_any_rule_will_do_where_the_server_adds_no_noise(device):
    check_protected(Unbounded(), device=kind(device))
