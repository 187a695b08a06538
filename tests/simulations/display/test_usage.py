"""A mistake in a command's options is one sentence, with what is allowed or the nearest."""

import click
import pytest
import typer

from simulations.display.usage import sentence

app = typer.Typer()


@app.command()
def measure(
    name: str,
    least: int = typer.Option(0, min=0),
    within: int = typer.Option(2, min=2, max=9),
    share: float = 0.5,
    place: str = "here",
) -> None:
    """Takes options of several kinds."""


@app.command()
def nothing() -> None:
    """Takes none."""


def said(*words):
    with pytest.raises(click.ClickException) as caught:
        app(list(words), standalone_mode=False)
    return sentence(caught.value)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--least", "-1"], "--least takes a whole number of at least 0."),
        (["--least", "one"], "--least takes a whole number of at least 0."),
        (["--within", "10"], "--within takes a whole number from 2 to 9."),
        (["--within", "1.5"], "--within takes a whole number from 2 to 9."),
        (["--plase", "there"], "'--plase' is not an option. Did you mean '--place'?"),
        (["--zzz"], "'--zzz' is not an option. See --help."),
        (["--place"], "Option '--place' requires an argument."),
        (["more"], "Got unexpected extra argument (more)"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_allowed_or_the_nearest(words, expected):
    assert said("measure", "x", *words) == expected


def test_a_value_of_another_type_is_said_with_its_option_and_ends_as_a_sentence():
    message = said("measure", "x", "--share", "much")
    assert message.startswith("Invalid value for '--share': ")
    assert message.endswith(".")


def test_an_argument_that_is_missing_is_named():
    assert said("measure") == "Missing argument 'NAME'."


def test_of_several_near_options_the_shortest_is_asked_for():
    failure = click.NoSuchOption("--pla", possibilities=["--placebo", "--place"])
    assert sentence(failure) == "'--pla' is not an option. Did you mean '--place'?"


def test_help_that_was_not_asked_for_is_no_mistake():
    assert sentence(click.ClickException("")) == ""
