"""The settings of public sets: roots, populations, and what their moments follow from."""

from dataclasses import replace

import pytest

KINDS = ("photo_triage", "para", "flickr_aes", "flair")


@pytest.fixture(params=KINDS)
def made(request, settings, tmp_path):
    (tmp_path / "copy").mkdir()
    return settings(request.param, tmp_path / "copy")


def test_a_root_has_to_be_given(made):
    assert made.flaw() == ""
    assert replace(made, root="").flaw() == (
        f"photos.root is empty but photos={made.source}; add photos.root=DIR."
    )


def test_an_absolute_root_is_right_in_any_working_directory(made, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for root in ("copy", "~/copy"):
        assert replace(made, root=root).absolute() == made
    assert str(replace(made, root="~no-such-user/x").folder()) == "~no-such-user/x"


def test_a_population_is_its_folder_under_any_name(made, tmp_path):
    (tmp_path / "link").symlink_to("copy")
    other = replace(made, root=str(tmp_path / "link"), devices=3, side=32)
    assert other.identity(seed=0) == made.identity(seed=0)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("photo_triage", {"device_series": 7}),
        ("para", {"moment_size": 7}),
        ("flickr_aes", {"moment_size": 7}),
        ("flair", {"moment_size": 7}),
        ("flair", {"heterogeneity": 0.0}),
    ],
)
def test_other_moments_are_another_population(settings, tmp_path, kind, change):
    made = settings(kind, tmp_path)
    assert replace(made, **change).identity(seed=0) != made.identity(seed=0)


def test_moments_that_the_seed_cuts_are_of_one_seed_alone(made):
    alike = made.identity(seed=0) == made.identity(seed=1)
    assert alike == (made.source == "photo_triage")


def test_photographs_may_change(made):
    assert not made.made
