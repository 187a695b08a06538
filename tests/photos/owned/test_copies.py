"""Files that are the same, byte for byte."""

from photos.owned.copies import same_content


def test_the_same_bytes_are_together_and_what_cannot_be_read_is_alone(tmp_path):
    contents = {"a": b"1" * 3_000_000, "b": b"2", "c": b"1" * 3_000_000, "d": b"2", "e": b""}
    paths = [tmp_path / name for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_bytes(content)
    (tmp_path / "link").symlink_to("b")
    gone = [tmp_path / "gone", tmp_path / "link", tmp_path / "gone"]
    assert same_content([*paths, *gone]) == [[0, 2], [1, 3], [4], [5], [6], [7]]
