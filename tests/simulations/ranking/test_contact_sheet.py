import numpy as np
import pytest

from simulations.ranking.contact_sheet import FIRST, OTHER, SheetRow, Thumbnail, contact_sheet

GOLD = (224, 161, 0)


def _thumbnail(colour=(10, 200, 10), *, favourite=False, duplicate=False) -> Thumbnail:
    pixels = np.full((20, 20, 3), colour, dtype=np.uint8)
    return Thumbnail(pixels=pixels, favourite=favourite, duplicate=duplicate)


def _sheet(*rows: SheetRow, title: str = "phone", subtitle: str = "ranked by a run"):
    image = contact_sheet(rows, title=title, subtitle=subtitle)
    return np.asarray(image)


def _row(*thumbnails: Thumbnail, label: str = "moment") -> SheetRow:
    return SheetRow(label=label, thumbnails=thumbnails)


def _count(sheet: np.ndarray, colour) -> int:
    return int((sheet == colour).all(axis=-1).sum())


def test_the_first_photo_is_on_the_left_and_larger_than_the_others():
    sheet = _sheet(_row(_thumbnail((200, 0, 0)), _thumbnail((0, 0, 200))))
    reds, blues = (np.argwhere((sheet == c).all(axis=-1)) for c in ((200, 0, 0), (0, 0, 200)))
    assert np.ptp(reds, axis=0).max() + 1 == pytest.approx(FIRST, abs=1)
    assert (np.ptp(blues, axis=0) + 1).tolist() == [OTHER, OTHER]
    assert reds[:, 1].max() < blues[:, 1].min()


def test_a_favourite_has_a_star_and_the_legend_one_more():
    without = _count(_sheet(_row(_thumbnail(), _thumbnail())), GOLD)
    with_star = _count(_sheet(_row(_thumbnail(), _thumbnail(favourite=True))), GOLD)
    assert without > 0
    assert with_star == 2 * without


def test_a_near_duplicate_has_a_badge():
    plain = _sheet(_row(_thumbnail(), _thumbnail()))
    marked = _sheet(_row(_thumbnail(), _thumbnail(duplicate=True)))
    rows, columns = np.nonzero((plain != marked).any(axis=-1))
    assert np.ptp(rows) < 25
    assert np.ptp(columns) < 25


def test_the_sheet_grows_with_its_rows_and_its_longest_row():
    one = _sheet(_row(_thumbnail(), _thumbnail()))
    two = _sheet(_row(_thumbnail(), _thumbnail()), _row(*[_thumbnail()] * 12))
    assert two.shape[0] > one.shape[0]
    assert two.shape[1] > one.shape[1] + 10 * OTHER


@pytest.mark.parametrize(
    "label", ["", "x" * 500, "device/moment (1 of 2)", "写真/瞬間", "a/" * 80]
)
def test_any_label_and_title_is_drawn_inside_the_sheet(label):
    sheet = _sheet(_row(_thumbnail((200, 0, 0)), label=label), title=label, subtitle=label)
    assert _count(sheet, (200, 0, 0)) > FIRST**2 * 0.9
