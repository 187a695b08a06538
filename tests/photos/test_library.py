"""What was left out of many libraries."""

from photos.library import Feedback, Library, skipped_total


def _library(device: int, skipped: dict[str, int]) -> Library:
    return Library(device=device, moments=(), skipped=skipped)


def test_skips_are_added_up_over_libraries_by_reason_in_the_order_of_the_reasons():
    libraries = [
        _library(0, {"link": 2, "damaged": 1}),
        _library(1, {}),
        _library(2, {"link": 3, "bad row": 4}),
    ]
    assert list(skipped_total(libraries).items()) == [
        ("bad row", 4),
        ("damaged", 1),
        ("link", 5),
    ]


def test_without_libraries_nothing_was_left_out():
    assert skipped_total([]) == {}


def test_feedback_is_worth_0_1_and_3():
    # 2^feedback - 1: the favourite is worth three photos that are kept.
    assert [2**word - 1 for word in Feedback] == [0, 1, 3]
