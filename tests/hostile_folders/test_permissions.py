"""What permissions close costs itself, and no other moment or device."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from simulations.ranking.own_photographs import read_own

NOBODY = 65534


@pytest.fixture
def as_nobody(built):
    """A folder of a user whom permissions bind, also where the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(folder, NOBODY, NOBODY)
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield built(folder / "root" / "anna")
    finally:
        if root:
            os.seteuid(0)
            os.setegid(0)
        for path in (folder, *folder.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(folder)


def _link_into_a_closed_folder(device: Path) -> None:
    closed = device.parents[1] / "closed"
    closed.mkdir()
    (closed / "inner").mkdir()
    (device / "z").symlink_to(closed / "inner")
    (device / "m2" / "z.jpg").symlink_to(closed / "inner")
    closed.chmod(0)


def _closed_entries(mode: int):
    def spoil(device: Path) -> None:
        for path in (device / "z", device / "m2" / "z"):
            path.mkdir()
            path.chmod(mode)
        for path in (device / "z.jpg", device / "m2" / "z.jpg"):
            path.touch()
            path.chmod(mode)

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [_link_into_a_closed_folder, *(_closed_entries(mode) for mode in (0o000, 0o400, 0o100))],
    ids=["link", "closed", "without search", "without list"],
)
def test_what_permissions_close_costs_itself(as_nobody, five, found, spoil):
    spoil(as_nobody)
    assert found(as_nobody) == five


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o100], ids=oct)
def test_a_closed_moment_costs_itself(as_nobody, five, found, mode):
    four = [one | {"m2": None} for one in five]
    (as_nobody / "m2").chmod(mode)
    assert found(as_nobody) == four


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o100], ids=oct)
def test_a_closed_device_is_a_device_without_moments_and_costs_no_other(
    as_nobody, built, moments, ranked, source_of, mode
):
    built(as_nobody.parent / "ben")
    source = source_of(as_nobody)
    before = ranked(as_nobody.parent, "ben/")
    as_nobody.chmod(mode)
    try:
        for one in (source, source_of(as_nobody)):
            assert one.devices == 2
            assert len(one.library(0).moments) == 0
            assert len(one.library(1).moments) == 5
        after = ranked(as_nobody.parent, "ben/")
        assert [after[name] for name in moments] == [before[name] for name in moments]
    finally:
        as_nobody.chmod(0o700)


def test_a_closed_root_is_one_sentence(as_nobody, side, source_of):
    as_nobody.parent.chmod(0)
    with pytest.raises(
        ValueError, match=r"photos\.root=.* can be listed \(Permission denied\)"
    ):
        source_of(as_nobody)
    with pytest.raises(ValueError, match=r"can be listed \(Permission denied\): name one"):
        read_own(as_nobody.parent, side=side)
