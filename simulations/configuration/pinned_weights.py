"""What devices must know of weights that they do not have: a run pins them when it begins."""

import dataclasses

import numpy as np

from protocol.rebuild import SettingError
from simulations.configuration.settings import Config


def pinned(config: Config) -> Config:
    """Returns ``config`` with the digest and norm of the file that ``ranking.weights`` names.

    Devices refuse any other frozen part. The public ranker's they know, and a random one's
    follows from the seed. An encoder of the user's own is pinned by its digest and width.

    Raises:
        SettingError: ``ranking.frozen_digest`` is given and the file has another one.
        ValueError: The file is not usable.
    """
    if config.ranking.encoder.external:
        config = _with_known_encoder(config)
    ranking = config.ranking
    if ranking.weights in (None, "public"):
        return config
    from ranking.initial import initial_ranker
    from ranking.model.build import frozen_names, trainable_names
    from ranking.parameters import flatten, frozen_digest

    ranker = initial_ranker(ranking, seed=config.seed)
    names = frozen_names(ranker, ranking.trained)
    digest = frozen_digest(ranker, names, flatten(ranker, names))
    if ranking.frozen_digest not in (None, digest):
        raise SettingError(
            f"ranking.frozen_digest={ranking.frozen_digest} is not that of {ranking.weights}, "
            "whose frozen part is another; leave it null, or name the file that was agreed."
        )
    start = flatten(ranker, trainable_names(ranker, ranking.trained)).astype(np.float64)
    known = dataclasses.replace(
        ranking, frozen_digest=digest, start_norm=float(np.linalg.norm(start))
    )
    return dataclasses.replace(config, ranking=known)


def _with_known_encoder(config: Config) -> Config:
    from ranking.model.encoders.registry import known_encoder

    known = known_encoder(config.ranking.encoder)
    ranking = dataclasses.replace(config.ranking, encoder=known)
    return dataclasses.replace(config, ranking=ranking)
