"""A library as people have it: what is read of each kind of file, and what is left out."""

from collections import Counter

import numpy as np
import pytest
from library_kinds import KINDS
from photo_files import packet, photo

from photos.owned import population
from photos.owned.index import index_device
from photos.owned.moments import moments
from photos.owned.population import LibrarySource
from photos.owned.skips import Left


@pytest.fixture(scope="module")
def source(library, settings):
    """Each kind is a device."""
    return LibrarySource(settings(library, devices_by="folder"))


@pytest.fixture(scope="module")
def indexed(source):
    """The index of each kind."""
    return {
        source.folder(number).name: source.index(number) for number in range(source.devices)
    }


@pytest.fixture(scope="module")
def libraries(source):
    """The library of each kind."""
    return {
        source.folder(number).name: source.library(number) for number in range(source.devices)
    }


def test_the_library_has_200_files_and_25_kinds(library):
    files = [path for path in library.rglob("*") if path.is_file()]
    assert len(KINDS) >= 25
    assert len(files) >= 200


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_is_read_as_it_says(name, indexed, libraries):
    kind, index, library = KINDS[name], indexed[name], libraries[name]
    together = moments(index.photos, gap=30)
    assert [[one.name for one in photos] for photos in together] == kind.moments
    rated = {one.name: one.rating for one in index.photos if one.rating}
    assert {one: said.feedback.name.lower() for one, said in rated.items()} == kind.ratings
    assert library.rated == len(kind.ratings)
    assert library.skipped == kind.skipped
    times = Counter(one.taken.source for one in index.photos)
    assert not kind.times or times == kind.times
    assert not kind.by or Counter(said.source for said in rated.values()) == kind.by
    utc = {one.name: str(one.taken.utc).removesuffix("+00:00") for one in index.photos}
    assert {one: utc[one] for one in kind.utc} == kind.utc
    bursts = [moment.bursts.tolist() for moment in library.moments]
    assert sorted(bursts) == sorted(kind.bursts)


def test_moments_have_numbers_of_their_own_in_order(libraries):
    for library in libraries.values():
        numbers = [moment.number for moment in library.moments]
        assert numbers == sorted(set(numbers))
        assert all(0 <= number < 2**63 for number in numbers)


@pytest.fixture
def two(tmp_path):
    """Two people's folders; the first holds one moment of two photos of which one is rated."""
    photo(tmp_path / "anna" / "a.jpg", 1, taken="2024:01:31 12:00:00", exif={0x4746: 5})
    photo(tmp_path / "anna" / "b.jpg", 2, taken="2024:01:31 12:00:10")
    photo(tmp_path / "ben" / "c.jpg", 3, taken="2024:01:31 12:00:20")
    return tmp_path


def test_one_library_is_one_device_unless_each_folder_is_one(two, settings):
    whole = LibrarySource(settings(two))
    assert (whole.devices, whole.held_out_devices) == (1, 0)
    assert len(whole.library(0).moments[0].photos) == 3
    folders = LibrarySource(settings(two, devices_by="folder", held_out_devices=1))
    assert (folders.devices, folders.held_out_devices) == (1, 1)
    assert [folders.folder(number).name for number in range(2)] == ["anna", "ben"]
    assert len(folders.library(0).moments[0].photos) == 2
    assert folders.library(1).skipped == {Left.ALONE: 1}
    assert folders.orders(0) == {}


def test_a_library_is_a_function_of_its_own_folder(two, settings):
    source = LibrarySource(settings(two, devices_by="folder"))
    (before,) = source.library(0).moments
    photo(two / "ben" / "d.jpg", 4, taken="2024:01:31 12:00:05", exif={0x4746: 5})
    photo(two / "anna" / "far.jpg", 5, taken="2024:02:02 12:00:00", exif={0x4746: 5})
    photo(two / "anna" / "away.jpg", 6, taken="2024:02:02 12:00:09")
    after = {moment.number: moment for moment in source.library(0).moments}
    assert len(after) == 2
    np.testing.assert_array_equal(after[before.number].photos, before.photos)


def test_a_library_is_read_once_until_a_file_changes(two, settings, monkeypatch):
    read = []

    def index(folder, photos):
        read.append(folder.name)
        return index_device(folder, photos)

    monkeypatch.setattr(population, "index_device", index)
    for _ in range(3):
        before = LibrarySource(settings(two)).library(0)
    assert len(read) == 1
    (two / "anna" / "b.xmp").write_text(packet(xmp_Rating=-1))
    after = LibrarySource(settings(two)).library(0)
    assert (before.rated, after.rated, len(read)) == (1, 2, 2)
    (two / "anna" / "b.xmp").write_text(packet(xmp_Rating=+5))
    assert LibrarySource(settings(two)).library(0).moments[0].feedback.tolist() == [2, 2, 1]
    assert LibrarySource(settings(two, gap=0.1)).library(0).rated == 2
    assert len(read) == 4


def test_opening_reads_no_photo(two, settings, monkeypatch):
    monkeypatch.setattr("photos.owned.index.read_facts", None)
    assert LibrarySource(settings(two)).devices == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"root": "gone"},
            r"^photos.root=gone is not a folder .*\(No such file or directory\)",
        ),
        ({"root": ""}, "^photos.root is empty but photos=library"),
        ({"zone": "Nowhere"}, "^photos.zone=Nowhere is no time zone"),
        ({"devices": 2}, "^photos.devices=2 but photos.devices_by=whole is one device"),
        (
            {"devices_by": "folder", "held_out_devices": 2},
            "^photos.devices=at least 1 and photos.held_out_devices=2 need more than the 2 f",
        ),
    ],
)
def test_a_library_that_cannot_be_opened_is_one_sentence(two, settings, changes, said):
    with pytest.raises(ValueError, match=said):
        LibrarySource(settings(**{"root": two, **changes}))


def test_a_folder_without_a_photo_says_what_it_holds_instead(settings, tmp_path):
    photo(tmp_path / "loose.jpg")
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a.mov").touch()
    (tmp_path / "films" / "b.gif").touch()
    with pytest.raises(
        ValueError, match=r"no photo in a folder .*\(1 × file of another kind; 1 × film"
    ):
        LibrarySource(settings(tmp_path, devices_by="folder"))
