"""A real ``vivavoce run`` as a child process: what it prints, when, and what it weighs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from vivavoce.bench.registry import Options, checkout
from vivavoce.config.errors import VivavoceError

_MEGABYTE = 1e6


class RunFailed(VivavoceError):  # noqa: N818 - what happened
    """The measured ``vivavoce run`` did not end with exit code 0."""


@dataclass(slots=True)
class Run:
    """What a child did. Times in seconds since it was started, memory in MB (10⁶ bytes).

    ``read_at`` has the time at which each of ``events`` was read; ``began`` is the start on the
    clock of :func:`time.monotonic`; ``silent`` says that no event comes any more.
    """

    began: float = field(default_factory=time.monotonic)
    events: list[dict[str, Any]] = field(default_factory=list)
    read_at: list[float] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    first_sample_s: float | None = None
    resident_mb: list[tuple[float, float]] = field(default_factory=list)
    returncode: int = 0
    silent: bool = False
    _news: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(
        self, wanted: Callable[[dict[str, Any]], bool], timeout_s: float, *, after: int = 0
    ) -> dict[str, Any]:
        """The first event from index ``after`` on that is wanted; waits for it.

        Raises:
            RunFailed: none came in time, or before the child ended.
        """
        gives_up = time.monotonic() + timeout_s
        looked = after
        with self._news:
            while True:
                while looked < len(self.events):
                    event = self.events[looked]
                    if wanted(event):
                        return event
                    looked += 1
                remaining = gives_up - time.monotonic()
                if self.silent or remaining <= 0:
                    said = self.stderr[-1] if self.stderr else "nothing on standard error"
                    why = "it ended" if self.silent else f"none came in {timeout_s:g} s"
                    raise RunFailed(f"the child did not tell what was waited for: {why} ({said})")
                self._news.wait(remaining)

    def heard(self, event: dict[str, Any], at: float) -> None:
        """Another event was read at ``at``."""
        with self._news:
            self.events.append(event)
            self.read_at.append(at)
            self._news.notify_all()

    def fell_silent(self) -> None:
        """No event comes any more."""
        with self._news:
            self.silent = True
            self._news.notify_all()

    @property
    def ledger(self) -> dict[str, int]:
        """The ledger of the ``end`` event; empty when there was none."""
        ends = [event["ledger"] for event in self.events if event["type"] == "end"]
        return ends[-1] if ends else {}

    @property
    def peak_mb(self) -> float:
        """The largest resident memory seen."""
        return max((megabytes for _, megabytes in self.resident_mb), default=0.0)


def engine_arguments(options: Options) -> list[str]:
    """Which engine the children run: ``--model``, the checkout's test model, or pocketsphinx."""
    root = checkout()
    model = options.model or (str(root / "tests" / "assets" / "model") if root else None)
    if model is None:
        return ["--engine", "pocketsphinx"]
    return ["--engine", "faster-whisper", "--model", model]


def engine_title(options: Options) -> str:
    """The same in words."""
    arguments = engine_arguments(options)
    if len(arguments) == 2:
        return arguments[1]
    return f"{arguments[1]} with {Path(arguments[3]).name if options.model else 'the test model'}"


def recording(*, long: bool) -> Path:
    """A recording of speech: the checkout's talk of 67 s or an utterance; else the demo's."""
    root = checkout()
    if root is not None:
        speech = root / "tests" / "assets" / "speech"
        return speech / ("talk-2-rms.wav" if long else "utt-002-awb.wav")
    return demonstration()


def demonstration() -> Path:
    """The recording of ``vivavoce demo``, 26 s."""
    import vivavoce

    return Path(vivavoce.__file__).parent / "assets" / "demo.wav"


def command(*arguments: str, python: Sequence[str] = ()) -> list[str]:
    """The command line of ``vivavoce ARGUMENTS`` under this interpreter.

    ``-P`` keeps the working directory out of the import path: in the source tree it would hide the
    installed package.
    """
    return [sys.executable, "-P", *python, "-m", "vivavoce", *arguments]


