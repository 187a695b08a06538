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
from photos.library import Feedback
from photos.sample import source_pictures
from photos.sample.owner import COMMON_TASTE, SampleOwner, feedback, merits
from photos.sample.sample import write_sample
from photos.sample.source_pictures import PICTURES, open_picture
from photos.settings import Photos
from photos.synthetic.capture import Capture, take

PHOTOS = Photos(
    source="folder",
    root=None,
    devices=None,
    held_out_devices=2,
    held_out_share=0.0,
    side=32,
    taste=0,
    taste_cosine=1.0,
    taste_flips=0,
    context_preference=0.0,
)
PLAIN = Capture(
    across=0.5,
    down=0.5,
    frame=1.0,
    tilt=0.0,
    exposure=0.0,
    warmth=0.0,
    colour=1.0,
    blur=0.0,
    noise=0.0,
)
RNG = np.random.default_rng


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "sample"
    write_sample(folder, devices=6, moments=5, seed=0)
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


def test_held_out_devices_show_scenes_that_no_training_device_has(sample):
    devices = sorted(path for path in sample.iterdir() if path.is_dir())
    scenes = [
        {moment.name.rsplit("-", 1)[1] for moment in device.iterdir() if moment.is_dir()}
        for device in devices
    ]
    assert set.union(*scenes[:4]) <= {one.name for one in PICTURES if not one.held_out}
    assert set.union(*scenes[4:]) <= {one.name for one in PICTURES if one.held_out}


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


def test_every_source_picture_is_named_with_its_maker_and_licence(sample):
    text = (sample / "ATTRIBUTION.txt").read_text()
    assert all(one.name in text and one.credit in text for one in PICTURES)
    assert all(one.licence in text for one in PICTURES)


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


@pytest.mark.parametrize("picture", PICTURES, ids=lambda one: one.name)
def test_every_source_picture_is_a_photograph_of_300_pixels_or_more(picture):
    assert min(open_picture(picture).size) >= 300


def _scene() -> Image.Image:
    pixels = np.full((64, 64, 3), 128, dtype=np.uint8)
    pixels[:, :32] = (100, 120, 140)
    return Image.fromarray(pixels)


def _taken(**changes: float) -> np.ndarray:
    return take(_scene(), replace(PLAIN, **changes), side=64, rng=RNG(0)).astype(int)


def test_a_plain_capture_of_the_whole_scene_is_the_scene():
    assert np.abs(_taken() - np.asarray(_scene())).max() <= 1


def test_a_stop_doubles_the_light():
    assert _taken(exposure=1.0)[0, 60, 0] == round(128 * 2 ** (1 / 2.2))
    assert _taken(exposure=-1.0)[0, 60, 0] == round(128 * 0.5 ** (1 / 2.2))


def test_warmth_moves_red_and_blue_apart_and_no_colour_is_grey():
    red, green, blue = _taken(warmth=1.0)[0, 60]
    assert red > green > blue
    assert np.ptp(_taken(colour=0.0)[0, 5]) == 0


@pytest.mark.filterwarnings("error")
def test_no_warmth_however_far_takes_more_light_than_there_is():
    assert _taken(warmth=-4.0)[..., 0].max() == 0
    assert _taken(warmth=4.0)[..., 2].max() == 0


def test_blur_noise_and_tilt_do_what_they_say():
    assert np.abs(np.diff(_taken(blur=0.05), axis=1)).max() < 10
    assert 5 < _taken(noise=0.1, frame=0.4)[:, 50:].std() < 40
    level, leaning = _taken(frame=0.5), _taken(frame=0.5, tilt=20.0)
    assert (level[0] == level[-1]).all()
    assert (leaning[0] != leaning[-1]).any()


@pytest.mark.parametrize("corner", [(0.0, 0.0), (1.0, 1.0), (-1.0, 2.0)])
def test_no_border_is_seen_wherever_the_frame_is_pointed(corner):
    white = Image.new("RGB", (300, 200), "white")
    capture = replace(PLAIN, across=corner[0], down=corner[1], frame=0.84, tilt=10.0)
    assert take(white, capture, side=50, rng=RNG(0)).min() == 255


def test_better_captures_are_liked_more_and_merits_are_as_listed():
    owner = SampleOwner(taste=COMMON_TASTE)
    good = replace(PLAIN, exposure=0.5, warmth=0.5)
    bad = replace(PLAIN, exposure=-0.5, warmth=-0.5, blur=0.02, tilt=6.0)
    liking = owner.liking((good, PLAIN, bad))
    assert liking[0] > liking[1] > liking[2]
    assert liking.sum() == pytest.approx(0)
    assert merits(replace(PLAIN, blur=0.01, tilt=-3.0, noise=0.05, frame=0.77)).tolist() == (
        pytest.approx([-1, -1, -1, 0, 0, 0, 1])
    )


def test_a_burst_has_at_most_one_favourite_and_the_best_liked_is_it_most_often():
    liking = np.array([2.0, 0.0, -2.0, 2.0])
    bursts = np.array([0, 0, 0, 1])
    given = np.stack([feedback(liking, bursts, rng=RNG(seed)) for seed in range(500)])
    favourite = given == Feedback.FAVOURITE
    assert (favourite[:, :3].sum(axis=1) <= 1).all()
    # e^4 / (e^4 + 1 + e^-4 + e^1) and e^4 / (e^4 + e^1), by hand.
    assert favourite.mean(axis=0)[[0, 3]] == pytest.approx([0.936, 0.953], abs=0.03)
    assert (given[:, 2] == Feedback.DELETE).mean() > 0.8
