"""Opening a population by the name of its source."""

import dataclasses
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
import yaml

from photos.folder.population import FolderSource
from photos.folder.settings import FolderPhotos
from photos.registry import KINDS, SETTINGS, open_source
from photos.synthetic.population import SyntheticSource, library
from photos.synthetic.settings import SyntheticPhotos

MILLION = SyntheticPhotos(
    devices=1_000_000,
    held_out_devices=500,
    held_out_share=0.2,
    side=16,
    taste=0,
    taste_cosine=0.7,
    taste_flips=6,
    context_preference=1,
)


def test_a_million_devices_are_opened_without_making_one():
    source = open_source(MILLION, seed=2)
    assert isinstance(source, SyntheticSource)
    assert source.devices == 1_000_000
    assert source.held_out_devices == 500
    last = source.library(1_000_499)
    again = library(MILLION, seed=2, device=1_000_499)
    assert last.device == 1_000_499
    for one, other in zip(last.moments, again.moments, strict=True):
        np.testing.assert_array_equal(one.photos, other.photos)


def test_a_folder_is_opened_by_name(tmp_path):
    moment = tmp_path / "anna" / "harbour"
    moment.mkdir(parents=True)
    (moment / "one.jpg").write_bytes(b"")
    folder = FolderPhotos(
        root=str(tmp_path), devices=None, held_out_devices=0, held_out_share=0.2, side=16
    )
    source = open_source(folder, seed=0)
    assert isinstance(source, FolderSource)
    assert source.devices == 1


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_called_like_its_tag_and_its_file_which_holds_its_settings_alone(name):
    text = (files("conf") / "photos" / f"{name}.yaml").read_text()
    fields = dataclasses.fields(SETTINGS[name])
    assert set(yaml.safe_load(text)) - {"defaults"} == {field.name for field in fields}
    assert [field.default for field in fields if field.name == "source"] == [name]


def test_every_file_of_photos_is_a_kind():
    names = {path.name for path in (files("conf") / "photos").iterdir()}
    assert names == {f"{name}.yaml" for name in KINDS}


def test_who_only_reads_settings_loads_no_decoder_of_photographs():
    program = "import sys, photos.registry; print('PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n"
