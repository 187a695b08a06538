"""What a recipe of CONTRIBUTING.md adds to the tree."""

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a recipe adds: whole files, and lines right after a text of other files."""

    files: dict[str, str]
    lines: tuple[tuple[str, str, str], ...] = field(default=())

    def follow(self, tree: Path) -> None:
        for name, text in self.files.items():
            assert not (tree / name).exists()
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(dedent(text).lstrip("\n"))
        for name, after, line in self.lines:
            text = (tree / name).read_text()
            assert text.count(after) == 1, f"{name} has no one place after {after!r}"
            (tree / name).write_text(text.replace(after, after + line))
