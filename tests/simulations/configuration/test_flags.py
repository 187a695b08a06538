"""Hydra's flags are known, and what follows each is what it takes."""

import pytest
from hydra._internal.utils import get_args_parser

from simulations.configuration.flags import ALONE, ANY, FLAGS, ONE_OF, OPTIONAL, flags_of

RERUN = "--experimental-rerun"


def test_flags_are_found_among_the_words_and_their_values_are_not():
    words = ["seed=1", "-m", "--cfg", "job", "-cd=DIR", "--info", "server.rounds=1,2"]
    with_topic = [*words[:-1], "all", words[-1]]
    assert flags_of(with_topic) == ["-m", "--cfg", "-cd", "--info"]
    assert flags_of(["seed=-1", "server.rounds=2"]) == flags_of([]) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--multirn"], "'--multirn' is not a flag. Did you mean '--multirun'?"),
        ([RERUN, "x"], f"'{RERUN}' is not a flag."),
        (
            ["--cfg", "jobb", "seed=1"],
            "--cfg takes one of job, hydra, all, not 'jobb'. Did you mean 'job'?",
        ),
        (["-c=hydrb"], "-c takes one of job, hydra, all, not 'hydrb'. Did you mean 'hydra'?"),
        (["--cfg"], "--cfg takes one of job, hydra, all."),
        (["--cfg", "--resolve"], "--cfg takes one of job, hydra, all."),
        (
            ["--info", "seed=1"],
            "--info takes one of all, config, defaults, defaults-tree, plugins, searchpath, "
            "not 'seed=1'.",
        ),
        (["--config-dir"], "--config-dir needs a folder; add it after the flag."),
        (["-cd", "-m", "seed=1"], "-cd needs a folder; add it after the flag."),
        (["--multirun=3"], "--multirun takes no value; leave out '=3'."),
    ],
)
def test_a_flag_that_is_misused_is_refused_with_what_it_takes(refused, words, message):
    assert refused(flags_of, words) == message


@pytest.mark.parametrize("words", [["--info"], ["--info", "-m"], ["-i", "plugins"]])
def test_what_may_be_left_out_after_a_flag_may_be_left_out(words):
    assert flags_of(words)[0] == words[0]


def test_the_flags_are_those_of_hydra_but_the_one_that_reads_a_pickle():
    known = get_args_parser()._actions
    assert {name for one in known for name in one.option_strings} == {*FLAGS, RERUN}
    for one in known:
        for name in {*one.option_strings} - {RERUN}:
            assert (name in ALONE) == (one.nargs == 0)
            assert tuple(one.choices or ()) == tuple(ONE_OF.get(name, ()))
            assert (name in OPTIONAL) == (one.nargs == "?")
            assert (name in ANY) == (one.nargs is None and one.choices is None)
