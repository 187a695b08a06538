"""Sections of which there are several kinds, each with settings of its own."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.setting_names import join


@dataclass(frozen=True, slots=True, eq=False)
class OneOf:
    """Annotates a section that is one of several kinds of settings.

    ``Annotated[Base, OneOf("mechanism", KINDS)]`` says that the section's field ``mechanism``
    is a key of ``KINDS`` and that its other settings are those of the dataclass found there.

    Attributes:
        tag: Name of the field that says which kind it is.
        kinds: The dataclass of each kind, by the tag's value: the name of its file.
    """

    tag: str
    kinds: Mapping[str, type[Any]]

    def stray(self, name: str, *, at: str) -> str:
        """Returns the sentence that refuses a setting of another kind; "" for nobody's.

        Args:
            name: The setting.
            at: Full name of the section.
        """
        group = at.replace(".", "/")
        owners = [f"{group}={kind}" for kind in self.owners(name)]
        if not owners:
            return ""
        *most, last = owners
        of = f"{', '.join(most)} or {last}" if most else last
        return f"{join(at, name)} belongs to {of}: take that, or leave the setting out."

    def owners(self, name: str) -> tuple[str, ...]:
        """Returns the kinds that have a setting of this name, in order."""
        return tuple(kind for kind, settings in self.kinds.items() if name in _names(settings))


def _names(settings: type[Any]) -> set[str]:
    return {field.name for field in dataclasses.fields(settings)}
