"""A reader of camera raw that is made up: none is installed for tests."""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace


def made_up_reader(monkeypatch) -> Callable[[object], None]:
    """Puts a reader in rawpy's place; returns what sets the preview it finds in any file.

    A preview that is a string is the name of the error that is raised instead.
    """
    reader = ModuleType("rawpy")
    for name in ("LibRawNoThumbnailError", "LibRawUnsupportedThumbnailError"):
        setattr(reader, name, type(name, (Exception,), {}))
    monkeypatch.setitem(sys.modules, "rawpy", reader)

    class Opened:
        def __init__(self, found: object) -> None:
            self.found = found

        def __enter__(self):
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def extract_thumb(self):
            if isinstance(self.found, str):
                raise getattr(reader, self.found)
            return SimpleNamespace(data=self.found)

    def set_preview(found: object) -> None:
        reader.imread = lambda _: Opened(found)

    return set_preview
