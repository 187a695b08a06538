"""Opening a population."""

from dataclasses import replace

import numpy as np
import pytest

from photos.folder.population import FolderSource
from photos.settings import Photos
from photos.source import open_source
from photos.synthetic.population import SyntheticSource, library

MILLION = Photos(
    source="synthetic",
    root=None,
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


def test_a_made_population_needs_a_number_of_devices():
    source = open_source(replace(MILLION, devices=None), seed=0)
    with pytest.raises(ValueError, match=r"photos\.devices"):
        _ = source.devices


def test_a_folder_is_opened_by_name(tmp_path):
    moment = tmp_path / "anna" / "harbour"
    moment.mkdir(parents=True)
    (moment / "one.jpg").write_bytes(b"")
    folder = replace(
        MILLION, source="folder", root=str(tmp_path), devices=None, held_out_devices=0
    )
    source = open_source(folder, seed=0)
    assert isinstance(source, FolderSource)
    assert source.devices == 1
