"""How many cores there are, on systems that tell it in one way or the other."""

import os

import pytest

from vivavoce.pipeline.cores import cores_available


def test_an_affinity_counts_for_more_than_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {2, 5, 7}, raising=False)
    assert cores_available() == 3


@pytest.mark.parametrize(("told", "expected"), [(6, 6), (None, 1)])
def test_without_an_affinity_the_machine_counts(
    monkeypatch: pytest.MonkeyPatch, told: int | None, expected: int
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: told)
    assert cores_available() == expected
