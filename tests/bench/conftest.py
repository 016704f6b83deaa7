from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vivavoce.bench.command import command

Bench = Callable[..., Result]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Run `vivavoce bench` with the given arguments, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(command, list(arguments))

    return invoke
