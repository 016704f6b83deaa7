"""One run of the pipeline at the command line: output, signals, statistics."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from vivavoce.actors.captions import CaptionActor, make_writer
from vivavoce.assembly import Pipeline
from vivavoce.cli.progress import DownloadProgress
from vivavoce.pipeline.log import LogSink
from vivavoce.pipeline.messages import seconds

if TYPE_CHECKING:  # not needed where there is no microphone
    from vivavoce.control.claim import InstanceClaim

_PATIENCE_S = 0.5


def run_session(
    profile: str | Path, *, overrides: Sequence[str], stats: bool, output: BinaryIO
) -> None:
    """Run ``profile`` until its source ends or a signal comes.

    Raises:
        VivavoceError: with one line for the user.
    """
    pipeline = Pipeline(
        profile,
        overrides=overrides,
        on_progress=DownloadProgress(sys.stderr),
        buffer_events=False,  # the captions actor is the only reader
        follow_profile=True,
        log=LogSink,
    )
    with contextlib.ExitStack() as stack:
        claim = _claim(pipeline)
        if claim is not None:
            stack.enter_context(claim)
        asyncio.run(_Session(pipeline, claim, stats=stats).run(output))


def _claim(pipeline: Pipeline) -> InstanceClaim | None:
    """The right to the microphone, and to be controlled; None: it is not wanted."""
    if pipeline.profile.capture.source != "mic" or not pipeline.profile.control.enabled:
        return None
    from vivavoce.control.claim import InstanceClaim
    from vivavoce.control.place import Place

    return InstanceClaim.acquire(Place(pipeline.profile.control.instance, os.environ))


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line of asyncio's is worth telling.

    Closing the transport of a child that has just ended reaps it before asyncio's own thread does,
    which then warns. The child was awaited, and nothing is wrong.
    """
    return not record.getMessage().startswith("Unknown child process pid")


class _Session:
    """Ties a pipeline to this process: signals in, captions out.

    SIGINT, SIGTERM: finish; SIGHUP: read the profile again; SIGUSR1: say how it is doing.
    """

    def __init__(self, pipeline: Pipeline, claim: InstanceClaim | None, *, stats: bool) -> None:
        self._pipeline = pipeline
        self._claim = claim
        self._stats = stats
        self._signals = 0
        self._last_words: Callable[[], int] = lambda: 0

    async def run(self, output: BinaryIO) -> None:
        pipeline = self._pipeline
        profile = pipeline.profile
        writer = make_writer(
            profile.captions,
            stream=output,
            environ=os.environ,
            revisions_follow=pipeline.revises,
        )
        if "stdout" not in profile.injection.backend:  # else each text is written there once
            self._last_words = lambda: os.write(output.fileno(), writer.abandon())
            pipeline.add_sink(CaptionActor(writer, output))
        logging.getLogger("asyncio").addFilter(_is_news)
        gc.freeze()  # what was imported stays: no collection needs to look at it again
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal)
        loop.add_signal_handler(signal.SIGHUP, pipeline.reload_profile)
        loop.add_signal_handler(signal.SIGUSR1, pipeline.say_report)
        try:
            async with contextlib.AsyncExitStack() as stack:
                if self._claim is not None:
                    from vivavoce.control.server import serve
                    from vivavoce.instance import RunningInstance

                    name = pipeline.profile.control.instance
                    instance = RunningInstance(pipeline, name, self._finish)
                    await stack.enter_async_context(pipeline)
                    await stack.enter_async_context(serve(instance, self._claim))
                else:
                    await stack.enter_async_context(pipeline)
                await pipeline.wait()
        finally:
            if self._stats:
                click.echo(pipeline.statistics().report(), err=True)

    def _finish(self) -> None:
        """Finish what was said, and end; a signal that comes now ends at once."""
        self._signals += 1
        self._pipeline.stop()

    def _on_signal(self) -> None:
        if not self._signals:
            self._finish()
            return
        # Finals may wait for their revision; and nobody may read what we write.
        last = threading.Thread(target=self._say_last_words, daemon=True)
        last.start()
        last.join(_PATIENCE_S)
        pending = self._pipeline.context.ledger.summary().pending
        # Everything else would wait for an engine or a device; the engine ends with its input.
        os.write(
            2, f"\nvivavoce: stopped at once, {seconds(pending):.1f} s not finished\n".encode()
        )
        os._exit(1)

    def _say_last_words(self) -> None:
        with contextlib.suppress(OSError):
            self._last_words()
