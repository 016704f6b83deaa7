"""The tiers of the tests: `--tier`, which the Makefile passes. A plugin of pytest.

A test has kinds: the markers of pyproject.toml, given by its file, by itself, or by a fixture that
it uses. A kind that is slow by nature leaves `make test`; the few tests of such kinds that stay in
it nevertheless, so that each device, desktop and engine is tried at least once, are marked `smoke`.

A test that is a coroutine runs on a loop whose time it can move on, or on a virtual clock.
"""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

from support.waiting import AdvancingLoop, PatientLoop
from vivavoce.pipeline.clock import VirtualLoop

SLOW = {"engine", "device", "desktop", "pace"}
"""Kinds that only `make test-all` runs as a whole."""

NOT_QUICK = SLOW | {"process", "thorough"}

KIND_OF_FIXTURE = {
    "pulse_microphone": "device",
    "display": "desktop",
    "sway": "desktop",
    "long_speech": "thorough",
}

NEED_PACKAGES = {"device", "desktop"}


def in_tier(tier: str, kinds: set[str]) -> bool:
    """Whether a test of these kinds is run by that tier; `test` and `rest` together are all."""
    if tier == "all":
        return True
    if tier == "quick":
        return not kinds & NOT_QUICK
    return ("smoke" in kinds or not kinds & SLOW) is (tier == "test")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("vivavoce")
    group.addoption("--tier", choices=("quick", "test", "rest", "all"), default="all")
    group.addoption(
        "--explore", action="store_true", help="other random examples of properties in each run"
    )
    group.addoption(
        "--require-devices",
        action="store_true",
        help="fail when a device or desktop test is skipped: the packages they need are installed",
    )


def pytest_configure(config: pytest.Config) -> None:
    # How long an example takes says how busy the machine is; those tests that say how many examples
    # they need get them. They are the same in each run: what lands or rejects a change must not be
    # luck. `--explore` looks for others.
    settings.register_profile(
        "vivavoce",
        max_examples=20 if config.getoption("--tier") == "quick" else 100,
        derandomize=not config.getoption("--explore"),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("vivavoce")


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("virtual"):
        return {"virtual": VirtualLoop}
    if item.get_closest_marker("patient"):
        return {"patient": PatientLoop}
    return {"advancing": AdvancingLoop}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept, left = [], []
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in KIND_OF_FIXTURE:
                item.add_marker(KIND_OF_FIXTURE[fixture])
        kinds = {mark.name for mark in item.iter_markers()}
        (kept if in_tier(config.getoption("tier"), kinds) else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def _skipped(config: pytest.Config) -> list[pytest.TestReport]:
    """The device and desktop tests that were skipped."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", ()) if reporter is not None else ()
    return [report for report in skipped if NEED_PACKAGES & set(getattr(report, "keywords", ()))]


@pytest.hookimpl(tryfirst=True)  # before what is said of the exit status
def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--require-devices") and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    skipped = _skipped(config)
    if skipped:
        reasons = sorted({str(report.longrepr[2]) for report in skipped})
        terminalreporter.write_line(
            f"{len(skipped)} device and desktop tests were skipped: {'; '.join(reasons)}", red=True
        )
