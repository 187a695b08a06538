"""Runs count as of one population where their settings say so, and are refused elsewhere."""

import pytest

from simulations.ledgers.one_population import assumption

MADE = "one made population: the same photos settings and seed"


@pytest.fixture
def runs(configured, tmp_path):
    """Makes a run for each of some changes; returns their folders."""

    def runs(*changes):
        return [
            configured(tmp_path / str(number), **one).path for number, one in enumerate(changes)
        ]

    return runs


def test_the_same_settings_and_seed_make_one_population(runs):
    assert assumption(runs({}, {}, {})) == MADE


def test_how_many_devices_train_makes_no_other_population(runs):
    more = {"devices": 500, "held_out_devices": 9, "side": 32}
    assert assumption(runs({}, more)) == MADE


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"seed": 1}, "seed is 0 in one and 1 in the other"),
        ({"taste": 3}, r"photos\.taste is 0 in one and 3 in the other"),
        ({"taste_cosine": 0.5}, r"photos\.taste_cosine is 0\.7 in one and 0\.5 in the other"),
        ({"source": "folder"}, r"photos\.source is synthetic in one and folder in the other"),
    ],
)
def test_the_first_run_of_another_population_is_named_with_the_difference(runs, changed, named):
    first, *_, other = folders = runs({}, {}, changed)
    message = rf"^{first} and {other} are not of one population: {named}; .*--same-population"
    with pytest.raises(ValueError, match=message):
        assumption(folders)


def test_one_folder_of_photographs_is_one_population_by_any_name_and_seed(runs, tmp_path):
    (tmp_path / "photos").mkdir()
    roots = (tmp_path / "photos", tmp_path / "photos" / ".." / "photos")
    changes = [
        {"source": "folder", "root": str(root), "seed": seed} for seed, root in enumerate(roots)
    ]
    assert assumption(runs(*changes)) == (
        "one set of photographs, in which no device came or went between the runs"
    )


def test_two_folders_of_photographs_are_two_populations(runs, tmp_path):
    changes = [{"source": "folder", "root": str(tmp_path / name)} for name in "ab"]
    with pytest.raises(ValueError, match=r"not of one population: photos\.root is "):
        assumption(runs(*changes))


@pytest.mark.parametrize(
    "text",
    [
        "photos: lost",
        "photos: [",
        "[]",
        "",
        "seed: 0\nphotos: {source: elsewhere}",
        "seed: 0\nphotos: {source: synthetic}",
    ],
)
def test_a_run_without_its_settings_may_be_of_any_population(runs, text):
    folders = runs({}, {})
    (folders[1] / "private/config.yaml").write_text(text)
    with pytest.raises(
        ValueError, match=rf"^{folders[1]} does not say on which photos it ran .*config\.yaml"
    ):
        assumption(folders)
    (folders[1] / "private/config.yaml").unlink()
    with pytest.raises(ValueError, match="does not say on which photos it ran"):
        assumption(folders)


def test_configurations_in_one_folder_are_of_one_device_and_elsewhere_of_nobody_known(tmp_path):
    own, other = tmp_path / "own", tmp_path / "other"
    digests = [f"{number:064x}" for number in range(2)]
    assert assumption([own / digest for digest in digests]) == (
        "one device's own ledgers, in one folder"
    )
    for folders in ([own / digests[0], other / digests[1]], [own / digests[0], own / "run"]):
        with pytest.raises(ValueError, match="does not say on which photos it ran"):
            assumption(folders)
