"""A command as it is typed: quoted for the shell, and a setting's value for Hydra inside."""

import re
import shlex
from collections.abc import Iterable

PLAIN = re.compile(r"(\.{0,2}/|[A-Za-z_])[A-Za-z0-9_./-]*")
"""A value that Hydra reads as text without quotes, unless it is one of ``NO_TEXT``."""

NO_TEXT = {"null", "true", "false", "nan", "inf"}
"""Words that Hydra takes for no text, in capitals or not."""


def command(*words: str) -> str:
    """Returns words as one line that a POSIX shell takes apart into them.

    Examples:
        >>> command("darkroom", "rank", "my runs/a", "DIR")
        "darkroom rank 'my runs/a' DIR"
    """
    return shlex.join(words)


def setting(name: str, value: str) -> str:
    """Returns ``name=value`` as one word that Hydra reads as just this text.

    Examples:
        >>> setting("photos.root", "photos")
        'photos.root=photos'
        >>> print(setting("photos.root", "a,b"))
        photos.root="a,b"
    """
    if PLAIN.fullmatch(value) and value.lower() not in NO_TEXT:
        return f"{name}={value}"
    return f'{name}="{_quoted(_uninterpolated(value))}"'


def changed(overrides: Iterable[str], new: str) -> list[str]:
    """Returns the overrides with ``new``, in place of those of the same name."""
    return [*(word for word in overrides if _name(word) != _name(new)), new]


def _name(override: str) -> str:
    return override.lstrip("+").partition("=")[0]


def _uninterpolated(value: str) -> str:
    r"""The text, in which ``${`` stands for itself: ``\${``, after twice the backslashes."""
    return re.sub(r"(\\*)\$\{", lambda found: rf"{2 * found[1]}\${{", value)


def _quoted(value: str) -> str:
    """The text for between double quotes: backslashes before a quote and at the end, twice."""
    within = re.sub(r'(\\*)"', lambda found: rf"{2 * found[1]}\"", value)
    return re.sub(r"\\+\Z", lambda found: 2 * found[0], within)
