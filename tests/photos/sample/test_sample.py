import csv
import hashlib
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photos.folder.device_folder import read_device
from photos.folder.population import FolderSource
from photos.folder.settings import FolderPhotos
from photos.sample import source_pictures
from photos.sample.owner import SampleOwner
from photos.sample.sample import write_sample
from photos.sample.shots import draw_shots
from photos.sample.versions import VERSIONS

PHOTOS = FolderPhotos(
    root="",
    devices=None,
    held_out_devices=2,
    held_out_share=0.0,
    side=32,
)


@pytest.fixture(scope="module", params=VERSIONS)
def version(request) -> int:
    return request.param


@pytest.fixture(scope="module")
def sample(tmp_path_factory, version) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "sample"
    write_sample(folder, devices=6, moments=5, seed=0, version=version)
    return folder


def _libraries(folder: Path):
    source = FolderSource(replace(PHOTOS, root=str(folder)))
    assert (source.devices, source.held_out_devices) == (4, 2)
    return [source.library(device) for device in range(6)]


def test_the_sample_is_read_whole_by_the_folder_source(sample):
    for library in _libraries(sample):
        assert library.skipped == {}
        assert len(library.moments) == 5


def test_every_kind_of_feedback_and_shared_bursts_occur(sample):
    moments = [moment for library in _libraries(sample) for moment in library.moments]
    assert {int(word) for moment in moments for word in moment.feedback} == {0, 1, 2}
    assert any(len(set(moment.bursts.tolist())) < len(moment.bursts) for moment in moments)


def test_held_out_devices_show_scenes_that_no_training_device_has(sample, version):
    devices = sorted(path for path in sample.iterdir() if path.is_dir())
    scenes = [
        {moment.name.rsplit("-", 1)[1] for moment in device.iterdir() if moment.is_dir()}
        for device in devices
    ]
    pictures = VERSIONS[version].pictures
    assert set.union(*scenes[:4]) <= {one.name for one in pictures if not one.held_out}
    assert set.union(*scenes[4:]) <= {one.name for one in pictures if one.held_out}


def test_photos_carry_times_in_order_orientations_and_several_formats(sample):
    for device in sample.glob("device-*"):
        for moment in read_device(device, side=16).moments:
            times = [photo.taken for photo in moment.photographs]
            assert all(isinstance(time, datetime) for time in times)
            assert all(first < second for first, second in pairwise(times))
            assert f"{times[0]:%Y-%m-%d}" == moment.name[:10]
    paths = list(sample.glob("*/*/IMG_*"))
    assert {path.suffix for path in paths} == {".jpg", ".png", ".webp"}
    assert len({_orientation(path) for path in paths}) > 1


def _orientation(path: Path) -> int:
    with Image.open(path) as image:
        return image.getexif()[0x0112]


def test_the_table_lists_every_photo_once(sample):
    for device in sample.glob("device-*"):
        with (device / "feedback.csv").open() as file:
            listed = [row["photo"] for row in csv.DictReader(file)]
        there = {path.relative_to(device).as_posix() for path in device.glob("*/*")}
        assert len(listed) == len(set(listed))
        assert set(listed) == there


def test_every_source_picture_is_named_with_its_maker_and_licence(sample, version):
    text, pictures = (sample / "ATTRIBUTION.txt").read_text(), VERSIONS[version].pictures
    assert all(one.name in text and one.credit in text for one in pictures)
    assert all(one.licence in text for one in pictures)


def test_the_same_seed_writes_the_same_photos_and_another_seed_others(tmp_path):
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sample(tmp_path / name, devices=2, moments=1, seed=seed)
        files = sorted((tmp_path / name).rglob("*.*"))
        digests.append(hashlib.sha256(b"".join(p.read_bytes() for p in files)).digest())
    assert digests[0] == digests[1] != digests[2]


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    for place in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(ValueError, match="is not an empty folder: name a new one"):
            write_sample(place, devices=2, moments=1, seed=0)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("devices", "moments"), [(1, 1), (0, 1), (2, 0), (-3, -3)])
def test_too_small_a_sample_is_refused_and_nothing_written(tmp_path, devices, moments):
    with pytest.raises(ValueError, match="at least 2 devices"):
        write_sample(tmp_path / "sample", devices=devices, moments=moments, seed=0)
    assert not (tmp_path / "sample").exists()


@pytest.mark.parametrize("spec", [None, "elsewhere"])
def test_a_missing_package_is_one_sentence_with_the_way_out(tmp_path, monkeypatch, spec):
    class Elsewhere:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr(source_pictures, "find_spec", lambda _: Elsewhere() if spec else None)
    with pytest.raises(ValueError, match=r'pip install -e "\.\[sample\]"'):
        write_sample(tmp_path / "sample", devices=2, moments=1, seed=0)
    assert not (tmp_path / "sample").exists()


def test_the_first_version_is_written_where_none_is_named(tmp_path):
    said = []
    for name, more in (("plain", {}), ("first", {"version": 1}), ("second", {"version": 2})):
        write_sample(tmp_path / name, devices=2, moments=1, seed=1, **more)
        said.append((tmp_path / name / "ATTRIBUTION.txt").read_text())
    assert said[0] == said[1] != said[2]
    assert "Grace Hopper" in said[2]


def test_owners_and_shots_of_the_first_version_are_those_of_its_published_figures():
    """Drawn by the code that had no other version."""
    rng = np.random.default_rng(7)
    owner = SampleOwner.draw(VERSIONS[1].owners, rng=rng)
    shots = draw_shots(datetime(2025, 3, 4, 12), shooting=VERSIONS[1].shooting, rng=rng)
    assert owner.taste[[0, 3]] == pytest.approx([0.80024603, 1.32188163])
    last = shots[-1].capture
    assert (len(shots), shots[-1].burst) == (8, 2)
    assert (last.tilt, last.exposure) == pytest.approx((8.805081027, -0.613328146))
    assert (last.blur, last.noise) == pytest.approx((0.0183839972, 0.0111736502))
