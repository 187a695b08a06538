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


def _parts(hint):
    """A setting's type, and those that it is one of, where it may be null."""
    return () if get_origin(hint) is tuple else (hint, *get_args(hint))


def limits(hint):
    """The ends of a setting's range, also where it may be null."""
    declared = [one for part in _parts(hint) for one in _metadata(part)]
    return [end for one in declared for end in _ends(one)]


def _metadata(hint):
    return getattr(hint, "__metadata__", ())


def _ends(limit):
    return list(limit) if isinstance(limit, GroupedMetadata) else [limit]


def about(limit, *, whole):
    """The last number that a limit lets through, and the first one that it does not."""

    def beside(bound, towards):
        return (
            bound + int(math.copysign(1, towards)) if whole else math.nextafter(bound, towards)
        )

    match limit:
        case Ge(ge=bound):
            return bound, beside(bound, -math.inf)
        case Le(le=bound):
            return bound, beside(bound, math.inf)
        case Gt(gt=bound):
            return beside(bound, math.inf), bound
        case Lt(lt=bound):
            return beside(bound, -math.inf), bound


def is_numeric(hint):
    return hint in (int, float) or bool(limits(hint))


def is_whole(hint):
    return any(int in (part, *get_args(part)) for part in _parts(hint))


HINTS = {path: hint for path, hint in SETTINGS.items() if not sections(hint)}
NUMERIC = [path for path, hint in HINTS.items() if is_numeric(hint)]
TAGS = [f"{section}.{kinds.tag}" for section in SETTINGS if (kinds := one_of(section))]
CHOICES = [path for path, hint in HINTS.items() if get_origin(hint) is Literal]
AT_AN_END = [
    (path, *about(end, whole=is_whole(HINTS[path])))
    for path in NUMERIC
    for end in limits(HINTS[path])
]
NONE = "privacy/example=none"


@pytest.fixture(scope="module")
def changed(taken):
    """Gives one setting of the quickstart another value; returns all of them, plain."""
    plain = functools.cache(lambda *typed: to_plain(compose(typed)))

    def changed(path, value):
        found = copy.deepcopy(plain(*taken(path)))
        *at, name = path.split(".")
        functools.reduce(operator.getitem, at, found)[name] = value
        return found

    return changed


@pytest.fixture(scope="module")
def rebuilt(refused, changed):
    """Gives one setting of the quickstart another value; returns why that is refused."""
    return lambda path, value: refused(rebuild, Config, changed(path, value))


def test_the_first_value_out_of_range_is_refused_with_its_setting_and_the_range(rebuilt):
    for path, _, beyond in AT_AN_END:
        message = rebuilt(path, beyond)
        assert message.startswith(f"{path}="), message
        assert " is out of range: it must be " in message


def test_the_last_value_of_a_range_is_taken_as_it_is(changed):
    for path, last, _ in AT_AN_END:
        found = to_plain(rebuild(Config, changed(path, last)))
        assert functools.reduce(operator.getitem, path.split("."), found) == last, path


def test_every_size_of_the_ranker_has_two_ends():
    sizes = [path for path in NUMERIC if path.startswith(("ranking.encoder.", "ranking.list."))]
    assert len(sizes) == 4 + 7
    ends = [path for path, _, _ in AT_AN_END]
    assert [ends.count(path) for path in [*sizes, "ranking.rank"]] == [2] * 12


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
            "photos.root belongs to photos=folder, photos=library, photos=photo_triage, "
            "photos=para, photos=flickr_aes or photos=flair: take that, or leave the setting "
            "out.",
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
            ["ranking.rank=2"],
            "ranking.rank belongs to ranking=lora: take that, or leave the setting out.",
        ),
        (
            ["ranking/list=probes", "ranking.list.width=32"],
            "ranking.list.width belongs to ranking/list=transformer: take that, or leave the "
            "setting out.",
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
