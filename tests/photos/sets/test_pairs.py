"""The pair lists of Photo Triage; what may be wrong with a row: test_photo_triage.py."""

from collections import Counter

from photos.sets.pairs import LARGEST_NUMBER, LARGEST_PHOTO, Series, photo_name, read_pairs


def test_a_row_names_a_series_two_photos_a_share_and_their_ranks(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("# a comment\n261 7 8 0.727273 2 1\n261 8 9 1 1 3\n12 1 2 0 2 1\n")
    there = {photo_name(261, k) for k in (7, 8, 9)} | {photo_name(12, k) for k in (1, 2)}
    skipped = Counter()
    assert read_pairs(path, there, skipped) == {
        261: Series(ranks={7: 2, 8: 1, 9: 3}, shares={(7, 8): 0.727273, (8, 9): 1.0}),
        12: Series(ranks={1: 2, 2: 1}, shares={(1, 2): 0.0}),
    }
    assert not skipped


def test_the_largest_numbers_fit_a_files_name():
    assert photo_name(LARGEST_NUMBER, LARGEST_PHOTO) == "999999-99.JPG"
    assert len(photo_name(0, 0)) == len(photo_name(LARGEST_NUMBER, LARGEST_PHOTO))
