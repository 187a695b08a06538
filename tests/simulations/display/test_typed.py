"""A command that is printed is read by shell and Hydra as what was meant, to the letter."""

import shlex
import subprocess

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from simulations.display.typed import changed, command, setting

HARD = st.text(st.sampled_from("\\$}{\"' =,()[]\n~-1.:@?*#é/ab"), max_size=12)
TEXT = HARD | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(TEXT)
@example("null")
@example("True")
@example("nan")
@example(".5")
@example("1e5")
@example("")
@example("${oc.env:HOME}")
@example("\\\\${x}")
@example("a\\\n")
def test_hydra_reads_a_setting_as_the_text_that_was_meant(text):
    read = OverridesParser.create().parse_override(setting("photos.root", text)).value()
    assert OmegaConf.create({"root": read}).root == text


@given(st.lists(TEXT, min_size=1))
def test_a_shell_takes_a_command_apart_into_its_words(words):
    assert shlex.split(command(*words)) == words


@pytest.mark.parametrize("folder", ["my photos (1)", "it's", "$HOME;x", "a=b", "~", "-x"])
def test_a_true_shell_does_too(folder):
    line = command("printf", "%s", setting("photos.root", folder))
    said = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert said.stdout == setting("photos.root", folder)


@pytest.mark.parametrize("folder", ["photos", "/a/b-c_d.e", "../x", "./x"])
def test_plain_text_stays_as_it_is(folder):
    assert command(setting("photos.root", folder)) == f"photos.root={folder}"


def test_a_changed_setting_takes_the_place_of_those_that_were_typed():
    typed = ["experiment=mine", "a.b=1", "++a.b=2", "a.bc=3", "a=4"]
    assert changed(typed, "a.b=5") == ["experiment=mine", "a.bc=3", "a=4", "a.b=5"]
