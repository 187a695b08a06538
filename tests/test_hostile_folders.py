"""Whatever one entry of a device's folder is, each other moment stays as it is, bit for bit."""

import errno
import hashlib
import os
import shutil
import signal
import stat
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from photos.folder import device_folder, feedback_file
from photos.folder.population import FolderSource, moment_number
from photos.folder.settings import FolderPhotos
from photos.folder.skips import LARGEST_BYTES, Skip
from photos.split import trains
from simulations.ranking.own_photographs import read_own

SIDE = 16
NOBODY = 65534
MOMENTS = ("m0", "m1", "m2", "m3", "m4")
PHOTOS = FolderPhotos(
    root="",
    devices=None,
    held_out_devices=0,
    held_out_share=0.25,
    side=SIDE,
)


def _build(device: Path) -> Path:
    """Five moments of three photos, with bursts and feedback of every kind."""
    rng = np.random.default_rng(0)
    rows = ["photo,burst,feedback"]
    for name in MOMENTS:
        (device / name).mkdir(parents=True)
        for number, word in enumerate(("delete", "keep", "favourite")):
            pixels = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(device / name / f"{number}.png")
            rows.append(f"{name}/{number}.png,{'near' if number else ''},{word}")
    (device / "feedback.csv").write_text("\n".join(rows) + "\n")
    return device


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    return _build(tmp_path_factory.mktemp("sound") / "root" / "anna")


@pytest.fixture(scope="module")
def five(sound: Path) -> list[dict[str, tuple]]:
    """What each reader finds where nothing is wrong."""
    found = [read(sound) for read in READERS]
    assert [sorted(one) for one in found] == [list(MOMENTS)] * len(READERS)
    return found


@pytest.fixture
def device(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "root" / "anna")


@pytest.fixture(autouse=True)
def in_time():
    """A reader that waits for a pipe fails its test instead of holding up all."""

    def late(*_: object) -> None:
        pytest.fail("reading takes for ever")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def _trained(device: Path) -> dict[str, tuple]:
    """What a device trains on, by moment: its number, side, photos, bursts and feedback."""
    library = FolderSource(replace(PHOTOS, root=str(device.parent))).library(0)
    names = {moment_number(path.name): path.name for path in device.iterdir()}
    return {
        names[moment.number]: (
            moment.number,
            trains(moment.number, seed=1, device=0, held_out_share=0.5),
            moment.photos.tobytes(),
            moment.bursts.tolist(),
            moment.feedback.tolist(),
        )
        for moment in library.moments
    }


def _ranked(folder: Path, prefix: str = "") -> dict[str, tuple]:
    """What ``rank`` orders, by moment: each photo's name, pixels and row."""
    return {
        one.label.removeprefix(prefix): tuple(
            (photo.name, photo.pixels.tobytes(), row)
            for photo, row in zip(one.photographs, one.rows, strict=True)
        )
        for one in read_own(folder, side=SIDE).lists
    }


def _ranked_among_devices(device: Path) -> dict[str, tuple]:
    return _ranked(device.parent, "anna/")


READERS = (_trained, _ranked, _ranked_among_devices)


def _five(found: dict[str, tuple]) -> dict[str, tuple]:
    return {name: found.get(name) for name in MOMENTS}


def _file(path: Path) -> None:
    path.write_bytes(b"\0 no photo")


def _two_photos(path: Path) -> None:
    """A folder, called by bytes, that is a moment itself."""
    path.mkdir()
    for number in range(2):
        with (path / f"{number}.png").open("wb") as file:
            Image.new("RGB", (20, 20)).save(file, "PNG")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


def _endless(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("only root makes a device node")


def _huge(path: Path) -> None:
    path.write_bytes(b"RIFF\xff\xff\xff\x7fWEBPVP8 ")
    os.truncate(path, 2**42)


ENTRIES = {
    "a link to a name that is too long": lambda path: path.symlink_to("x" * 300),
    "a link into nowhere": lambda path: path.symlink_to("nowhere/at/all"),
    "a link through a file": lambda path: path.symlink_to("/dev/null/x"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a moment": lambda path: path.symlink_to("m0"),
    "a link to the folder it is in": lambda path: path.symlink_to("."),
    "a file": _file,
    "an empty file": Path.touch,
    "an empty folder": Path.mkdir,
    "a folder of photos": _two_photos,
    "a pipe": _pipe,
    "a socket": _socket,
    "an endless device": _endless,
    "a file of four terabytes": _huge,
}
NAMES = ("z", "z.jpg", "0", "A" * 251 + ".PNG", "a\nb.png", "\udce9\udcff.webp", "-rf", " m1 ")
PLACES = (".", "m2")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["z", "z.jpg"])
@pytest.mark.parametrize("entry", ENTRIES)
def test_five_moments_beside_any_one_entry_are_the_same_five(device, five, entry, name, place):
    ENTRIES[entry](device / place / name)
    assert [_five(read(device)) for read in READERS] == five


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
    device, five, entry, name, place
):
    path = device / place / name
    if os.path.lexists(path):
        return
    ENTRIES[entry](path)
    try:
        assert [_five(read(device)) for read in READERS] == five
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
def test_an_entry_of_which_nothing_can_be_asked_costs_itself(device, five, monkeypatch, place):
    (device / place / "z.jpg").touch()
    monkeypatch.setattr(
        os,
        "scandir",
        _scandir(lambda _, entry: _closed(entry) if entry.name == "z.jpg" else entry),
    )
    assert [_five(read(device)) for read in READERS] == five
    assert device_folder.read_device(device, side=SIDE).skipped == {Skip.UNREADABLE: 1}


