"""Sizes that fit each other, and one sentence for those that do not."""

from dataclasses import replace

import pytest
from rankings import LIST

from protocol.rebuild import SettingError, rebuild, to_plain
from ranking.sizes import LISTS, ListSizes, ListTransformer, Probes

PROBES = Probes(kind="probes", own=10, scenes=8)


@pytest.mark.parametrize("sizes", [LIST, PROBES])
def test_sizes_that_fit_have_no_flaw(sizes):
    assert sizes.flaw() == ""


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        (
            replace(LIST, width=10),
            "ranking.list.heads=4 does not divide ranking.list.width=10; change one of them.",
        ),
    ],
)
def test_sizes_that_do_not_fit_are_one_sentence_that_names_them(sizes, sentence):
    assert sizes.flaw() == sentence


@pytest.mark.parametrize(
    ("sizes", "relative", "features"),
    [(LIST, 23, 33), (replace(LIST, own=3, context=0), 0, 3), (PROBES, 1, 11)],
)
def test_a_photo_has_its_own_features_and_those_among_the_others(sizes, relative, features):
    assert (sizes.relative, sizes.features) == (relative, features)


def test_what_is_no_kind_does_not_know_how_many_features_it_has():
    nothing = ListSizes(kind="probes", own=1, scenes=1)
    with pytest.raises(NotImplementedError):
        _ = nothing.features


@pytest.mark.parametrize("sizes", [LIST, PROBES])
def test_each_kind_is_found_by_its_name_and_reads_itself_back(sizes):
    assert rebuild(LISTS[sizes.kind], to_plain(sizes)) == sizes


@pytest.mark.parametrize(
    ("kind", "sizes", "name", "value"),
    [
        (ListTransformer, LIST, "context", -1),
        (ListTransformer, LIST, "hidden", 1_025),
        (Probes, PROBES, "own", 0),
    ],
)
def test_a_size_outside_its_range_is_refused_with_the_range(kind, sizes, name, value):
    with pytest.raises(SettingError, match=rf"^{name}={value} is out of range: it must be "):
        rebuild(kind, to_plain(sizes) | {name: value})
