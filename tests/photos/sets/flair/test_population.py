"""FLAIR in all four layouts: the same libraries, simulated tastes, and what may be wrong."""

import json

import made_sets
import numpy as np
import pytest

LAYOUTS = {
    "raw": (made_sets.flair_raw, None),
    "hdf5": (made_sets.flair_hdf5, "h5py"),
    "pfl": (made_sets.flair_pfl, "h5py"),
    "parquet": (made_sets.flair_parquet, "pyarrow"),
}


@pytest.fixture
def copy(tmp_path):
    """Makes a copy in a layout, where what writes and reads it is installed."""

    def copy(layout, entries=None, name="copy"):
        make, package = LAYOUTS[layout]
        if package is not None:
            pytest.importorskip(package, reason=f"{package} of the extra [sets] is missing")
        root = tmp_path / f"{name}-{layout}"
        root.mkdir()
        return make(root, made_sets.flair_entries() if entries is None else entries)

    return copy


def shades(moments):
    return sorted(shade for one in moments for shade in one.photos[:, 8, 8, 0].tolist())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_user_is_a_device_and_parts_say_who_trains(copy, opened, layout):
    root = copy(layout)
    source = opened("flair", root)
    assert (source.devices, source.held_out_devices) == (3, 1)
    assert source.skipped == {}
    # Photo k of user 1 has the shade 100 + k, of user 4, of val, 400 + k modulo 250.
    assert shades(source.library(1).moments) == pytest.approx(range(100, 106), abs=2)
    assert shades(source.library(3).moments) == pytest.approx(range(150, 156), abs=2)
    assert sorted(len(one.photos) for one in source.library(1).moments) == [2, 4]
    test = opened("flair", root, held_out="test").library(3).moments
    assert shades(test) == pytest.approx(range(50, 56), abs=2)


@pytest.mark.parametrize("layout", ["hdf5", "pfl", "parquet"])
def test_every_layout_gives_the_same_libraries(copy, opened, layout):
    ours = opened("flair", copy(layout)).library(0).moments
    raw = opened("flair", copy("raw")).library(0).moments
    assert [one.number for one in ours] == [one.number for one in raw]
    for one, other in zip(ours, raw, strict=True):
        np.testing.assert_array_equal(one.feedback, other.feedback)
        np.testing.assert_array_equal(one.judgement.values, other.judgement.values)
        np.testing.assert_allclose(one.photos, other.photos, atol=2)


def test_it_is_said_that_feedback_is_simulated(copy, opened):
    source = opened("flair", copy("raw"))
    assert (
        source.notes[0] == "feedback is simulated: a taste over 17 labels, drawn for each user"
    )
    (metric,) = {one.judgement.metric for one in source.library(0).moments}
    assert "simulated" in metric


def test_no_user_changes_anothers_library(copy, opened):
    entries = made_sets.flair_entries()
    before = opened("flair", copy("raw", entries)).library(0).moments
    more = [{**entries[0], "user_id": "0", "image_id": "7000"}, *entries[:12], *entries[18:]]
    after = opened("flair", copy("raw", more, name="more")).library(1).moments
    assert [one.number for one in after] == [one.number for one in before]
    for one, other in zip(after, before, strict=True):
        np.testing.assert_array_equal(one.feedback, other.feedback)


ENTRY = made_sets.flair_entries()[0]
BAD = [
    ({"image_id": "../100"}, "table row whose name would lead out of its folder"),
    ({"image_id": "/etc/passwd"}, "table row whose name would lead out of its folder"),
    ({"image_id": "9999"}, "table row for a photo that is not there"),
    ({}, "table row for a photo or a pair that has one"),
    ({"partition": "test"}, "table row of no part, or of another part than a row before"),
    ({"partition": None}, "table row of no part, or of another part than a row before"),
    ({"user_id": ""}, "table row of nobody"),
    ({"user_id": 7}, "table row that is cut off, has too few cells or cannot be read"),
    ({"labels": "food"}, "table row that is cut off, has too few cells or cannot be read"),
    ({"labels": {"food": 1}}, "table row that is cut off, has too few cells or cannot be read"),
]


