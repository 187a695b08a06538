"""What photographs hold is counted over all devices before a run, by hand here."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from libraries import LIBRARY
from photo_files import photo

from photos.folder import decoding
from photos.folder.settings import FolderPhotos
from photos.library import Library, Moment
from photos.split import trains
from simulations.configuration import feedback_survey
from simulations.configuration.feedback_survey import FeedbackSurvey, orders, surveyed

PHOTOS = FolderPhotos(root="DIR", devices=None, held_out_devices=1, held_out_share=0.5, side=16)


def moment(number, *feedback):
    count = len(feedback)
    return Moment(
        number=number,
        photos=np.zeros((count, 16, 16, 3), np.uint8),
        bursts=np.arange(count),
        feedback=np.array(feedback, dtype=np.int64),
        expected_gain=None,
    )


def numbers(device, *, training, count):
    """Moments' numbers that are on one side of the split."""
    found = (
        number
        for number in range(1000)
        if trains(number, seed=3, device=device, held_out_share=0.5) == training
    )
    return [next(found) for _ in range(count)]


@dataclass
class Source:
    """One device that trains and one that is held out."""

    libraries: list
    devices: int = 1
    held_out_devices: int = 1

    def library(self, device):
        return self.libraries[device]


def library(device, training, held_out, *, rated=None, skipped=None):
    """A library whose moments have these feedbacks on each side of the split."""
    sides = ((True, training), (False, held_out))
    moments = [
        moment(number, *given)
        for side, feedbacks in sides
        for number, given in zip(
            numbers(device, training=side, count=len(feedbacks)), feedbacks, strict=True
        )
    ]
    return Library(device=device, moments=tuple(moments), skipped=skipped or {}, rated=rated)


@pytest.fixture
def survey(monkeypatch):
    """Surveys these libraries."""

    def survey(*libraries, **named):
        source = Source(list(libraries), **named)
        monkeypatch.setattr(feedback_survey, "open_source", lambda *_, **__: source)
        surveyed.cache_clear()
        return surveyed(PHOTOS, 3)

    yield survey
    surveyed.cache_clear()


ORDER, NONE = (2, 1), (1, 1, 1)


def test_moments_with_and_without_an_order_are_counted_on_their_side_of_the_split(survey):
    found = survey(
        library(0, [ORDER, NONE, ORDER], [ORDER], rated=4, skipped={"b": 1, "a": 2}),
        library(1, [ORDER], [ORDER, NONE], rated=3, skipped={"b": 1}),
    )
    expected = FeedbackSurvey(
        training=3, training_orders=2, judged_orders=1, rated=7, skipped={"a": 2, "b": 2}
    )
    assert found == expected
    assert found.lines() == [
        "7 photos with a rating",
        "3 moments train, 2 with an order; 1 judge",
        "skipped 2: a",
        "skipped 2: b",
    ]


def test_without_devices_held_out_the_held_out_moments_of_the_others_judge(survey):
    found = survey(library(0, [ORDER], [ORDER, ORDER]), held_out_devices=0)
    assert (found.training_orders, found.judged_orders, found.rated) == (1, 2, None)
    assert found.lines() == [
        "1 moments train, 1 with an order; 2 judge",
        "nothing skipped before decoding",
    ]


@pytest.mark.parametrize(
    ("libraries", "said"),
    [
        ([library(0, [NONE], [ORDER]), library(1, [ORDER], [ORDER])], "to train on"),
        ([library(0, [(2, 2)], []), library(1, [], [ORDER])], "to train on"),
        ([library(0, [], []), library(1, [], [])], "to train on"),
        ([library(0, [ORDER], [ORDER]), library(1, [ORDER], [NONE])], "holds out no moment"),
        ([library(0, [ORDER], [ORDER]), library(1, [ORDER], [])], "holds out no moment"),
    ],
)
def test_nothing_to_learn_and_nothing_to_judge_by_are_refused(survey, libraries, said):
    with pytest.raises(ValueError, match=f"^photos=folder .*{said}.*feedback.csv"):
        survey(*libraries)


def test_a_refusal_says_how_many_ratings_were_found(survey):
    with pytest.raises(ValueError, match=r"\(12 photos with a rating were found\)"):
        survey(library(0, [NONE], [ORDER], rated=12), library(1, [], [ORDER], rated=0))


def test_a_refusal_is_not_remembered(survey, monkeypatch):
    with pytest.raises(ValueError, match="to train on"):
        survey(library(0, [NONE], []), library(1, [], []))
    better = Source([library(0, [ORDER], []), library(1, [], [ORDER])])
    monkeypatch.setattr(feedback_survey, "open_source", lambda *_, **__: better)
    assert surveyed(PHOTOS, 3).training_orders == 1


def test_equal_feedback_is_no_order():
    assert orders([moment(0, 2, 2), moment(1, 0, 0, 0), moment(2, 0, 1), moment(3)]) == 1


@pytest.mark.parametrize("source", ["folder", "library"])
def test_photographs_are_counted_by_their_ratings_and_none_is_decoded(
    tmp_path, monkeypatch, source
):
    for device in "ab":
        for number in range(8):
            for place in range(2):
                path = tmp_path / device / str(number) / f"{place}.jpg"
                taken = f"2024:01:{number + 1:02} 12:00:{place:02}"
                photo(path, taken=taken, exif={0x4746: 5} if place else {})
        rows = [f"{number}/1.jpg,favourite\n" for number in range(8)]
        (tmp_path / device / "feedback.csv").write_text("photo,feedback\n" + "".join(rows))
    settings = replace(PHOTOS, root=str(tmp_path))
    if source == "library":
        settings = replace(
            LIBRARY,
            root=str(tmp_path),
            devices_by="folder",
            held_out_devices=1,
            held_out_share=0.5,
        )
    monkeypatch.setattr(decoding, "_decode", None)
    surveyed.cache_clear()
    found = surveyed(settings, 3)
    assert found.training == found.training_orders > 0 < found.judged_orders
    assert found.lines()[-1] == "nothing skipped before decoding" or source == "library"
