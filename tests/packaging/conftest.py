from pathlib import Path

import pytest
from support import installing
from support.installing import Environment


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone. Nobody builds in it or writes to it."""
    reason = installing.missing()
    if reason:
        pytest.skip(reason)
    return installing.clone(tmp_path_factory.mktemp("cloned") / "clone")


@pytest.fixture(scope="session")
def wheel(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of another clone, as building one leaves things behind."""
    folder = tmp_path_factory.mktemp("wheel")
    return installing.build(installing.clone(folder / "clone"), "wheel", folder / "dist")


@pytest.fixture(scope="session")
def sdist(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of another clone."""
    folder = tmp_path_factory.mktemp("sdist")
    return installing.build(installing.clone(folder / "clone"), "sdist", folder / "dist")


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A fresh environment with the wheel."""
    made = installing.environment(tmp_path_factory.mktemp("installed") / "environment")
    made.install(wheel)
    return made


@pytest.fixture(scope="session")
def editable(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A fresh environment with ``pip install -e`` of a clone of its own."""
    folder = tmp_path_factory.mktemp("editable")
    made = installing.environment(folder / "environment")
    made.install("-e", installing.clone(folder / "clone"))
    return made
