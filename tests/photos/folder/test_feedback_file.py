import pytest

from photos.folder.feedback_file import FeedbackRow, read_feedback
from photos.folder.skips import Skip
from photos.library import Feedback

PHOTOS = {"a/1.jpg", "a/2.jpg", "b/1.jpg"}


def _read(tmp_path, text: str | bytes):
    path = tmp_path / "feedback.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_feedback(path, photos=PHOTOS)


def test_a_row_holds_a_photos_burst_and_feedback(tmp_path):
    table = _read(tmp_path, "photo,burst,feedback\na/1.jpg,x,favourite\na/2.jpg,x,delete\n")
    assert table.rows == {
        "a/1.jpg": FeedbackRow(burst="x", feedback=Feedback.FAVOURITE),
        "a/2.jpg": FeedbackRow(burst="x", feedback=Feedback.DELETE),
    }
    assert not table.skipped


def test_spreadsheet_habits_are_read_too(tmp_path):
    text = "\ufefffeedback, photo\r\nFavorite , a\\1.jpg\r\n,a/2.jpg\r\n"
    assert _read(tmp_path, text).rows == {
        "a/1.jpg": FeedbackRow(burst="", feedback=Feedback.FAVOURITE),
        "a/2.jpg": FeedbackRow(burst="", feedback=Feedback.KEEP),
    }


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("c/9.jpg,,keep", Skip.ROW_WITHOUT_PHOTO),
        ("../a/1.jpg,,keep", Skip.ROW_WITHOUT_PHOTO),
        ("a/1.jpg,,superb", Skip.UNKNOWN_FEEDBACK),
        ("b/1.jpg,,delete", Skip.SECOND_ROW),
    ],
)
def test_a_bad_row_is_counted_and_the_others_are_kept(tmp_path, row, reason):
    table = _read(tmp_path, f"photo,burst,feedback\nb/1.jpg,,favourite\n{row}\n")
    assert table.rows == {"b/1.jpg": FeedbackRow(burst="", feedback=Feedback.FAVOURITE)}
    assert table.skipped == {reason: 1}


@pytest.mark.parametrize(
    "row",
    [b"caf\xe9.jpg,,keep", b'a/2.jpg,"x,keep', b"x" * 200_000],
    ids=["latin", "quote", "long"],
)
def test_a_row_that_cannot_be_read_takes_no_other_with_it(tmp_path, row):
    rows = b"photo,burst,feedback\na/1.jpg,,delete\n" + row + b"\nb/1.jpg,,favourite\n"
    table = _read(tmp_path, rows)
    assert table.rows == {
        "a/1.jpg": FeedbackRow(burst="", feedback=Feedback.DELETE),
        "b/1.jpg": FeedbackRow(burst="", feedback=Feedback.FAVOURITE),
    }
    assert table.skipped == {Skip.BAD_ROW: 1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name,feedback\na/1.jpg,keep\n",
        b"photo,feedback,\xff\n,keep\n",
        '"photo,burst,feedback\na/1.jpg,,keep\n',
    ],
)
def test_a_table_that_cannot_be_read_counts_once(tmp_path, text):
    table = _read(tmp_path, text)
    assert table.rows == {}
    assert table.skipped == {Skip.BAD_TABLE: 1}


def test_a_short_or_long_row_is_read_as_far_as_it_goes(tmp_path):
    table = _read(tmp_path, "photo,burst,feedback\na/1.jpg\na/2.jpg,x,delete,and,more\n")
    assert table.rows["a/1.jpg"] == FeedbackRow(burst="", feedback=Feedback.KEEP)
    assert table.rows["a/2.jpg"] == FeedbackRow(burst="x", feedback=Feedback.DELETE)


def test_a_missing_table_is_empty_and_a_linked_or_foldered_one_is_counted(tmp_path):
    path = tmp_path / "feedback.csv"
    assert not read_feedback(path, photos=PHOTOS).skipped
    path.symlink_to(tmp_path / "elsewhere.csv")
    assert read_feedback(path, photos=PHOTOS).skipped == {Skip.LINK: 1}
    path.unlink()
    path.mkdir()
    assert read_feedback(path, photos=PHOTOS).skipped == {Skip.BAD_TABLE: 1}


@pytest.mark.parametrize(
    ("photo", "line"),
    [
        ("m/a.jpg", b"./m/a.jpg,,favourite"),
        ("caf\u00e9/a.jpg", "cafe\u0301/a.jpg,,favourite".encode()),
        ("cafe\u0301/a.jpg", "caf\u00e9/a.jpg,,favourite".encode()),
        ("m/a\\b.jpg", b"m/a\\b.jpg,,favourite"),
        (" m/a.jpg", b'" m/a.jpg",,favourite'),
        (" m/a.jpg", b" m/a.jpg,,favourite"),
        ("m/a\nb.jpg", b'"m/a\nb.jpg",,favourite'),
        ("m/a\nb.jpg", b'"m/a\r\nb.jpg",,favourite'),
        ("m/a\rb.jpg", b'"m/a\rb.jpg",,favourite'),
        ("m/a,b.jpg", b'"m/a,b.jpg",,favourite'),
        ('m/a"b.jpg', b'"m/a""b.jpg",,favourite'),
        ("m/caf\udce9.jpg", b"m/caf\xe9.jpg,,favourite"),
    ],
)
def test_a_row_finds_its_photo_whatever_it_is_called(tmp_path, photo, line):
    path = tmp_path / "feedback.csv"
    path.write_bytes(b"photo,burst,feedback\nn/1.jpg,,delete\n" + line + b"\nn/2.jpg,,delete\n")
    table = read_feedback(path, photos={photo, "n/1.jpg", "n/2.jpg"})
    assert table.rows[photo].feedback == Feedback.FAVOURITE
    assert len(table.rows) == 3
    assert not table.skipped


def test_a_row_that_could_mean_two_photos_is_neithers(tmp_path):
    path = tmp_path / "feedback.csv"
    path.write_text("photo,feedback\n m /1.jpg,favourite\nm/2.jpg,delete\n")
    table = read_feedback(path, photos={" m/1.jpg", "m/1.jpg", "m/2.jpg", " m/2.jpg"})
    assert table.rows == {"m/2.jpg": FeedbackRow(burst="", feedback=Feedback.DELETE)}
    assert table.skipped == {Skip.SEVERAL_PHOTOS: 1}


def test_two_spellings_of_a_photo_are_two_rows_for_it(tmp_path):
    table = _read(tmp_path, "photo,feedback\na/1.jpg,delete\n./a/1.jpg,favourite\n")
    assert table.rows == {"a/1.jpg": FeedbackRow(burst="", feedback=Feedback.DELETE)}
    assert table.skipped == {Skip.SECOND_ROW: 1}


def test_a_cell_beside_the_photo_that_is_not_utf8_costs_its_row(tmp_path):
    table = _read(tmp_path, b"photo,burst,feedback\na/1.jpg,\xff,keep\na/2.jpg,,\xff\n")
    assert table.skipped == {Skip.BAD_ROW: 2}
