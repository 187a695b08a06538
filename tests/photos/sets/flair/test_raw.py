"""FLAIR as it is downloaded; what may be wrong with an entry: test_population.py."""

from collections import Counter

import made_sets

from photos.sets.flair.raw import RawCopy


def test_users_come_by_part_with_the_places_of_their_photos_labels(settings, tmp_path):
    root = made_sets.flair_raw(tmp_path, made_sets.flair_entries())
    made_sets.write_photo(root / "small_images" / "9000.jpg", 9)
    skipped = Counter()
    copy = RawCopy(settings("flair", root), root, skipped)
    assert [list(copy.users(part)) for part in ("train", "test", "val")] == [
        ["0@N00", "1@N00", "2@N00"],
        ["3@N00"],
        ["4@N00"],
    ]
    # Photo k of user 1 has the k-th of animal, food, plant, structure and the one after it.
    assert copy.labelled("1@N00", skipped)["100"] == (0, 5)
    assert skipped == {"photo without a row": 1}
    (read,) = copy.pixels("1@N00", ["101"], side=16)
    assert abs(int(read[8, 8, 0]) - 101) <= 2
