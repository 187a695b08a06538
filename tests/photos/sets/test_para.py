"""PARA's own: sessions, and which column is the rating."""

import made_sets
import numpy as np
import pytest


@pytest.fixture
def root(tmp_path):
    return made_sets.para(tmp_path)


def test_a_name_in_two_sessions_is_two_photos(root, opened):
    made_sets.write_photo(root / "imgs" / "session2" / "iaa_pub0_.jpg", 250)
    with (root / "annotation" / "PARA-Images.csv").open("a") as file:
        file.write(made_sets.para_row("session2", "iaa_pub0_.jpg", "A0", "5") + "\n")
    source = opened("para", root)
    assert source.skipped == {}
    shades = [shade for one in source.library(0).moments for shade in one.photos[:, 8, 8, 0]]
    assert len(shades) == 13
    assert 250 in shades


@pytest.mark.parametrize(
    ("rating", "value"), [("contentPreference", 4), ("willingnessToShare", 3)]
)
def test_the_rating_may_be_another_column(root, opened, rating, value):
    for moment in opened("para", root, rating=rating).library(0).moments:
        np.testing.assert_array_equal(moment.judgement.values, value)


def test_a_folder_that_is_a_link_is_not_there(root, refusal, tmp_path):
    (root / "annotation").rename(root / "elsewhere")
    (root / "annotation").symlink_to("elsewhere")
    assert "has no annotation/PARA-Images.csv" in refusal("para", root)


def test_a_session_that_leads_out_is_refused(root, opened):
    with (root / "annotation" / "PARA-Images.csv").open("a") as file:
        file.write(made_sets.para_row("../imgs/session1", "iaa_pub0_.jpg", "A0", "5") + "\n")
    assert opened("para", root).skipped == {
        "table row whose name would lead out of its folder": 1
    }
