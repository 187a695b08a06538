import json

import pytest

from server.sections import read_devices, read_sections


@pytest.fixture
def plain(configuration):
    """With settings that are none of the server's."""
    configuration |= {"name": "small", "seed": 5, "simulation": {"strict": True}}
    configuration["photos"]["root"] = "/home/someone"
    configuration["training"]["largest_library"] = 40
    return configuration


@pytest.fixture
def changed(plain):
    def made(path, value):
        *sections, key = path.split(".")
        inner = plain
        for name in sections:
            inner = inner[name]
        inner[key] = value
        return json.dumps(plain)

    return made


def test_the_server_reads_its_own_sections_and_no_others(plain):
    text = json.dumps(plain)
    sections = read_sections(text)
    assert (sections.seed, sections.side) == (5, 48)
    assert sections.server.rounds == 2
    assert sections.training.largest_library == 40
    assert read_devices(text) == 4
    assert "someone" not in repr(sections)


@pytest.mark.parametrize("source", ["folder", None])
def test_the_source_of_photos_is_read_where_it_is_said(changed, source):
    assert read_sections(changed("photos.source", source)).source == source


def test_a_misspelt_setting_is_refused_with_the_right_one(changed):
    with pytest.raises(ValueError, match=r"server\.cohrot.*server\.cohort"):
        read_sections(changed("server.cohrot", 3.0))


def test_a_value_out_of_range_is_refused(changed):
    with pytest.raises(ValueError, match=r"training\.rate"):
        read_sections(changed("training.rate", 1.5))


def test_an_unknown_number_of_devices_is_refused(changed):
    with pytest.raises(ValueError, match=r"photos\.devices"):
        read_devices(changed("photos.devices", None))


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense"])
def test_what_is_no_configuration_is_refused_in_one_sentence(text):
    with pytest.raises(ValueError, match="configuration"):
        read_sections(text)