def test_a_moment_of_which_nothing_can_be_asked_costs_itself(device, five, monkeypatch):
    four = [one | {"m2": None} for one in five]
    monkeypatch.setattr(
        os,
        "scandir",
        _scandir(lambda _, entry: _closed(entry) if entry.name == "m2" else entry),
    )
    assert [_five(read(device)) for read in READERS] == four


def test_a_listing_that_breaks_off_keeps_what_it_has_said(device, five, monkeypatch):
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
    assert [_five(read(device)) for read in READERS] == five
    assert device_folder.read_device(device, side=SIDE).skipped == {Skip.UNREADABLE: 1}


@pytest.fixture
def as_nobody():
    """A folder of a user whom permissions bind, also where the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(folder, NOBODY, NOBODY)
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield _build(folder / "root" / "anna")
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
def test_what_permissions_close_costs_itself(as_nobody, five, spoil):
    spoil(as_nobody)
    assert [_five(read(as_nobody)) for read in READERS] == five


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o100], ids=oct)
def test_a_closed_moment_costs_itself(as_nobody, five, mode):
    four = [one | {"m2": None} for one in five]
    (as_nobody / "m2").chmod(mode)
    assert [_five(read(as_nobody)) for read in READERS] == four


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o100], ids=oct)
def test_a_closed_device_is_a_device_without_moments_and_costs_no_other(as_nobody, mode):
    _build(as_nobody.parent / "ben")
    source = FolderSource(replace(PHOTOS, root=str(as_nobody.parent)))
    before = _ranked(as_nobody.parent, "ben/")
    as_nobody.chmod(mode)
    try:
        for one in (source, FolderSource(replace(PHOTOS, root=str(as_nobody.parent)))):
            assert one.devices == 2
            assert len(one.library(0).moments) == 0
            assert len(one.library(1).moments) == 5
        assert _five(_ranked(as_nobody.parent, "ben/")) == _five(before)
    finally:
        as_nobody.chmod(0o700)


def test_a_closed_root_is_one_sentence(as_nobody):
    as_nobody.parent.chmod(0)
    with pytest.raises(
        ValueError, match=r"photos\.root=.* can be listed \(Permission denied\)"
    ):
        FolderSource(replace(PHOTOS, root=str(as_nobody.parent)))
    with pytest.raises(ValueError, match=r"can be listed \(Permission denied\): name one"):
        read_own(as_nobody.parent, side=SIDE)


def _gone(moment: Path) -> None:
    shutil.rmtree(moment)


def _a_file(moment: Path) -> None:
    shutil.rmtree(moment)
    moment.touch()


def _a_photo_gone(moment: Path) -> None:
    (moment / "0.png").unlink()


def _a_photo_becomes(entry: str):
    def swap(moment: Path) -> None:
        (moment / "0.png").unlink()
        ENTRIES[entry](moment / "0.png")

    return swap


def _a_photo_of_another(moment: Path) -> None:
    (moment / "0.png").unlink()
    (moment / "0.png").symlink_to("../m0/0.png")


RACES = {
    "gone": _gone,
    "a file": _a_file,
    "a photo gone": _a_photo_gone,
    "a photo of another": _a_photo_of_another,
} | {f"a photo is {entry}": _a_photo_becomes(entry) for entry in ENTRIES}


@pytest.mark.parametrize("race", RACES)
@pytest.mark.parametrize("step", ["listing", "decoding", "opening"])
def test_a_moment_that_changes_while_it_is_read_costs_itself(
    device, five, monkeypatch, race, step
):
    module, name = {
        "listing": (device_folder, "contents"),
        "decoding": (device_folder, "decode"),
        "opening": (os, "open"),
    }[step]
    real, pending = getattr(module, name), [device / "m2"]

    def spoiled(path, *rest, **more):
        if pending and Path(path) in {device / "m2", device / "m2" / "0.png"}:
            RACES[race](pending.pop())
        return real(path, *rest, **more)

    monkeypatch.setattr(module, name, spoiled)
    found = _trained(device)
    assert not pending
    assert found | {"m2": None} == five[0] | {"m2": None}
    assert _pictures(found.get("m2")) <= _pictures(five[0]["m2"])


def _pictures(moment: tuple | None) -> set[bytes]:
    raw, length = moment[2] if moment else b"", 3 * SIDE**2
    return {raw[start : start + length] for start in range(0, len(raw), length)}


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_table_that_changes_while_it_is_opened_costs_the_feedback_alone(
    device, five, monkeypatch, entry
):
    table, real = device / "feedback.csv", os.open

    def spoiled(path, *rest, **more):
        if Path(path) == table:
            table.unlink()
            ENTRIES[entry](table)
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", spoiled)
    read = device_folder.read_device(device, side=SIDE)
    monkeypatch.undo()
    assert [moment.name for moment in read.moments] == list(MOMENTS)
    assert read.skipped == {Skip.BAD_TABLE: 1}


def test_a_device_that_vanishes_is_empty_and_costs_no_other(device):
    _build(device.parent / "ben")
    source = FolderSource(replace(PHOTOS, root=str(device.parent)))
    shutil.rmtree(device)
    assert source.library(0).moments == ()
    assert source.library(0).skipped == {Skip.UNREADABLE: 1, Skip.EMPTY_DEVICE: 1}
    assert len(source.library(1).moments) == 5


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_no_table_in_its_place_costs_the_feedback_alone(device, five, entry):
    before = {name: facts[:3] for name, facts in five[0].items()}
    (device / "feedback.csv").unlink()
    ENTRIES[entry](device / "feedback.csv")
    after = _trained(device)
    assert {name: facts[:3] for name, facts in after.items()} == before
    assert {tuple(facts[4]) for facts in after.values()} == {(1, 1, 1)}
    assert device_folder.read_device(device, side=SIDE).skipped.total() == 1


@given(line=st.binary(max_size=300), place=st.integers(1, 15))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_line_of_any_bytes_costs_no_other_line(device, line, place):
    path = device / "feedback.csv"
    rows = path.read_bytes().splitlines()
    names = {row.split(b",")[0].decode() for row in rows[1:]}
    before = feedback_file.read_feedback(path, photos=names).rows
    other = device / "other.csv"
    other.write_bytes(b"\n".join([*rows[:place], line, *rows[place:]]))
    assert feedback_file.read_feedback(other, photos=names).rows == before


def test_a_line_that_fills_no_memory_is_counted_once(device):
    path, names = device / "feedback.csv", {f"{name}/0.png" for name in MOMENTS}
    before = feedback_file.read_feedback(path, photos=names).rows
    rows = path.read_bytes().splitlines(keepends=True)
    for length in (feedback_file.LONGEST_LINE - 1, feedback_file.LONGEST_LINE, 2**20):
        path.write_bytes(b"".join([rows[0], b"," * length + b"\n", *rows[1:], b"," * length]))
        found = feedback_file.read_feedback(path, photos=names)
        assert found.rows == before
        assert found.skipped[Skip.BAD_ROW] == 2 * (length >= feedback_file.LONGEST_LINE)


def test_a_table_that_breaks_off_keeps_what_it_has_said(device, monkeypatch):
    class Broken:
        def __init__(self, parts: list[bytes]) -> None:
            self.parts, self.closed = parts, False

        def readable(self) -> bool:
            return True

        writable = seekable = lambda self: False
        close = flush = lambda self: None

        def read1(self, _: int) -> bytes:
            if not self.parts:
                raise OSError(errno.EIO, "Input/output error")
            return self.parts.pop()

        read = read1

    head = b"photo,feedback\nm0/0.png,delete\nm1/0.pn"
    monkeypatch.setattr(feedback_file, "open_regular", lambda *_, **__: Broken([head]))
    table = feedback_file.read_feedback(
        device / "feedback.csv", photos={"m0/0.png", "m1/0.png"}
    )
    assert list(table.rows) == ["m0/0.png"]
    assert table.skipped == {Skip.BAD_TABLE: 1}


def test_a_file_is_refused_by_its_size_before_it_is_read(device):
    path = device / "m2" / "z.webp"
    path.touch()
    for size, reason in (
        (LARGEST_BYTES, Skip.NOT_A_PHOTO),
        (LARGEST_BYTES + 1, Skip.LARGE_FILE),
    ):
        os.truncate(path, size)
        assert device_folder.read_device(device, side=SIDE).skipped == {reason: 1}


def test_of_a_moment_of_many_photos_only_the_first_twelve_are_held(device, monkeypatch):
    taken = []
    real = device_folder.insort
    monkeypatch.setattr(
        device_folder,
        "insort",
        lambda kept, *rest, **more: (taken.append(len(kept)), real(kept, *rest, **more)),
    )
    for number in range(20):
        Image.new("RGB", (20, 20), (number, 0, 0)).save(device / "m2" / f"z{number:02}.png")
    _trained(device)
    assert max(taken) == 12


@pytest.mark.parametrize("name", ["m0", "été", "\udce9\udcff", "a\nb", "x" * 255])
def test_a_moments_number_is_a_function_of_the_bytes_of_its_name(name):
    raw = os.fsencode(name)
    assert moment_number(name) == int(hashlib.sha256(raw).hexdigest()[:16], 16) // 2


def test_every_other_moment_removed_leaves_a_moment_as_it_was(device, five):
    before = five[0]
    for name in MOMENTS:
        shutil.rmtree(device / name)
        after = _trained(device) if name != MOMENTS[-1] else {}
        assert after == {key: before[key] for key in after}
        assert len(after) == len(MOMENTS) - 1 - MOMENTS.index(name)
