"""A new kind of photo encoder."""

from recipes.recipe import Recipe

ENCODER = Recipe(
    files={
        "ranking/model/encoders/grey.py": '''
        """The encoder ``grey``: how bright each part of a photo is."""

        from torch import Tensor
        from torch.nn.functional import adaptive_avg_pool2d

        from ranking.encoders import Grey
        from ranking.model.encoder import PhotoEncoder


        class GreyEncoder(PhotoEncoder):
            """The mean of all colours in each cell of a grid; it has no weights."""

            def __init__(self, settings: Grey) -> None:
                super().__init__(settings, width=settings.cells**2)
                self._cells = settings.cells

            def embedded(self, photos: Tensor) -> Tensor:
                """Same as of ``PhotoEncoder``."""
                return adaptive_avg_pool2d(photos.mean(1), self._cells).flatten(1)
        ''',
        "conf/ranking/encoder/grey.yaml": """
        # How bright each part of a photo is.
        kind: grey
        cells: 2  # parts of a side; an embedding has a number for each cell
        """,
        "tests/ranking/model/encoders/test_grey.py": """
        import torch

        from ranking.encoders import Grey
        from ranking.model.encoders.registry import build_encoder


        def test_a_grey_photo_worked_by_hand():
            photo = torch.zeros(1, 3, 16, 16)
            photo[:, 0, :8, 8:] = 0.6
            found = build_encoder(Grey(cells=2))(photo)
            torch.testing.assert_close(found, torch.tensor([[0.0, 0.2, 0.0, 0.0]]))
        """,
    },
    lines=(
        (
            "ranking/encoders.py",
            """    width: Annotated[int, Interval(ge=1, le=FEATURES)]
""",
            '''

@dataclass(frozen=True, kw_only=True, slots=True)
class Grey(EncoderSettings):
    """Brightness of each part of a photo.

    Attributes:
        cells: Parts of a side.
    """

    kind: Literal["grey"] = "grey"
    cells: Annotated[int, Interval(ge=1, le=16)]
''',
        ),
        ("ranking/encoders.py", '"module": InstalledModule', ', "grey": Grey'),
        (
            "ranking/model/encoders/registry.py",
            "import ExternalEncoder, Opener, checked, pinned\n",
            "from ranking.model.encoders.grey import GreyEncoder\n",
        ),
        (
            "ranking/model/encoders/registry.py",
            '        "real": RealEncoder,\n',
            '        "grey": GreyEncoder,\n',
        ),
    ),
)
