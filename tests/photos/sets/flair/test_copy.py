"""The rows that two layouts gather; what may be wrong with one: test_population.py."""

from collections import Counter

from photos.sets.flair.copy import Rows


def test_a_user_is_of_the_part_of_their_first_row():
    rows = Rows(skipped=Counter())
    assert rows.add("anna", "1", ["food"], "val")
    assert not rows.add("anna", "2", ["food"], "train")
    assert rows.add("ben", "2", ["food"], "train")
    assert (rows.users("val"), rows.users("train")) == (["anna"], ["ben"])


def test_a_row_without_a_label_makes_no_user():
    rows = Rows(skipped=Counter())
    assert not rows.add("anna", "1", [], "train")
    assert (rows.photos, rows.parts) == ({}, {})
