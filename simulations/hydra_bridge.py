"""The only bridge to Hydra: composes ``conf/`` and rebuilds the frozen settings from it."""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_type_hints

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

import conf
from protocol.rebuild import rebuild
from simulations.checks import check
from simulations.refusals import refusal, refuse_unknown_keys
from simulations.settings import Config

CONF = Path(conf.__file__).parent
Task = Callable[[Config, tuple[str, ...]], int]


def compose(overrides: Sequence[str]) -> Config:
    """Returns the configuration of ``conf/config.yaml`` with ``overrides`` on top.

    Raises:
        ValueError: One sentence that names the setting or file, what is allowed, and the
            nearest right name.
    """
    _register()
    try:
        parsed = OverridesParser.create().parse_overrides(overrides=list(overrides))
        refuse_unknown_keys(parsed, CONF)
        with _initialised():
            composed = hydra.compose("config", overrides=list(overrides))
        return _rebuilt(composed)
    except (HydraException, OmegaConfBaseException) as failure:
        raise refusal(failure, CONF) from failure


def run_hydra(words: Sequence[str], task: Task) -> int:
    """Runs ``task`` on what the command line says; Hydra's own flags go to Hydra.

    Args:
        words: Overrides and flags.
        task: Gets the configuration and the overrides that made it; gives the exit status.
    """
    if not any(word.startswith("-") for word in words):
        return task(compose(words), tuple(words))
    _register()
    sys.argv = ["darkroom simulate", *words]

    @hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")
    def job(composed: DictConfig) -> int:
        overrides = hydra.core.hydra_config.HydraConfig.get().overrides.task
        return task(_rebuilt(composed), tuple(overrides))

    job()
    return 0


def _rebuilt(composed: DictConfig) -> Config:
    plain = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    if not isinstance(plain, dict):
        raise TypeError("conf/config.yaml is not a mapping")
    config = rebuild(Config, {str(key): value for key, value in plain.items()})
    check(config)
    return config


@contextmanager
def _initialised() -> Iterator[None]:
    """Lends Hydra's one global state for a composition, also inside a job of Hydra's own."""
    state = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = state


def _register() -> None:
    ConfigStore.instance().store(name="schema", node=_twin(Config))


def _twin(settings: type[Any]) -> type[Any]:
    """A mutable class with the keys of ``settings``: Hydra cannot merge into frozen ones.

    Only the keys are taken over. Types and ranges are checked once, by the strict rebuild.
    """
    fields: list[tuple[str, Any, Any]] = []
    for name, hint in get_type_hints(settings).items():
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            inner = _twin(hint)
            fields.append((name, inner, dataclasses.field(default_factory=inner)))
        else:
            fields.append((name, Any, MISSING))
    return dataclasses.make_dataclass(settings.__name__, fields)
