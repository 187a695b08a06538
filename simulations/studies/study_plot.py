"""Draws a study: quality on one axis of its grid, a line for each value of another."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulations.runs.run_folder import check_parent

PANEL = (4.6, 3.4)
"""Inches of one panel."""

NO_MORE = "none"
"""The value of an axis that stands for no privacy; it is drawn last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Axes:
    """Which axes of the grid a picture has.

    Attributes:
        x: From left to right.
        lines: A line for each value.
        panels: A panel for each value; None for one panel.
        only: Axis and value of the arms that are drawn; None for all.
    """

    x: str
    lines: str
    panels: str | None
    only: tuple[str, str] | None = None

    def named(self) -> tuple[str, ...]:
        """Returns their names."""
        return tuple(name for name in (self.x, self.lines, self.panels) if name is not None)

    def have(self, arm: Mapping[str, str]) -> bool:
        """Says whether an arm, by its value on each axis, is drawn."""
        kept = self.only is None or arm.get(self.only[0]) == self.only[1]
        return kept and set(self.named()) <= set(arm)


def draw(study: Path, axes: Axes, *, out: Path) -> None:
    """Draws the arms of ``study`` that have a value on each of ``axes``.

    Points are oracle-normalised NDCG@1 after training with the 95% interval of the gain about
    them; a dashed line is the start. Other axes of the grid may not differ among the arms.

    Args:
        study: Folder of a comparison that finished.
        axes: What is drawn where.
        out: The picture; its ending says the format, such as .svg.

    Raises:
        ValueError: There is no such study or axis, or two arms fall on one point.
    """
    check_parent("--out", out)
    arms = _arms(study, axes)
    from matplotlib import pyplot

    pyplot.rcParams["svg.hashsalt"] = "darkroom"
    panels = _values(arms, axes.panels) if axes.panels else [""]
    size = (PANEL[0] * len(panels), PANEL[1])
    figure, grid = pyplot.subplots(
        1, len(panels), figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    for panel, value in zip(grid[0], panels, strict=True):
        own = [arm for arm in arms if not axes.panels or arm["axes"][axes.panels] == value]
        _draw_panel(panel, own, axes, title=f"{axes.panels}: {value}" if value else "")
    grid[0][0].set_ylabel("NDCG@1 (0 random, 100 best)")
    grid[0][-1].legend(fontsize="small")
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)
    pyplot.close(figure)


def _draw_panel(
    panel: Any, arms: Sequence[Mapping[str, Any]], axes: Axes, *, title: str
) -> None:
    places = {value: place for place, value in enumerate(_values(arms, axes.x))}
    for line in _values(arms, axes.lines):
        own = sorted(
            (arm for arm in arms if arm["axes"][axes.lines] == line),
            key=lambda arm: places[arm["axes"][axes.x]],
        )
        x = [places[arm["axes"][axes.x]] for arm in own]
        y = [100 * arm["after"] for arm in own]
        below = [100 * (arm["gain"]["mean"] - arm["gain"]["low"]) for arm in own]
        above = [100 * (arm["gain"]["high"] - arm["gain"]["mean"]) for arm in own]
        panel.errorbar(x, y, yerr=(below, above), marker="o", capsize=3, label=line)
    start = sum(100 * arm["before"] for arm in arms) / len(arms)
    panel.axhline(start, linestyle="--", color="grey", linewidth=1)
    panel.set_xticks(list(places.values()), list(places))
    panel.set_xlabel(axes.x)
    panel.set_title(title)
    panel.grid(alpha=0.3)


def _arms(study: Path, axes: Axes) -> list[Mapping[str, Any]]:
    path = study / "private" / "study.json"
    try:
        found = json.loads(path.read_text())["arms"]
    except (OSError, ValueError, KeyError):
        raise ValueError(
            f"{path} is no table of a study; name the folder of a study=comparison that "
            "finished."
        ) from None
    known = {name for arm in found for name in arm["axes"]}
    for name in (*axes.named(), *(axes.only or ())[:1]):
        if name not in known:
            named = ", ".join(sorted(known)) or "none: its arms are in no grid"
            raise ValueError(f"'{name}' is no axis of {study}; its axes: {named}.")
    arms = [arm for arm in found if axes.have(arm["axes"])]
    if not arms:
        raise ValueError(f"no arm of {study} has --only {'='.join(axes.only or ())}.")
    places = [tuple(arm["axes"][name] for name in axes.named()) for arm in arms]
    if len(set(places)) < len(places):
        others = ", ".join(sorted(known - set(axes.named())))
        raise ValueError(
            f"two arms of {study} fall on one point: they differ in {others}; give that as "
            "--panels."
        )
    return arms


def _values(arms: Sequence[Mapping[str, Any]], axis: str) -> list[str]:
    """The values of an axis in the order of the grid, "none" last."""
    named = list(dict.fromkeys(arm["axes"][axis] for arm in arms))
    return sorted(named, key=lambda value: value == NO_MORE)
