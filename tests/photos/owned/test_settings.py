"""Which settings of a library contradict each other, and which libraries are one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest


def test_a_sound_library_has_no_flaw(settings):
    assert settings("album").flaw() == ""
    assert settings("album", devices=1).flaw() == ""
    assert settings("album", devices_by="folder", devices=3, held_out_devices=2).flaw() == ""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"root": ""}, "photos.root is empty but photos=library; add photos.root=DIR."),
        (
            {"devices": 2},
            "photos.devices=2 but photos.devices_by=whole is one device; leave it null, or "
            "take photos.devices_by=folder.",
        ),
        (
            {"held_out_devices": 4},
            "photos.held_out_devices=4 but photos.devices_by=whole is one device; take 0, or "
            "photos.devices_by=folder.",
        ),
        *(
            (
                {"zone": zone},
                f"photos.zone={zone} is no time zone; use a name such as Europe/Berlin, or "
                "UTC.",
            )
            for zone in (
                "Europe/Berlni",
                "",
                "Europe",
                "/etc/passwd",
                "../../etc/passwd",
                "a\0",
            )
        ),
    ],
)
def test_a_contradiction_is_one_sentence(settings, changes, sentence):
    assert settings(**{"root": "album", **changes}).flaw() == sentence


def test_a_zone_is_a_clock(settings):
    assert settings("album", zone="UTC").clock() is UTC
    summer, winter = datetime(2024, 7, 1), datetime(2024, 1, 1)
    clock = settings("album", zone="Europe/Berlin").clock()
    assert clock.utcoffset(summer) == timedelta(hours=2)
    assert clock.utcoffset(winter) == timedelta(hours=1)
    with pytest.raises(ValueError, match="is no time zone"):
        settings("album", zone="Nowhere").clock()


def test_a_library_is_its_folder_under_any_name_and_what_in_it_is_a_device(
    settings, tmp_path, monkeypatch
):
    (tmp_path / "album").mkdir()
    (tmp_path / "link").symlink_to("album")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    names = ("album", "~/album", "link", str(tmp_path / "album"))
    found = [settings(name).identity(seed=seed) for seed, name in enumerate(names)]
    assert found == [
        {
            "photos.source": "library",
            "photos.root": str((tmp_path / "album").resolve()),
            "photos.devices_by": "whole",
        }
    ] * len(names)
    assert settings("album", gap=5).identity(seed=0) == found[0]
    assert settings("album", devices_by="folder").identity(seed=0) != found[0]
    assert settings("~/album").absolute().root == str(tmp_path / "album")
    assert settings("~no-such-user/x").folder() == Path("~no-such-user/x")


def test_photographs_may_change_and_feedback_can_be_given(settings):
    assert not settings("album").made
    assert "darkroom photos inspect DIR" in settings("album").advice()
