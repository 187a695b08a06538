"""FLAIR as parquet: columns, images that cannot be had, and paths that are never opened."""

import made_sets
import pytest

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow of the extra [sets] is missing")


@pytest.fixture
def root(tmp_path):
    return made_sets.flair_parquet(tmp_path, made_sets.flair_entries())


def rewritten(root, change):
    """Writes the training file anew with its table changed."""
    from pyarrow import parquet

    (path,) = (root / "data").glob("train*")
    parquet.write_table(change(parquet.read_table(path)), path, row_group_size=4)


@pytest.mark.parametrize("column", ["user_id", "image_id", "labels", "partition", "image"])
def test_a_column_that_is_missing_is_named(root, refusal, column):
    rewritten(root, lambda table: table.drop_columns([column]))
    assert f"has no column {column} in train-00000-of-00001.parquet;" in refusal("flair", root)


def with_image(table, image):
    """The table with another image in its first row; a path there is never opened."""
    images = [image, *table.column("image").to_pylist()[1:]]
    place = table.schema.get_field_index("image")
    typed = pyarrow.array(images, table.schema.field("image").type)
    return table.set_column(place, "image", typed)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (None, "cannot be opened"),
        ({"bytes": None, "path": "/etc/passwd"}, "cannot be opened"),
        (
            {"bytes": b"no photo", "path": None},
            "not a JPEG, PNG, WebP, HEIC, AVIF or camera raw inside",
        ),
    ],
)
def test_an_image_that_cannot_be_had_is_counted(root, opened, image, reason):
    rewritten(root, lambda table: with_image(table, image))
    source = opened("flair", root)
    assert source.library(0).skipped == {reason: 1}
    assert source.library(1).skipped == {}


def test_the_files_may_stand_in_the_root_itself(root, opened):
    for path in (root / "data").iterdir():
        path.rename(root / path.name)
    assert opened("flair", root).devices == 3


def test_rows_that_cannot_be_used_are_counted(root, opened):
    def twice(table):
        return pyarrow.concat_tables([table, table.slice(0, 2)])

    rewritten(root, twice)
    source = opened("flair", root)
    assert source.skipped == {"table row for a photo or a pair that has one": 2}


def test_a_file_that_is_gone_later_costs_its_photos(root, opened):
    source = opened("flair", root)
    (path,) = (root / "data").glob("train*")
    path.unlink()
    library = source.library(0)
    assert library.moments == ()
    assert library.skipped["cannot be opened"] == 6
