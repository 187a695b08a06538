"""Every value has a type and a range, and one outside is refused with the setting's name."""

import copy
import functools
import math
import operator
from typing import Literal, get_args, get_origin

import pytest
from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt

from protocol.rebuild import rebuild, to_plain
from protocol.setting_names import sections
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.overrides import SETTINGS, one_of
from simulations.configuration.settings import Config


def limits(hint):
    """The ends of a setting's range, also where it may be null."""
    parts = () if get_origin(hint) is tuple else (hint, *get_args(hint))
    declared = [one for part in parts for one in _metadata(part)]
    return [end for one in declared for end in _ends(one)]


def _metadata(hint):
    return getattr(hint, "__metadata__", ())


def _ends(limit):
    return list(limit) if isinstance(limit, GroupedMetadata) else [limit]


def outside(limit):
    match limit:
        case Gt(gt=bound) | Lt(lt=bound):
            return bound
        case Ge(ge=bound):
            return bound - 1
        case Le(le=bound):
            return bound * 2 + 1


def is_numeric(hint):
    return hint in (int, float) or bool(limits(hint))


HINTS = {path: hint for path, hint in SETTINGS.items() if not sections(hint)}
NUMERIC = [path for path, hint in HINTS.items() if is_numeric(hint)]
TAGS = [f"{section}.{kinds.tag}" for section in SETTINGS if (kinds := one_of(section))]
CHOICES = [path for path, hint in HINTS.items() if get_origin(hint) is Literal]
OUT_OF_RANGE = [(path, outside(end)) for path in NUMERIC for end in limits(HINTS[path])]
NONE = "privacy/example=none"


@pytest.fixture(scope="module")
def rebuilt(refused, taken):
    """Gives one setting of the quickstart another value; returns why that is refused."""
    plain = functools.cache(lambda *typed: to_plain(compose(typed)))

    def rebuilt(path, value):
        changed = copy.deepcopy(plain(*taken(path)))
        *at, name = path.split(".")
        inside = functools.reduce(operator.getitem, at, changed)
        inside[name] = value
        return refused(rebuild, Config, changed)

    return rebuilt


def test_every_value_out_of_range_is_refused_with_its_setting_and_the_range(rebuilt):
    for path, value in OUT_OF_RANGE:
        message = rebuilt(path, value)
        assert message.startswith(f"{path}="), message
        assert " is out of range: it must be " in message


@pytest.mark.parametrize("value", ["abc", "", True, [1], {}, math.nan, math.inf, 10**400])
def test_every_numeric_setting_refuses_what_is_no_number_in_its_range(rebuilt, value):
    for path in NUMERIC:
        assert rebuilt(path, value).startswith(f"{path}=")


@pytest.mark.parametrize(
    "path", ["seed", "photos.side", "training.rate", "server.optimizer.lr"]
)
def test_a_typed_value_is_refused_like_one_in_a_file(refusal, path):
    typed = refusal([f"{path}=-1"])
    assert typed.startswith(f"{path}=-1 is out of range: ")
    assert refusal([f"{path}=abc"]).startswith(f"{path}=abc must be a ")


@pytest.mark.parametrize("value", ["nan", "-inf", "true", "[1]"])
@pytest.mark.parametrize("path", ["training.lr", "privacy.example.epsilon"])
def test_a_number_is_finite_and_neither_a_boolean_nor_a_list(refusal, path, value):
    assert refusal([f"{path}={value}"]).startswith(f"{path}=")


@pytest.mark.parametrize("value", ["1.5", "8.0", "1e1", "null", "'8'"])
def test_a_count_is_a_whole_number(refusal, value):
    assert refusal([f"server.rounds={value}"]).endswith("must be a whole number.")


@pytest.mark.parametrize("path", [path for path in CHOICES if path not in TAGS])
def test_a_choice_that_is_none_is_refused_with_the_choices(refusal, suggests, taken, path):
    allowed = get_args(HINTS[path])
    message = refusal([*taken(path), f"{path}={allowed[0]}x"])
    assert f"is not one of {', '.join(allowed)}." in message
    assert suggests(message, allowed[0])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["photos.devices=null"], "photos.devices=null must be a whole number."),
        (
            ["privacy.example.numbers=null"],
            "privacy.example.numbers=null is not one of float64, integers.",
        ),
        (
            ["privacy/device=matrix", "privacy.device.strategy=null"],
            "privacy.device.strategy=null is not one of banded, sqrt, buffered, independent.",
        ),
        (
            ["privacy.example.delta=null"],
            "privacy.example.delta=null must be a finite number.",
        ),
    ],
)
def test_null_is_a_value_only_of_settings_that_have_it(refusal, overrides, message):
    assert refusal(overrides) == message


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["++photos.root=DIR"],
            "photos.root belongs to photos=folder: take that, or leave the setting out.",
        ),
        (
            [NONE, "privacy.example.epsilon=3"],
            "privacy.example.epsilon belongs to privacy/example=dpsgd: take that, or leave the "
            "setting out.",
        ),
        (
            [NONE, "privacy.example.max_participations=3"],
            "privacy.example.max_participations belongs to privacy/example=dpsgd: take that, "
            "or leave the setting out.",
        ),
        (
            [NONE, "privacy.example.numbers=integers"],
            "privacy.example.numbers belongs to privacy/example=dpsgd: take that, or leave the "
            "setting out.",
        ),
        (
            ["privacy/device=gaussian", "privacy.device.quantile=0.5"],
            "privacy.device.quantile belongs to privacy/device=adaptive: take that, or leave "
            "the setting out.",
        ),
        (
            ["privacy/device=none", "privacy.device.strategy=sqrt"],
            "privacy.device.strategy belongs to privacy/device=matrix or privacy/device=auto: "
            "take that, or leave the setting out.",
        ),
    ],
)
def test_a_setting_of_another_choice_is_refused_with_the_choices_that_have_it(
    refusal, overrides, message
):
    assert refusal(overrides) == message


@pytest.mark.parametrize("overrides", [[], ["photos.devices=500", "server.cohort=10"]])
def test_what_protects_a_run_follows_from_its_own_rounds_cohort_and_devices(overrides):
    config = compose(["privacy.device.epsilon=4", *overrides])
    protection = config.protection(devices=500)
    mechanism = protection.device.mechanism
    assert mechanism.sampling.expected == pytest.approx(config.server.cohort)
    assert mechanism.sampling.devices == 500
    assert mechanism.epsilon(config.server.rounds) <= 4 < mechanism.epsilon(9)
    assert protection.example.mechanism.steps == config.training.steps


def test_a_promise_that_cannot_be_met_is_refused():
    config = compose(["privacy.device.delta=0.5"])
    with pytest.raises(ValueError, match=r"^privacy\.device\.delta=0\.5 would allow"):
        config.protection(devices=120)
