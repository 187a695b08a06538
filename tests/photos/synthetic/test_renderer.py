"""Each attribute must be visible in the photo, and it is known which way a fault goes."""

import numpy as np
import pytest

from photos.synthetic import renderer
from photos.synthetic.attributes import NAMES, Roll
from photos.synthetic.renderer import AT_ONCE, EXTREME, Pictures, Scenery, draw_scenery, render

PHOTOS, SIDE = 48, 48
RED = np.array([0.9, 0.05, 0.05], np.float32)


def _pictures(**attributes: float) -> Pictures:
    """Faultless photos of red people in a city, but for the given."""
    values = np.full((PHOTOS, len(NAMES)), EXTREME)
    for name, value in attributes.items():
        values[:, NAMES.index(name)] = value
    roll = Roll(
        moment_of=np.repeat(np.arange(8), PHOTOS // 8),
        bursts=np.zeros(PHOTOS, np.int64),
        scenes=np.full(8, 2),
        attributes=values,
    )
    drawn = draw_scenery(8, np.random.default_rng(0))
    red = np.tile(RED, (8, 1))
    scenery = Scenery(
        horizon=drawn.horizon,
        shade=np.ones_like(drawn.shade),
        texture=drawn.texture,
        skin=red,
        clothes=red,
    )
    return render(roll, scenery, side=SIDE, generator=np.random.default_rng(1))


def _photos(**attributes: float) -> np.ndarray:
    """[photos, side, side, 3] in 0 … 1."""
    return _pictures(**attributes).photos / 255.0


def _person(photos: np.ndarray) -> np.ndarray:
    return photos[..., 0] - photos[..., 1] > 0.35


def _steepness(photos: np.ndarray, axis: int) -> float:
    return float(np.abs(np.diff(photos, axis=axis)).mean())


def _grain(photos: np.ndarray) -> float:
    twice = np.diff(photos[:, : SIDE // 4], n=2, axis=2)
    return float(twice.std())


def _off_centre(photos: np.ndarray) -> float:
    person = _person(photos)
    columns = (person * np.arange(SIDE)).sum((1, 2)) / person.sum((1, 2))
    return float(np.abs(columns - (SIDE - 1) / 2).mean())


def _lean(photos: np.ndarray) -> float:
    left, right = photos[:, :, :4].mean((1, 2, 3)), photos[:, :, -4:].mean((1, 2, 3))
    return float(np.abs(left - right).mean())


def _face_darkness(photos: np.ndarray, rows: slice, columns: slice) -> float:
    return float(1 - photos[:, rows, columns, 0].mean())


def _differ(name: str, measure) -> tuple[float, float]:
    return measure(_photos(**{name: -EXTREME})), measure(_photos(**{name: EXTREME}))


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("sharp", lambda photos: _steepness(photos, 1)),
        ("still", lambda photos: _steepness(photos, 2) / _steepness(photos, 1)),
        ("exposure", lambda photos: 1 / (0.02 + photos.mean((1, 2, 3)).std())),
        ("clean", lambda photos: 1 / (0.01 + _grain(photos))),
        ("colour", lambda photos: float(np.ptp(photos, axis=-1).mean())),
        ("size", lambda photos: float(_person(photos).mean())),
        ("thirds", _off_centre),
        ("level", lambda photos: 1 / (0.01 + _lean(photos))),
    ],
)
def test_more_of_an_attribute_is_seen_as_more(name, measure):
    less, more = _differ(name, measure)
    assert more > 1.2 * less


def test_open_eyes_are_larger_dark_spots_than_closed_ones():
    def dark(eyes: float) -> float:
        photos = _photos(thirds=-EXTREME, eyes=eyes)
        return _face_darkness(photos, slice(16, 23), slice(16, 32))

    assert dark(EXTREME) > 1.3 * dark(-EXTREME)


def test_the_corners_of_a_smiling_mouth_are_up_and_those_of_a_sad_one_down():
    def corners_below_middle(smile: float) -> float:
        photos = _photos(thirds=-EXTREME, smile=smile)
        mouth = 1 - photos[:, 24:32, :, 0]
        rows = np.arange(24, 32)[None, :, None]
        height = (mouth * rows).sum(1) / mouth.sum(1)
        corners = height[:, [19, 28]].mean()
        return float(corners - height[:, 23:25].mean())

    assert corners_below_middle(EXTREME) < -0.2
    assert corners_below_middle(-EXTREME) > 0.2


@pytest.mark.parametrize("photos", [2, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 5])
def test_any_number_of_photos_is_drawn_though_they_are_drawn_in_batches(photos):
    roll = Roll(
        moment_of=np.zeros(photos, np.int64),
        bursts=np.zeros(photos, np.int64),
        scenes=np.full(1, 3),
        attributes=np.zeros((photos, len(NAMES))),
    )
    generator = np.random.default_rng(0)
    pictures = render(roll, draw_scenery(1, generator), side=24, generator=generator)
    drawn = pictures.photos
    assert drawn.shape == (photos, 24, 24, 3)
    assert drawn.dtype == np.uint8
    assert (drawn.std((1, 2, 3)) > 0).all()
    assert len({one.tobytes() for one in drawn}) == photos
    assert pictures.signed.shape == (photos, 3)
    assert pictures.signed.dtype == np.float32
    assert pictures.signed.all()


def test_photos_of_another_size_show_the_same():
    roll = Roll(
        moment_of=np.zeros(12, np.int64),
        bursts=np.zeros(12, np.int64),
        scenes=np.zeros(1, np.int64),
        attributes=np.full((12, len(NAMES)), EXTREME),
    )
    scenery = draw_scenery(1, np.random.default_rng(0))

    def at(side: int) -> np.ndarray:
        photos = render(roll, scenery, side=side, generator=np.random.default_rng(1)).photos
        assert photos.shape == (12, side, side, 3)
        return photos.reshape(12, 16, side // 16, 16, side // 16, 3).mean((2, 4))

    assert np.abs(at(32) - at(96)).mean() < 6


def test_how_far_a_fault_goes_follows_from_its_attribute_and_the_way_is_drawn():
    """An attribute of 0 is half of the worst: half the tilt, half of the way to a third, and of
    the exposure ½ ^ 1.5. A faultless photo leans nowhere, and its subject is at a third.
    """
    halves = _pictures(level=0, thirds=0, exposure=0).signed
    assert np.abs(halves) == pytest.approx(np.tile([0.5, 0.5, 0.5**1.5], (PHOTOS, 1)))
    # Of 48 fair coins as few as 11 are heads once in 9,000 times.
    assert ((halves > 0).sum(0) > 11).all()
    assert ((halves < 0).sum(0) > 11).all()
    faultless = np.abs(_pictures().signed)
    assert faultless == pytest.approx(np.tile([0, 1, 0], (PHOTOS, 1)), abs=1e-6)


def test_no_fault_goes_further_than_one_however_extreme_its_attribute_is():
    worst = _pictures(level=-9, thirds=9, exposure=-9).signed
    assert np.abs(worst) == pytest.approx(np.ones((PHOTOS, 3)), abs=1e-6)


@pytest.mark.parametrize(
    ("place", "faults", "measure"),
    [
        # A city's sky is brighter than its ground: there is more of it where the horizon falls.
        (0, {"level": -EXTREME}, lambda photos: photos[:, :, -6:].mean((1, 2, 3))),
        (1, {}, lambda photos: _person(photos)[:, :, SIDE // 2 :].mean((1, 2))),
        (2, {"exposure": -EXTREME}, lambda photos: photos.mean((1, 2, 3))),
    ],
)
def test_the_sign_of_a_fault_is_seen(place, faults, measure):
    """Tilted down to the right, the subject on the right, too bright: each has a plus."""
    pictures = _pictures(**faults)
    plus, seen = pictures.signed[:, place] > 0, measure(pictures.photos / 255.0)
    assert seen[plus].mean() > 1.2 * seen[~plus].mean()


def test_no_weight_of_a_blur_is_a_subnormal_number_on_which_products_take_ten_times_as_long():
    blurs = np.linspace(0.006, 0.042, 64, dtype=np.float32)

    weights = renderer._kernel(blurs, 2 * blurs, 48)

    assert weights[weights > 0].min() >= np.finfo(np.float32).tiny
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-6)


def test_a_pixel_twelve_deviations_away_adds_less_than_float32_keeps_of_the_sum():
    beyond = np.exp(np.float32(-0.5) * renderer.FAR**2)

    assert np.float32(1 / 255) + 48 * beyond == np.float32(1 / 255)
