import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.ranking.contact_sheet import FIRST, OTHER, SheetRow, Thumbnail, contact_sheet

GOLD = (224, 161, 0)
PAPER = (250, 249, 246)
HEAD, FOOT, TEXT = 96, 52, 240
ALIKE = (
    "a",
    "a ",
    " a",
    "a\u200b",
    "\u200ba",
    "a\n",
    "a\u0301",
    "á",
    "ａ",
    "а",
    "[0430]",
    "A/",
)
SCRIPTS = {
    "Latin": ("Gärten", "Garten"),
    "Greek": ("θάλασσα", "ηλιοφως"),
    "Cyrillic": ("берег", "весна"),
    "Hebrew": ("שלום", "חתול"),
    "Arabic": ("بحر", "قمر"),
    "Devanagari": ("नदी", "नमक"),
    "Thai": ("ทะเล", "ภูเข"),
    "Japanese": ("海辺", "誕生"),
    "Korean": ("바다", "생일"),
    "emoji": ("📷", "🎂"),
    "unseen": ("\u200b", "\u200d"),
    "spaces": (" ", "\u3000"),
    "long": ("x" * 300 + "y" + "x" * 300, "x" * 300 + "z" + "x" * 300),
    "undecodable": ("\udcfe", "\udcff"),
}


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


def _label(name: str) -> np.ndarray:
    return _sheet(_row(_thumbnail(), label=name))[HEAD:-FOOT, :TEXT]


@pytest.mark.parametrize(("one", "other"), SCRIPTS.values(), ids=SCRIPTS)
def test_labels_of_two_names_differ_whatever_the_script(one, other):
    assert (_label(one) != _label(other)).any()


def test_labels_of_names_that_look_alike_differ():
    drawn = {_label(name).tobytes() for name in ALIKE}
    assert len(drawn) == len(ALIKE)


@settings(max_examples=20, deadline=None)
@given(names=st.lists(st.text(min_size=1, max_size=40), min_size=2, max_size=2, unique=True))
def test_labels_of_any_two_names_differ(names):
    one, other = names
    assert (_label(one) != _label(other)).any()


@settings(max_examples=20, deadline=None)
@given(name=st.text(min_size=1, max_size=80))
def test_a_label_stays_on_its_lines_and_within_its_width(name):
    """Lines begin 59, 75 and 95 pixels below the rule; the first photo's frame is at 244."""
    label = _label(name).copy()
    label[:2] = PAPER  # the rule itself
    inked = np.argwhere((label != PAPER).any(axis=-1))
    assert inked[:, 0].min() >= 59
    assert inked[:, 0].max() < 95 + 16
    assert inked[:, 1].max() < 236


def test_only_a_name_that_is_not_drawn_as_it_is_has_a_mark_with_its_line_in_the_legend():
    plain, other = (_sheet(_row(_thumbnail(), label=name)) for name in ("a", "ä"))
    changed = np.argwhere((plain != other).any(axis=-1))
    assert changed[:, 0].max() > len(plain) - FOOT + 30
    on_the_line_of_the_count = changed[changed[:, 0] < len(plain) - FOOT]
    assert on_the_line_of_the_count[:, 0].min() >= HEAD + 95


def test_the_end_of_a_long_name_stays_where_pieces_of_a_moment_are_counted():
    first, second = (
        _sheet(_row(_thumbnail(), label=f"{'harbour ' * 9}({piece} of 2)"))[HEAD:-FOOT, :TEXT]
        for piece in (1, 2)
    )
    rows = np.flatnonzero((first != second).any(axis=(1, 2)))
    assert rows.min() < 73 + 18  # on the line of the name itself, above that of the mark
