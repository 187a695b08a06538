"""Opens made copies of public sets."""

from importlib.resources import files

import pytest
import yaml

from photos.registry import SETTINGS, open_source


@pytest.fixture
def settings():
    """Makes the settings of a kind as its file has them, with changes."""

    def settings(kind, root, **changes):
        text = (files("conf") / "photos" / f"{kind}.yaml").read_text()
        plain = {**yaml.safe_load(text), "root": str(root), "held_out_devices": 1, "side": 16}
        del plain["defaults"]  # the encoder that goes with photographs
        return SETTINGS[kind](**{**plain, **changes})

    return settings


@pytest.fixture
def opened(settings):
    """Opens a kind at a root."""

    def opened(kind, root, *, seed=0, **changes):
        return open_source(settings(kind, root, **changes), seed=seed)

    return opened


@pytest.fixture
def refusal(opened):
    """Opens what is refused; returns the sentence, which is one."""

    def refusal(kind, root, **changes):
        with pytest.raises(ValueError, match=r"^photos\.") as caught:
            opened(kind, root, **changes)
        text = str(caught.value)
        assert "\n" not in text
        assert text.endswith(".")
        return text

    return refusal
