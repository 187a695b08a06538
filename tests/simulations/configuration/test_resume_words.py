"""The word that names a run to go on with."""

from pathlib import Path

import pytest

from simulations.configuration.resume_words import resumed_run


@pytest.mark.parametrize("folder", ["runs/a", "a run", "it's", "x=y", "runs/2026-11-28-a-1/"])
def test_the_folder_is_all_after_the_sign(folder):
    words = ["server.rounds=9", f"resume={folder}"]
    assert resumed_run(words) == (Path(folder), ["server.rounds=9"])


def test_without_the_word_there_is_none():
    assert resumed_run(["seed=1", "name=resume", "-m"]) is None


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["resume="], "needs the folder"),
        (["resume=a", "resume=b"], "one run goes on at a time"),
        (["resume=a", "-m"], "-m does not go with"),
        (["--cfg", "job", "resume=a"], "--cfg does not go with"),
    ],
)
def test_what_makes_no_sense_beside_it_is_one_sentence(words, match):
    with pytest.raises(ValueError, match=match) as refused:
        resumed_run(words)
    assert "\n" not in str(refused.value)
