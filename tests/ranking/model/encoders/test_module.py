"""Encoders of installed packages: found by their entry point, or refused by name."""

import pytest
import torch
from own_encoders import module_settings, package

from ranking.model.encoders import module
from ranking.model.encoders.registry import build_encoder, known_encoder

CODE = """
import torch
from torch import nn


class Colours(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.weight = nn.Parameter(torch.full((3, 4), scale))
        self.drop = nn.Dropout(0.5)

    def forward(self, photos):
        return self.drop(photos.mean((-1, -2)) @ self.weight)


def colours(settings):
    return Colours(float(settings.side))


def plain(settings):
    return lambda photos: photos.mean((-1, -2))


def of_others(settings):
    return lambda photos: photos.mean((-1, -2)) - photos.mean((0, -1, -2))


def drawn(settings):
    return lambda photos: torch.rand(len(photos), 3)


def wide(settings):
    return lambda photos: torch.zeros(len(photos), 5000)


def double(settings):
    return lambda photos: photos.mean((-1, -2)).double()


def nothing(settings):
    return lambda photos: None


def broken(settings):
    raise RuntimeError("no weights")


def a_number(settings):
    return 3
"""
NAMES = (
    *("colours", "plain", "of_others", "drawn", "wide", "double", "nothing", "broken"),
    "a_number",
)


@pytest.fixture(autouse=True)
def installed(tmp_path, monkeypatch):
    module._opened.cache_clear()
    folder = package(tmp_path / "mine", code=CODE, names=NAMES)
    monkeypatch.syspath_prepend(folder)
    yield folder
    module._opened.cache_clear()


def test_the_module_is_asked_in_evaluation_and_knows_its_settings():
    encoder, photos = build_encoder(module_settings("colours")), torch.rand(20, 3, 16, 16)
    expected = photos.mean((-1, -2)) @ torch.full((3, 4), 16.0)
    torch.testing.assert_close(encoder(photos), expected)
    assert (encoder.width, list(encoder.parameters())) == (4, [])


def test_a_function_is_an_encoder_too():
    photos = torch.rand(3, 3, 16, 16)
    found = build_encoder(module_settings("plain"))(photos)
    torch.testing.assert_close(found, photos.mean((-1, -2)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("drawn", "gives other numbers when it is asked again"),
        ("wide", "gives 5000 numbers for a photo, and 1 to 4096 can be kept"),
        ("double", r"turns 16 photos into torch\.float64 of shape \(16, 3\)"),
        ("nothing", r"fails on photos of 16 pixels \(TypeError\)"),
        ("broken", r"cannot be made \(RuntimeError: no weights\): mend the package"),
        ("a_number", "makes int, which cannot be called"),
        ("missing", r"is no entry point of the group darkroom\.encoders .* there is .*colours"),
    ],
)
def test_what_is_no_encoder_is_refused_by_its_name(name, said):
    with pytest.raises(ValueError, match=rf"^ranking\.encoder\.name={name} {said}"):
        build_encoder(module_settings(name))


def test_one_that_mixes_photos_is_asked_photo_by_photo():
    """Alone, a photo less the mean of its batch is nothing, and that whoever is beside it."""
    encoder = build_encoder(module_settings("of_others"))
    assert not encoder(torch.rand(5, 3, 16, 16)).any()


def test_the_digest_is_of_the_weights_of_the_name_and_of_the_version(tmp_path, monkeypatch):
    digests = {
        known_encoder(module_settings(name, **changes)).digest
        for name, changes in (("colours", {}), ("plain", {}), ("colours", {"side": 24}))
    }
    assert len(digests) == 3
    (facts,) = (tmp_path / "mine").glob("*.dist-info/METADATA")
    facts.write_text(facts.read_text().replace("Version: 1.0", "Version: 1.1"))
    module._opened.cache_clear()
    assert known_encoder(module_settings("colours")).digest not in digests


def test_two_packages_of_one_name_are_refused(tmp_path, monkeypatch):
    other = package(tmp_path / "other", code=CODE, names=("colours",))
    monkeypatch.syspath_prepend(other)
    with pytest.raises(ValueError, match=r"name=colours is an entry point of 2 packages"):
        build_encoder(module_settings("colours"))
