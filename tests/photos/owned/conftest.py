"""A library of all kinds of files, and the settings that read it."""

from dataclasses import replace
from pathlib import Path

import pytest
from libraries import LIBRARY
from library_kinds import write_library


@pytest.fixture(scope="session")
def settings():
    """Settings of a library, with changes: ``settings(root, gap=60)``."""
    return lambda root, **changes: replace(LIBRARY, root=str(root), **changes)


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> Path:
    """A library of all kinds of files."""
    return write_library(tmp_path_factory.mktemp("library"))
