"""Files of a cache that several processes share: each appears whole."""

from pathlib import Path
from tempfile import NamedTemporaryFile


def write_whole(path: Path, content: bytes) -> None:
    """Writes ``content``; whoever reads meanwhile finds the former file, or none.

    Args:
        path: Replaced if it is there; its folder must exist.
        content: All of the file.

    Raises:
        OSError: It cannot be written; nothing is left.
    """
    with NamedTemporaryFile(dir=path.parent, delete=False) as file:
        partial = Path(file.name)
        try:
            file.write(content)
            file.flush()
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
