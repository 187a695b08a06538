"""A mistake in a command's options as one sentence."""

import click


def sentence(failure: click.ClickException) -> str:
    """Returns what was wrong, what is allowed and the nearest option; empty after mere help."""
    match failure:
        case click.NoSuchOption(option_name=name, possibilities=near):
            return f"'{name}' is not an option.{_meant(near)}"
        case click.BadParameter(
            param=click.Parameter(type=click.IntRange() as allowed, opts=[name, *_])
        ):
            return f"{name} takes {_whole(allowed)}."
        case click.BadParameter():
            return _ended(failure.format_message())
    return failure.message.strip()


def _meant(near: object) -> str:
    if not isinstance(near, list) or not near:
        return " See --help."
    return f" Did you mean '{min(near, key=len)}'?"


def _whole(allowed: click.IntRange) -> str:
    if allowed.max is None:
        return f"a whole number of at least {allowed.min}"
    return f"a whole number from {allowed.min} to {allowed.max}"


def _ended(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
