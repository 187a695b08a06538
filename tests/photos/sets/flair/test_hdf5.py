"""FLAIR in one HDF5 file: links, wrong shapes and the central variant."""

import contextlib

import made_sets
import numpy as np
import pytest

h5py = pytest.importorskip("h5py", reason="h5py of the extra [sets] is missing")

ENTRIES = made_sets.flair_entries()


@pytest.fixture(params=["flair_hdf5", "flair_pfl"])
def root(request, tmp_path):
    return getattr(made_sets, request.param)(tmp_path, ENTRIES)


@pytest.fixture
def changed(root):
    """Lets a test change the file."""

    def changed():
        (path,) = (one for one in root.iterdir() if one.suffix in (".hdf5", ".h5"))
        return h5py.File(path, "a")

    return changed


def replaced(group, name, values):
    del group[name]
    group[name] = values


def test_a_link_to_a_user_is_not_followed(root, changed, opened, tmp_path):
    with h5py.File(tmp_path / "outside.bin", "w") as file:
        file["user/image_ids"] = np.array(["1"], "S")
    with changed() as file:
        file["train/9@N00"] = h5py.ExternalLink(str(tmp_path / "outside.bin"), "user")
        file["train/8@N00"] = h5py.SoftLink("/train/0@N00")
    assert opened("flair", root).devices == 3


@pytest.mark.parametrize("name", ["images", "image_ids"])
def test_data_of_another_file_is_not_read(root, changed, opened, tmp_path, name):
    with h5py.File(tmp_path / "outside.bin", "w") as file, changed() as own:
        file["data"] = own["train/0@N00"][name][()]
        del own[f"train/0@N00/{name}"]
        own[f"train/0@N00/{name}"] = h5py.ExternalLink(str(tmp_path / "outside.bin"), "data")
    library = opened("flair", root).library(0)
    assert library.moments == ()
    assert sum(library.skipped.values()) > 0


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((6, 8, 8), np.uint8),
        np.zeros((6, 8, 8, 4), np.uint8),
        np.zeros((6, 8, 8, 3), np.float32),
        np.zeros((6, 0, 8, 3), np.uint8),
        np.zeros((0, 8, 8, 3), np.uint8),
        np.zeros((), np.uint8),
        np.bytes_(b"x"),
    ],
)
def test_images_of_another_shape_leave_the_user_without_photos(root, changed, opened, images):
    with changed() as file:
        replaced(file["train/0@N00"], "images", images)
    source = opened("flair", root)
    assert source.library(0).moments == ()
    assert len(source.library(1).moments) == 2


def test_fewer_images_than_ids_cost_those_without_one_alone(root, changed, opened):
    with changed() as file:
        group = file["train/0@N00"]
        replaced(group, "images", group["images"][:5])
    library = opened("flair", root).library(0)
    assert sum(len(one.photos) for one in library.moments) in (3, 5)
    assert library.skipped["cannot be opened"] == 1


def test_an_id_twice_counts_once(root, changed, opened):
    with changed() as file:
        group = file["train/0@N00"]
        ids = group["image_ids"][()]
        ids[1] = ids[0]
        replaced(group, "image_ids", ids)
    library = opened("flair", root).library(0)
    assert library.skipped["table row for a photo or a pair that has one"] == 1


@pytest.mark.parametrize("name", ["images", "image_ids"])
def test_a_user_without_a_dataset_costs_no_other(root, changed, opened, name):
    with changed() as file:
        del file[f"train/1@N00/{name}"]
    source = opened("flair", root)
    assert source.library(1).moments == ()
    assert len(source.library(0).moments) == 2


def test_a_dataset_in_the_place_of_a_user_costs_no_other(root, changed, opened):
    with changed() as file:
        file["train/!"] = np.zeros(3)
    source = opened("flair", root)
    assert source.library(0).skipped == {"person whose part of the file cannot be read": 1}
    assert len(source.library(1).moments) == 2


def test_a_dataset_in_the_place_of_a_part_is_refused(root, changed, refusal):
    with changed() as file:
        replaced(file, "train", np.zeros(3))
    assert "that is whole HDF5" in refusal("flair", root)


def test_a_user_of_two_parts_trains(root, changed, opened):
    with changed() as file:
        file.copy("train/0@N00", "val/0@N00")
    source = opened("flair", root)
    assert source.skipped == {"table row of no part, or of another part than a row before": 1}
    assert (source.devices, source.held_out_devices) == (3, 1)


def test_the_central_variant_is_told(tmp_path, refusal):
    with h5py.File(tmp_path / "flair_central.hdf5", "w") as file:
        group = file.create_group("train/100")
        group["image"] = np.zeros((8, 8, 3), np.uint8)
        group["user_id"] = "0@N00"
    assert "no group of images by user in flair_central.hdf5" in refusal("flair", tmp_path)


@pytest.mark.parametrize(
    "mapping", ['{"food": 1000000000000}', "[]", '{"food"', '{"food": null}']
)
def test_a_mapping_of_any_kind_is_a_count_or_a_sentence(tmp_path, opened, mapping):
    root = made_sets.flair_pfl(tmp_path, ENTRIES)
    with h5py.File(root / "flair_federated.h5", "a") as file:
        replaced(file, "metadata/label_mapping", mapping)
    with contextlib.suppress(ValueError):
        assert opened("flair", root).library(0).moments == ()


def test_labels_beyond_their_mapping_are_counted(tmp_path, opened):
    root = made_sets.flair_pfl(tmp_path, ENTRIES)
    with h5py.File(root / "flair_federated.h5", "a") as file:
        group = file["train/0@N00"]
        replaced(group, "labels_col", np.append(group["labels_col"][1:], 99).astype(np.uint8))
    library = opened("flair", root).library(0)
    assert library.skipped["table row whose number is outside its range"] == 1
