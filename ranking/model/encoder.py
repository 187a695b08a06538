"""What turns a photo into an embedding, whatever its kind."""

from torch import Tensor, nn

from ranking.encoders import EncoderSettings


class PhotoEncoder(nn.Module):
    """Embeds photos independently of each other; each kind is one of these.

    Args:
        settings: Its settings.
        width: Numbers of an embedding.

    Attributes:
        settings: Its settings.
        width: Numbers of an embedding.
        identity: Hexadecimal SHA-256 of what no parameter holds; "" where they hold all.
    """

    identity: str = ""

    def __init__(self, settings: EncoderSettings, *, width: int) -> None:
        super().__init__()
        self.settings = settings
        self.width = width

    def begin(self) -> None:
        """Takes the weights that ship with Darkroom; a kind that has none stays as it is.

        Raises:
            ValueError: Their file is missing or damaged.
        """

    def forward(self, photos: Tensor) -> Tensor:
        """Embeds photos.

        Args:
            photos: [*, 3, side, side] float in [0, 1].

        Returns:
            [*, width] embeddings.

        Raises:
            ValueError: The kind takes no photo of this side; one sentence.
        """
        rows = photos.reshape(-1, *photos.shape[-3:])
        return self.embedded(rows).reshape(*photos.shape[:-3], self.width)

    def embedded(self, photos: Tensor) -> Tensor:
        """Returns [photos, width] embeddings of [photos, 3, side, side]."""
        raise NotImplementedError
