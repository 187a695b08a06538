"""How a run reads photographs outside its devices: for judging, and for the baselines."""

from pathlib import Path

from client.embeddings.device_photos import DevicePhotos
from client.local_device import photographs_limit
from client.model import encoder_digest
from ranking.model.encoder import PhotoEncoder
from simulations.configuration.settings import Config


def photographs(config: Config, encoder: PhotoEncoder) -> DevicePhotos | None:
    """Returns what reads the photographs of ``config`` as its devices read them.

    None where photos are made, or where pixels are needed because the encoder is trained.
    """
    if config.photos.made or config.ranking.inputs == "pixels":
        return None
    cache = config.simulation.cache
    return DevicePhotos(
        encoder=encoder,
        digest=encoder_digest(encoder),
        photos=config.photos,
        seed=config.seed,
        cache=None if cache is None else str(Path(cache).absolute()),
        limit=photographs_limit(config.simulation.memory),
    )
