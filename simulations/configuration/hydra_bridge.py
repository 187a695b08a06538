"""The only bridge to Hydra: composes ``conf/`` and rebuilds the frozen settings from it."""

import dataclasses
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import product
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import MISSING, DictConfig, OmegaConf

from protocol.rebuild import rebuild
from protocol.setting_names import field_hints
from simulations.configuration.checks import check
from simulations.configuration.flags import (
    COMPLETING,
    HELPING,
    HYDRAS_HELP,
    SHOWING,
    SWEEPING,
    flags_of,
)
from simulations.configuration.help import simulate_help
from simulations.configuration.list_sizes import Source, of_weights, with_sizes
from simulations.configuration.overrides import CONF, check_overrides, choices, groups
from simulations.configuration.refusals import COMPLAINTS, refusal
from simulations.configuration.settings import Config

Task = Callable[[Config, tuple[str, ...]], int]
Check = Callable[[Config], object]


def compose(overrides: Sequence[str], *, sizes: Source = of_weights) -> Config:
    """Returns the configuration of ``conf/config.yaml`` with ``overrides`` on top.

    It may be called anywhere, also inside a job of Hydra's, whose search path then holds.

    Args:
        overrides: As they are typed.
        sizes: Tells the sizes of the list model that are left open.

    Raises:
        SettingError: One sentence that names the setting or file, what is allowed, and the
            nearest right name.
    """
    with _refusing():
        return _rebuilt(_composed(overrides), sizes)


def run_hydra(words: Sequence[str], task: Task, *, ready: Check) -> int:
    """Runs ``task`` on what the command line says; Hydra's own flags go to Hydra.

    Help is written here: Hydra's copies the whole configuration for each folder of ``conf/``.
    In a sweep a job that fails raises to Hydra, which goes on with the others first.

    Args:
        words: Overrides and flags.
        task: Gets the configuration and the overrides that made it; gives the exit status.
        ready: Refuses a configuration that cannot run; asked of every job of a sweep before
            the first.

    Raises:
        SettingError: Same as ``compose``; and at a flag that is none of Hydra's or is misused.
    """
    flags = set(flags_of(words))
    if not flags:
        return task(compose(words), tuple(words))
    if flags & HELPING:
        print(_help([word for word in words if not word.startswith("-")]))
        return 0
    if HYDRAS_HELP in flags:
        words = [HYDRAS_HELP]  # beside it Hydra would compose nothing, and refuse any setting
    statuses = [0]

    @hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")
    def job(composed: DictConfig) -> None:
        overrides = tuple(HydraConfig.get().overrides.task)
        statuses.append(task(_rebuilt(composed), overrides))

    _register()
    with _refusing(), _hydras_command_line(words):
        if not flags & COMPLETING:
            overrides = [word for word in words if "=" in word and word[0] != "-"]
            check_overrides(overrides)
            jobs = _compose_all(overrides) if flags & (SWEEPING | SHOWING) else []
            if flags & SWEEPING:
                for one in jobs:
                    ready(one)
        job()
    return max(statuses)


def _help(overrides: Sequence[str]) -> str:
    with _refusing():
        settings = OmegaConf.to_yaml(_composed(overrides))
    return simulate_help({group: choices(group) for group in groups()}, settings)


def _composed(overrides: Sequence[str]) -> DictConfig:
    _register()
    with _initialised():
        check_overrides(overrides)
        return hydra.compose("config", overrides=list(overrides))


def _compose_all(overrides: Sequence[str]) -> list[Config]:
    """Composes every job of a sweep, so that a wrong one is refused before the first runs."""
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    jobs = [
        [f"{one.get_key_element()}={value}" for value in one.sweep_string_iterator()]
        if one.is_sweep_override()
        else [str(one.input_line)]
        for one in parsed
    ]
    return [compose(job) for job in product(*jobs)]


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except COMPLAINTS as failure:
        raise refusal(failure) from failure


@contextmanager
def _hydras_command_line(words: Sequence[str]) -> Iterator[None]:
    """Lets Hydra read ``words`` and raise its errors rather than print them and exit."""
    before, sys.argv = sys.argv, ["darkroom simulate", *words]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = before
        del os.environ["HYDRA_FULL_ERROR"]


def _rebuilt(composed: DictConfig, sizes: Source = of_weights) -> Config:
    plain = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    if not isinstance(plain, dict):
        raise TypeError("conf/config.yaml is not a mapping")
    named = {str(key): value for key, value in plain.items()}
    config = rebuild(Config, with_sizes(named, sizes))
    check(config)
    return config


@contextmanager
def _initialised() -> Iterator[None]:
    """Lends Hydra's one global state for a composition; a job of ours keeps its own."""
    state = GlobalHydra.instance().hydra
    if state is not None and _searches_conf():
        yield
        return
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = state


def _searches_conf() -> bool:
    searched = GlobalHydra.instance().config_loader().get_search_path().get_path()
    return any(element.path == str(CONF) for element in searched)


@cache
def _register() -> None:
    ConfigStore.instance().store(name="schema", node=_twin(Config))


def _twin(settings: type[Any]) -> type[Any]:
    """A mutable class with the keys of ``settings``: Hydra cannot merge into frozen ones.

    Only the keys are taken over. Types and ranges are checked once, by the strict rebuild, and
    so are the keys of sections of several kinds.
    """
    fields: list[tuple[str, Any, Any]] = []
    for name, hint in field_hints(settings).items():
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            inner = _twin(hint)
            fields.append((name, inner, dataclasses.field(default_factory=inner)))
        else:
            fields.append((name, Any, MISSING))
    return dataclasses.make_dataclass(settings.__name__, fields)
