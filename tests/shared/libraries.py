"""Settings of ``photos=library`` for tests, without composing a configuration."""

from photos.owned.settings import LibraryPhotos

LIBRARY = LibraryPhotos(
    root="",
    devices=None,
    held_out_devices=0,
    held_out_share=0.25,
    side=16,
    devices_by="whole",
    gap=30,
    zone="Europe/Berlin",
    burst_gap=5,
    burst_distance=14,
    favourite_from=4,
)
