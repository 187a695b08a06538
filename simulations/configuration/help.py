"""The help of ``darkroom simulate``: its groups with their choices, and all settings."""

from collections.abc import Mapping, Sequence

HELP = """\
darkroom simulate trains a photo ranker on simulated devices.

Usage: darkroom simulate [group=choice] [setting=value] [flags]

== Groups (group=choice) ==
{groups}

== Settings (setting=value) ==
{settings}

One run:         darkroom simulate experiment=no-privacy seed=3
One setting:     darkroom simulate privacy.example.epsilon=2
A sweep:         darkroom simulate -m privacy.example.epsilon=1,2,4,8
For flwr run:    darkroom simulate experiment=flower --flower run.toml
What would run:  darkroom simulate --cfg job --resolve
Hydra's flags:   darkroom simulate --hydra-help
"""


def simulate_help(choices: Mapping[str, Sequence[str]], settings: str) -> str:
    """Returns the help.

    Args:
        choices: What may be chosen in each group, such as ``privacy/example``.
        settings: The composed settings in YAML.
    """
    groups = "\n".join(f"{name}: {', '.join(of)}" for name, of in choices.items())
    return HELP.format(groups=groups, settings=settings)