@contextlib.contextmanager
def started(
    arguments: Sequence[str],
    *,
    python: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    sample_every_s: float = 0.05,
    keep: int = 1_000,
) -> Iterator[tuple[subprocess.Popen[bytes], Run]]:
    """Start ``vivavoce ARGUMENTS --format jsonl`` and watch it; leaving waits for its end.

    As :func:`watched`.
    """
    line = command(*arguments, "--format", "jsonl", python=python)
    with watched(line, environ=environ, sample_every_s=sample_every_s, keep=keep) as found:
        yield found


@contextlib.contextmanager
def watched(
    line: Sequence[str],
    *,
    environ: Mapping[str, str] | None = None,
    sample_every_s: float = 0.05,
    keep: int = 1_000,
) -> Iterator[tuple[subprocess.Popen[bytes], Run]]:
    """Start a command that writes events as JSON lines; leaving waits for its end.

    The body may write to the child's stdin and must close it if it does; when the body raises, the
    child is killed. Of the events, the first ``keep`` and the end are kept.

    Raises:
        RunFailed: the child's exit code is not 0.
    """
    run = Run()
    settings = {key: value for key, value in os.environ.items() if not key.startswith("VIVAVOCE_")}
    began = run.began
    child = subprocess.Popen(
        line,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=settings | dict(environ or {}),
    )
    assert child.stdout is not None
    assert child.stderr is not None
    ended = threading.Event()
    watchers = [
        threading.Thread(
            target=read_events,
            args=(child.stdout, run),
            kwargs={"now": lambda: time.monotonic() - began, "keep": keep},
        ),
        threading.Thread(target=_read_lines, args=(child.stderr, run)),
        threading.Thread(target=_weigh, args=(child.pid, run, began, sample_every_s, ended)),
    ]
    for watcher in watchers:
        watcher.start()
    try:
        yield child, run
        if child.stdin is not None and not child.stdin.closed:
            child.stdin.close()
        run.returncode = child.wait()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        ended.set()
        for watcher in watchers:
            watcher.join()
    if run.returncode != 0:
        said = run.stderr[-1] if run.stderr else "nothing on standard error"
        raise RunFailed(f"vivavoce run ended with exit code {run.returncode}: {said}")


def run_to_end(arguments: Sequence[str], *, python: Sequence[str] = ()) -> Run:
    """Start ``vivavoce ARGUMENTS`` and wait for its end.

    Raises:
        RunFailed: the child's exit code is not 0.
    """
    with started(arguments, python=python) as (_, run):
        pass
    return run


def interrupt(child: subprocess.Popen[bytes]) -> None:
    """Ask the child to finish, as Ctrl-C does."""
    child.send_signal(signal.SIGINT)


def read_events(
    stream: IO[bytes], run: Run, *, now: Callable[[], float], keep: int = 1_000
) -> None:
    """Note the events of a run until its output ends.

    Args:
        stream: lines of JSON.
        run: where they are noted.
        now: seconds since it was started.
        keep: so many events at most, and the last one.
    """
    for line in stream:
        read_at = now()
        event = json.loads(line)
        # An event says how long before it capture began. It is read a little later than it was
        # made, so the earliest of these bounds is the closest one.
        first_sample = read_at - event["t"]
        if run.first_sample_s is None or first_sample < run.first_sample_s:
            run.first_sample_s = first_sample
        if event["type"] == "end" or len(run.events) < keep:
            run.heard(event, read_at)
    run.fell_silent()


def _read_lines(stream: IO[bytes], run: Run) -> None:
    for line in stream:
        run.stderr.append(line.decode(errors="replace").rstrip("\n"))


def _weigh(pid: int, run: Run, began: float, every_s: float, ended: threading.Event) -> None:
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        while not ended.wait(every_s) and process.status() != psutil.STATUS_ZOMBIE:
            resident = process.memory_info().rss / _MEGABYTE
            run.resident_mb.append((time.monotonic() - began, resident))
