"""The benchmark of push-to-talk, as quickly as it goes, on a real X server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from vivavoce.bench import ptt, results, xserver
from vivavoce.bench.registry import Options

Bench = Callable[..., Result]


@pytest.mark.engine
@pytest.mark.skipif(xserver.missing() is not None, reason=str(xserver.missing()))
def test_each_key_is_heard_and_in_time(bench: Bench, tmp_path: Path) -> None:
    shown = bench("ptt", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    (result,) = results.load(tmp_path / "r.json")
    found = {figure.name: figure for figure in result.figures}
    for circumstance in ("quiet", "engine decoding"):
        assert found[f"{circumstance}: keys that nothing came of"].value == 0
        assert found[f"{circumstance}: keys that nothing came of"].samples == 20
        for edge in ("press → start", "release → stop"):
            spread = found[f"{circumstance}: {edge}, p99"]
            assert spread.budget == 20.0
            assert spread.samples == 10
            assert 0 < spread.value < 500
            assert found[f"{circumstance}: {edge}, median"].ratio_to is not None
    assert "engine decoding: trigger, release" in shown.stdout


def test_what_was_not_heard_is_counted() -> None:
    heard = ptt._Heard()
    heard.take(
        [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)],
        [("press", 1.001), ("release", 2.002), ("release", 4.5), ("press", 5.25), ("press", 5.5)],
    )
    assert heard.pressed == pytest.approx([1.0, 250.0])
    assert heard.released == pytest.approx([2.0, 500.0])
    assert heard.missed == 2


def test_without_an_x_server_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = ptt.run(Options())
    assert result.figures == []
    assert result.notes == ["skipped: Xvfb is not installed"]
