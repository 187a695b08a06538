"""What the pages name is there: source files, folders, tests, and where their links lead."""

import math
import re
from pathlib import Path

import pytest
from rankings import ranker, ranking

from client.model import kept_shape
from ranking.settings import RANKINGS
from simulations.configuration.hydra_bridge import compose

ROOT = Path(__file__).parents[1]
PACKAGES = (
    *("client", "conf", "photos", "privacy"),
    *("protocol", "ranking", "server", "simulations", "tests"),
)
SOURCES = {
    path.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
}
TESTS = {Path(name).stem for name in SOURCES if name.startswith("tests/")} | {
    found
    for name in SOURCES
    if name.startswith("tests/")
    for found in re.findall(r"def (test_\w+)", (ROOT / name).read_text(encoding="utf-8"))
}
FOLDER = re.compile(rf"`((?:{'|'.join(PACKAGES)})/[\w/]*)`")
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


def missing_files(text: str) -> list[str]:
    """The source files that a text names, whole or by the end of their path, and are none."""
    named = re.findall(r"[\w./]*\w\.py\b", text)
    return [one for one in named if not any(f"/{name}".endswith(f"/{one}") for name in SOURCES)]


def missing_folders(text: str) -> list[str]:
    return [one for one in FOLDER.findall(text) if one[-1] == "/" and not (ROOT / one).is_dir()]


def missing_tests(text: str) -> list[str]:
    return [one for one in re.findall(r"`(test_\w+)`", text) if one not in TESTS]


def anchors(text: str) -> set[str]:
    """The headings of a page as a link names them."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def dead_links(text: str, page: Path) -> list[str]:
    """The links of a page to a file that is not there, or to a heading that it has not."""
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        if "://" in link or (target.exists() and not heading):
            continue
        if not target.exists() or heading not in anchors(target.read_text(encoding="utf-8")):
            found.append(link)
    return found


def numbers_kept() -> dict[str, int]:
    """How many numbers a device keeps of a photo, by what is trained, as the page has it."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+`) \| \w+ \| ([\d,]+) \|", page, flags=re.MULTILINE)
    return {
        trained: int(count.replace(",", ""))
        for choices, count in rows
        for trained in re.findall(r"`(\w+)`", choices)
    }


def test_what_a_device_keeps_of_a_photo_is_as_long_as_the_page_says():
    side = compose([]).photos.side
    kept = {}
    for trained in RANKINGS:
        built, settings = ranker(trained), ranking(trained)
        kept[trained] = math.prod(kept_shape(built, settings, side=side))
    assert numbers_kept() == kept


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_nothing_that_is_not_there(page):
    text = page.read_text(encoding="utf-8")
    assert missing_files(text) == []
    assert missing_folders(text) == []
    assert missing_tests(text) == []
    assert dead_links(text, page) == []


def test_what_a_page_names_and_is_not_there_is_found():
    text = """
    `server/gone.py`, wire.py and rounds/strategy.py; `server/` and `server/gone/`;
    `test_documentation` and `test_gone`; [a](docs/privacy.md#the-ledger), [b](docs/gone.md),
    [c](docs/privacy.md#gone), [d](https://example.org/gone#gone)
    """
    assert missing_files(text) == ["server/gone.py", "wire.py"]
    assert missing_folders(text) == ["server/gone/"]
    assert missing_tests(text) == ["test_gone"]
    assert dead_links(text, ROOT / "README.md") == ["docs/gone.md", "docs/privacy.md#gone"]
