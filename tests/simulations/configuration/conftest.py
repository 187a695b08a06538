"""How a mistake is made in a configuration, and the one sentence that it costs."""

import re

import pytest

from protocol.rebuild import SettingError
from protocol.setting_names import sections
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.overrides import SETTINGS, one_of

SUGGESTED = re.compile(r"Did you mean '([^']+)'\?")
KEYS = [path for path, hint in SETTINGS.items() if not sections(hint)]
NEEDED = {
    "study=comparison": ["+study.arms.a=[]"],
    "study=search": ["+study.arms.a=[]"],
    "photos=folder": ["photos.root=DIR"],
    "photos=library": ["photos.root=DIR"],
    "photos=photo_triage": ["photos.root=DIR"],
    "photos=para": ["photos.root=DIR"],
    "photos=flickr_aes": ["photos.root=DIR"],
    "photos=flair": ["photos.root=DIR"],
}
"""What must be typed beside a choice, for it has no default."""


@pytest.fixture(scope="session")
def keys():
    """The full names of all settings that are no section."""
    return KEYS


@pytest.fixture(scope="session")
def typos():
    """Gives a name with a letter in its last part's middle dropped, doubled and swapped."""

    def typos(path):
        parent, dot, name = path.rpartition(".")
        middle = len(name) // 2
        before, letter, after = name[:middle], name[middle], name[middle + 1 :]
        wrong = {
            before + after,
            before + 2 * letter + after,
            before[:-1] + letter + before[-1:] + after,
        }
        return [f"{parent}{dot}{other}" for other in sorted(wrong - {name, ""})]

    return typos


@pytest.fixture(scope="session")
def taken():
    """Gives what is typed to have a section of the first kind that has a setting."""

    def taken(path):
        section, _, name = path.rpartition(".")
        kinds = one_of(section)
        if kinds is None:
            return []
        choice = f"{section.replace('.', '/')}={kinds.owners(name)[0]}"
        return [choice, *NEEDED.get(choice, [])]

    return taken


@pytest.fixture(scope="session")
def refused():
    """Calls what refuses a setting; returns its sentence, which is one."""

    def refused(does, *arguments):
        with pytest.raises(SettingError) as caught:
            does(*arguments)
        text = str(caught.value)
        assert "\n" not in text
        assert text[-1] in ".?"
        return text

    return refused


@pytest.fixture(scope="session")
def refusal(refused):
    """Composes overrides that are refused; returns the sentence."""
    return lambda overrides: refused(compose, overrides)


@pytest.fixture(scope="session")
def suggests():
    """Says whether a sentence asks for a name: ``suggests(sentence, name)``."""

    def suggests(sentence, name):
        found = SUGGESTED.search(sentence)
        return found is not None and found[1] == name

    return suggests


@pytest.fixture
def written(tmp_path):
    """Writes an experiment into a folder that Hydra searches; returns how to run it."""
    (tmp_path / "experiment").mkdir()

    def write(text):
        (tmp_path / "experiment" / "mine.yaml").write_text(f"# @package _global_\n{text}")
        return [f"hydra.searchpath=[file://{tmp_path}]", "experiment=mine"]

    return write
