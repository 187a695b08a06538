"""Whatever one entry of a device's folder is, each other moment stays as it is, bit for bit."""

import errno
import hashlib
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from hostile_entries import ENTRIES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photos.folder import device_folder
from photos.folder.population import moment_number
from photos.folder.skips import Skip

MOMENTS = {f"m{number}" for number in range(5)}
NAMES = ("z", "z.jpg", "0", "A" * 251 + ".PNG", "a\nb.png", "\udce9\udcff.webp", "-rf", " m1 ")
PLACES = (".", "m2")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["z", "z.jpg"])
@pytest.mark.parametrize("entry", ENTRIES)
def test_five_moments_beside_any_one_entry_are_the_same_five(
    device, five, found, entry, name, place
):
    ENTRIES[entry](device / place / name)
    assert found(device) == five


@given(
    entry=st.sampled_from(sorted(ENTRIES)),
    name=st.one_of(
        st.sampled_from(NAMES),
        st.binary(min_size=1, max_size=200)
        .map(lambda raw: os.fsdecode(raw.translate(None, b"\0/")))
        .filter(lambda name: name not in {"", ".", "..", "feedback.csv", *MOMENTS}),
    ),
    place=st.sampled_from(PLACES),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_five_moments_beside_an_entry_of_any_name_are_the_same_five(
    device, five, found, entry, name, place
):
    path = device / place / name
    if os.path.lexists(path):
        return
    ENTRIES[entry](path)
    try:
        assert found(device) == five
    finally:
        path.unlink() if path.is_symlink() or not path.is_dir() else shutil.rmtree(path)


def _closed(entry: os.DirEntry[str]):
    """An entry of which the system says nothing but its name."""

    class Closed:
        name = entry.name

        def _refuse(self, **_: object) -> bool:
            raise OSError(errno.ENAMETOOLONG, "File name too long")

        is_symlink = is_dir = is_file = stat = _refuse

    return Closed()


def _scandir(spoil):
    """``os.scandir`` whose entries pass through ``spoil(folder, entry)``."""
    real = os.scandir

    @contextmanager
    def listed(folder):
        with real(folder) as entries:
            yield (spoil(Path(folder), entry) for entry in entries)

    return listed


@pytest.mark.parametrize("place", PLACES)
def test_an_entry_of_which_nothing_can_be_asked_costs_itself(
    device, five, found, side, monkeypatch, place
):
    (device / place / "z.jpg").touch()
    monkeypatch.setattr(
        os,
        "scandir",
        _scandir(lambda _, entry: _closed(entry) if entry.name == "z.jpg" else entry),
    )
    assert found(device) == five
    assert device_folder.read_device(device, side=side).skipped == {Skip.UNREADABLE: 1}


def test_a_moment_of_which_nothing_can_be_asked_costs_itself(device, five, found, monkeypatch):
    four = [one | {"m2": None} for one in five]
    monkeypatch.setattr(
        os,
        "scandir",
        _scandir(lambda _, entry: _closed(entry) if entry.name == "m2" else entry),
    )
    assert found(device) == four


def test_a_listing_that_breaks_off_keeps_what_it_has_said(
    device, five, found, side, monkeypatch
):
    def spoil(folder: Path, entry: os.DirEntry[str]) -> os.DirEntry[str]:
        if (folder.name, entry.name) == ("m2", "zzz"):
            raise OSError(errno.EIO, "Input/output error")
        return entry

    (device / "m2" / "zzz").touch()
    real = os.scandir

    @contextmanager
    def sorted_last(folder):
        with real(folder) as entries:
            yield iter(sorted(entries, key=lambda entry: entry.name))

    monkeypatch.setattr(os, "scandir", sorted_last)
    monkeypatch.setattr(os, "scandir", _scandir(spoil))
    assert found(device) == five
    assert device_folder.read_device(device, side=side).skipped == {Skip.UNREADABLE: 1}


@pytest.mark.parametrize("name", ["m0", "été", "\udce9\udcff", "a\nb", "x" * 255])
def test_a_moments_number_is_a_function_of_the_bytes_of_its_name(name):
    raw = os.fsencode(name)
    assert moment_number(name) == int(hashlib.sha256(raw).hexdigest()[:16], 16) // 2


def test_every_other_moment_removed_leaves_a_moment_as_it_was(device, five, moments, trained):
    before = five[0]
    for name in moments:
        shutil.rmtree(device / name)
        after = trained(device) if name != moments[-1] else {}
        assert after == {key: before[key] for key in after}
        assert len(after) == len(moments) - 1 - moments.index(name)
