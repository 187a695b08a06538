"""Why something is left out, in words."""

from pathlib import Path

import pytest

from photos.folder.skips import LARGEST_BYTES, LARGEST_PIXELS, Skip

DOCUMENTED = (Path(__file__).parents[3] / "docs" / "photos.md").read_text()


@pytest.mark.parametrize("skip", Skip, ids=lambda one: one.name)
def test_every_reason_stands_in_the_documentation(skip):
    assert f"| {skip} |" in DOCUMENTED


def test_the_limits_are_reported_in_millions():
    assert (LARGEST_PIXELS, LARGEST_BYTES) == (64_000_000, 256_000_000)
    assert Skip.TOO_LARGE == "more than 64 million pixels"
    assert Skip.LARGE_FILE == "file of more than 256 million bytes"