@pytest.mark.parametrize(("change", "reason"), BAD)
def test_an_entry_that_cannot_be_used_is_counted_and_costs_no_other(
    copy, opened, change, reason
):
    root = copy("raw")
    before = opened("flair", root).library(0).moments
    entries = [*made_sets.flair_entries(), {**ENTRY, **change}]
    (root / "labels_and_metadata.json").write_text(json.dumps(entries))
    source = opened("flair", root)
    assert source.skipped == {reason: 1}
    after = source.library(0).moments
    assert [one.number for one in after] == [one.number for one in before]


def test_labels_that_are_none_of_the_17_are_counted(copy, opened):
    entries = made_sets.flair_entries()
    entries[0] = {**ENTRY, "labels": ["leaf", "food"]}
    entries[1] = {**entries[1], "labels": ["leaf"]}
    entries[2] = {**entries[2], "labels": []}
    source = opened("flair", copy("raw", entries))
    assert source.skipped == {
        "label that is none of the 17": 2,
        "photo without a label": 2,
    }
    assert len(shades(source.library(0).moments)) == 4


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_damaged_copy_ends_in_a_sentence_or_in_a_count(copy, opened, refusal, layout):
    root = copy(layout)
    files = [
        path
        for path in sorted(root.rglob("*"))
        if path.suffix in (".json", ".hdf5", ".h5", ".parquet")
    ]
    whole = files[0].read_bytes()
    for cut in (0, 10, len(whole) // 2):
        files[0].write_bytes(whole[:cut])
        assert f"photos.root={root} has no {files[0].name} that" in refusal("flair", root)


def test_a_damaged_photo_is_counted(copy, opened):
    root = copy("raw")
    (root / "small_images" / "100.jpg").write_bytes(b"no photo")
    library = opened("flair", root).library(1)
    assert library.skipped == {"not a JPEG, PNG, WebP, HEIC, AVIF or camera raw inside": 1}
    assert len(shades(library.moments)) == 5


def test_a_wrong_layout_is_told_by_what_was_looked_for(tmp_path, copy, refusal):
    reads = (
        "; photos=flair reads a copy of FLAIR: labels_and_metadata.json and small_images/, or "
        "one .hdf5 file, or .parquet files."
    )
    root = copy("raw")
    table, folder = root / "labels_and_metadata.json", root / "small_images"
    beginning = f"photos.root={root} has no "
    table.write_text("{}")
    assert (
        refusal("flair", root) == f"{beginning}labels_and_metadata.json that is a list{reads}"
    )
    table.write_text("[" * 100_000)
    assert refusal("flair", root) == (
        f"{beginning}labels_and_metadata.json that is JSON to its end{reads}"
    )
    folder.rename(root / "images")
    assert refusal("flair", root) == f"{beginning}folder small_images{reads}"
    table.unlink()
    looked_for = "labels_and_metadata.json, .hdf5 or .parquet file"
    assert refusal("flair", root) == f"{beginning}{looked_for}{reads}"


def test_names_may_be_any_text(copy, opened):
    strange = [
        {**one, "user_id": f"\ud800{one['user_id']}"} for one in made_sets.flair_entries()
    ]
    assert len(opened("flair", copy("raw", strange)).library(0).moments) == 2


@pytest.mark.parametrize("layout", ["hdf5", "parquet"])
def test_what_a_mac_leaves_beside_a_file_is_passed_over(copy, opened, layout):
    root = copy(layout)
    for path in list(root.rglob("*.*")):
        path.with_name(f"._{path.name}").write_bytes(b"")
    assert opened("flair", root).devices == 3


def test_a_mark_at_the_beginning_changes_nothing(copy, opened):
    root = copy("raw")
    table = root / "labels_and_metadata.json"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b", ", b",\r\n"))
    assert opened("flair", root).skipped == {}


@pytest.mark.parametrize(("suffix", "package"), [(".hdf5", "h5py"), (".parquet", "pyarrow")])
def test_what_is_not_installed_is_told_with_the_extra(
    tmp_path, refusal, monkeypatch, suffix, package
):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    (tmp_path / f"flair{suffix}").touch()
    told = refusal("flair", tmp_path)
    assert f"which {package} reads and is not installed; install the extra" in told
    assert "darkroom[sets]" in told


def test_two_hdf5_files_are_refused(tmp_path, refusal):
    for name in ("a.hdf5", "b.h5"):
        (tmp_path / name).touch()
    assert "holds 2 HDF5 files; keep the one to read" in refusal("flair", tmp_path)
