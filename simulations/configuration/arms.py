"""The arms of a study, spelled out from its grids."""

from itertools import product

from protocol.rebuild import SettingError
from protocol.setting_names import suggestion
from simulations.configuration.study_settings import Arms, Axis, Overrides


def overrides_by_arm(study: Arms) -> dict[str, Overrides]:
    """Returns the overrides of every arm by its name: those of the grids, then ``study.arms``.

    In a grid the last axis changes fastest. An arm's overrides are the shared ones, then those
    of its value on each axis in order.

    Raises:
        SettingError: A grid makes no arm, two arms have one name, or one that is to be left
            out is in no grid.
    """
    made: dict[str, Overrides] = {}
    for number, grid in enumerate(study.grids):
        for name, changes in _of_grid(grid, at=f"study.grids[{number}]").items():
            _refuse_second(name, made)
            made[name] = (*study.shared, *changes)
    for name in study.without:
        if name not in made:
            raise SettingError(
                f"study.without: '{name}' is no arm of study.grids; name one of theirs, or "
                f"leave it out.{suggestion(name, made)}"
            )
    kept = {name: changes for name, changes in made.items() if name not in study.without}
    for name in study.arms:
        _refuse_second(name, kept)
    return {**kept, **study.arms}


def axes_by_arm(study: Arms) -> dict[str, dict[str, str]]:
    """Returns the value's name on each axis, for every arm of the grids."""
    return {
        "-".join(values): dict(zip(grid, values, strict=True))
        for grid in study.grids
        for values in product(*grid.values())
    }


def opponents(study: Arms, against: str) -> dict[str, str]:
    """Returns for arms of an axis with the value ``against`` the arm that has it instead.

    Raises:
        SettingError: No axis has the value.
    """
    found: dict[str, str] = {}
    for grid in study.grids:
        axis = next((name for name, values in grid.items() if against in values), None)
        if axis is None:
            continue
        for values in product(*grid.values()):
            other = [
                against if name == axis else own for name, own in zip(grid, values, strict=True)
            ]
            if list(values) != other:
                found["-".join(values)] = "-".join(other)
    if not found:
        known = _of_several(study)
        raise SettingError(
            f"study.against={against} is no value of an axis of study.grids that has others; "
            f"name one of {', '.join(known) or 'theirs'}, or leave it null."
            f"{suggestion(against, known)}"
        )
    return found


def value_names(study: Arms) -> list[str]:
    """Returns the names of all values of the grids, of which the arms' names are made."""
    return [name for grid in study.grids for axis in grid.values() for name in axis]


def _of_several(study: Arms) -> list[str]:
    """The values of axes that have two or more, each once."""
    axes = [axis for grid in study.grids for axis in grid.values() if len(axis) > 1]
    return list(dict.fromkeys(name for axis in axes for name in axis))


def _of_grid(grid: dict[str, Axis], *, at: str) -> dict[str, Overrides]:
    if not grid or not all(grid.values()):
        raise SettingError(
            f"{at} makes no arm: it needs an axis, and each axis a value; leave the grid out, "
            "or write them as axis: {name: [override, …]}."
        )
    arms: dict[str, Overrides] = {}
    for values in product(*(axis.items() for axis in grid.values())):
        name = "-".join(name for name, _ in values)
        _refuse_second(name, arms)
        arms[name] = tuple(change for _, changes in values for change in changes)
    return arms


def _refuse_second(name: str, arms: dict[str, Overrides]) -> None:
    if name in arms:
        raise SettingError(
            f"study: two arms are named {name}; rename one of study.arms or a value of "
            "study.grids."
        )
