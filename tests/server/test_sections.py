import json

import pytest

from server.sections import read_devices, read_sections

PLAIN = {
    "name": "small",
    "seed": 5,
    "photos": {"devices": 4, "side": 48, "root": "/home/someone"},
    "ranking": {
        "trained": "linear",
        "loss": "softmax",
        "weights": None,
        "frozen_digest": None,
        "start_norm": None,
    },
    "training": {
        "steps": 2,
        "rate": 0.5,
        "reference_size": 20,
        "largest_library": 40,
        "lr": 0.1,
        "seconds": None,
    },
    "privacy": {
        "noise": "secure",
        "claim": False,
        "example": {"mechanism": "none"},
        "device": {"mechanism": "none"},
    },
    "server": {
        "rounds": 2,
        "cohort": 4.0,
        "averaged": 1,
        "timeout": 30.0,
        "aggregation": {"rule": "mean"},
        "optimizer": {"name": "sgd", "lr": 1.0},
    },
    "simulation": {"strict": True},
}


def changed(path, value):
    plain = json.loads(json.dumps(PLAIN))
    *sections, key = path.split(".")
    inner = plain
    for name in sections:
        inner = inner[name]
    inner[key] = value
    return json.dumps(plain)


def test_the_server_reads_its_own_sections_and_no_others():
    text = json.dumps(PLAIN)
    sections = read_sections(text)
    assert (sections.seed, sections.side) == (5, 48)
    assert sections.server.rounds == 2
    assert sections.training.largest_library == 40
    assert read_devices(text) == 4
    assert "someone" not in repr(sections)


def test_a_misspelt_setting_is_refused_with_the_right_one():
    with pytest.raises(ValueError, match=r"server\.cohrot.*server\.cohort"):
        read_sections(changed("server.cohrot", 3.0))


def test_a_value_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"training\.rate"):
        read_sections(changed("training.rate", 1.5))


def test_an_unknown_number_of_devices_is_refused():
    with pytest.raises(ValueError, match=r"photos\.devices"):
        read_devices(changed("photos.devices", None))


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense"])
def test_what_is_no_configuration_is_refused_in_one_sentence(text):
    with pytest.raises(ValueError, match="configuration"):
        read_sections(text)
