"""The settings of a population of real photographs."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from photos.settings import Photos


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderPhotos(Photos):
    """Photographs in a folder of device folders; ``devices`` null takes all not held out.

    Attributes:
        root: The folder; ~ is the user's own.
    """

    source: Literal["folder"] = "folder"
    root: str

    def flaw(self) -> str:
        """Returns the sentence that asks for a root, or "" where there is one."""
        if self.root:
            return ""
        return "photos.root is empty but photos=folder; add photos.root=DIR."

    def advice(self) -> str:
        """Returns how to give feedback that can be read here."""
        return "write what owners did with their photos into ROOT/<device>/feedback.csv"

    def identity(self, *, seed: int) -> dict[str, Any]:
        """Returns source and folder, under any of its names; photographs have no seed."""
        return {"photos.source": self.source, "photos.root": str(self.folder().resolve())}

    def absolute(self) -> "FolderPhotos":
        """Returns the same settings with the root's absolute path."""
        return replace(self, root=str(self.folder().absolute()))

    def folder(self) -> Path:
        """Returns where the root is; as it stands for a user unknown."""
        try:
            return Path(self.root).expanduser()
        except RuntimeError:
            return Path(self.root)
