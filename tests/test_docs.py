"""What CONTRIBUTING.md and docs/architecture.md say of the checkout is so."""

import importlib.util
import re
from pathlib import Path

import pytest
from test_rooms import ALLOWED, FOLDERS

ROOT = Path(__file__).parents[1]
PAGES = ("CONTRIBUTING.md", "docs/architecture.md")


def text_of(page: str) -> str:
    return (ROOT / page).read_text()


def named_paths(text: str) -> set[str]:
    """What stands in backticks, or behind a link, and is a path of the checkout by its looks."""
    named = set(re.findall(r"`([^`\s]+)`", text)) | set(re.findall(r"\]\(([^)#:]+)[)#]", text))
    first = {entry.name for entry in ROOT.iterdir()}
    return {
        name
        for name in named
        if name.split("/")[0] in first or re.search(r"/.*\.\w+$|\.(?:py|md|yaml|toml|txt)$", name)
    }


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_is_named_exists(page: str) -> None:
    named = named_paths(text_of(page))
    assert len(named) > 10
    places = (ROOT, (ROOT / page).parent)  # links are relative to their page
    missing = [name for name in named if not any((place / name).exists() for place in places)]
    assert not missing, f"{page} names what is not there: {', '.join(sorted(missing))}"


def test_what_a_path_looks_like() -> None:
    text = (
        "`config/no.py` `Final` `gone/away.md` [x](docs/y.md#z) `vivavoce.testing` `/proc/x` `n.md`"
    )
    assert named_paths(text) == {"config/no.py", "gone/away.md", "docs/y.md", "n.md"}


def rooms() -> dict[str, tuple[str, str]]:
    """The table of rooms: by folder, what it is imported as and what it may import."""
    table = text_of("docs/architecture.md").split("\n## Rooms\n\n")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]
    return {folder.strip("`/"): (name, allowed) for folder, name, _, allowed in rows}


def test_the_table_of_rooms_is_that_of_the_folders() -> None:
    no_rooms = {"tests", "docs", "src", *(path.name for path in ROOT.glob(".*"))}
    at_the_root = {
        path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name not in no_rooms
    }
    inside = {
        folder for folder in rooms() if folder.startswith("src/") and folder != "src/vivavoce"
    }
    assert set(rooms()) == at_the_root | inside | {"src/vivavoce"}
    assert {ROOT / folder for folder in rooms() if folder not in inside} == set(FOLDERS.values())


@pytest.mark.parametrize("folder", rooms())
def test_a_room_is_imported_as_the_table_says(folder: str) -> None:
    name, _ = rooms()[folder]
    module = re.match(r"`([\w.]+)`", name)
    assert module is not None
    found = importlib.util.find_spec(module[1])
    assert found is not None
    assert found.submodule_search_locations is not None
    assert Path(found.submodule_search_locations[0]).samefile(ROOT / folder)


def test_a_room_may_import_what_the_table_says() -> None:
    for folder, (_, allowed) in rooms().items():
        if folder in ALLOWED and folder != "profiles":
            wanted = ALLOWED[folder] - {folder, "profiles"}
            assert set(re.findall(r"\w+", allowed)) == wanted, folder
