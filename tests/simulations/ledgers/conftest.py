"""Folders of runs that say on which photos they ran."""

import pytest

from simulations.runs.run_folder import RunFolder

PHOTOS = {
    "synthetic": {
        "source": "synthetic",
        "devices": 120,
        "held_out_devices": 20,
        "held_out_share": 0.3,
        "side": 48,
        "taste": 0,
        "taste_cosine": 0.7,
        "taste_flips": 6,
        "context_preference": 1.0,
    },
    "folder": {
        "source": "folder",
        "devices": None,
        "held_out_devices": 0,
        "held_out_share": 0.3,
        "side": 48,
        "root": "/x",
    },
}


@pytest.fixture(scope="session")
def configured():
    """Makes the folder of a run with its settings: changes are those of its photos."""

    def configured(path, *, units=(), seed=0, source="synthetic", **changes):
        names = {"example": "none", "device": "none"} | dict.fromkeys(units, "some")
        folder = RunFolder.at(path)
        folder.write_config(
            {
                "seed": seed,
                "photos": PHOTOS[source] | changes,
                "privacy": {unit: {"mechanism": name} for unit, name in names.items()},
            }
        )
        return folder

    return configured
