"""One run of the pipeline at the command line: output, signals, statistics."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import click

from vivavoce.actors.captions import CaptionActor, make_writer
from vivavoce.assembly import Pipeline
from vivavoce.cli.progress import DownloadProgress
from vivavoce.pipeline.messages import seconds


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
    )
    asyncio.run(_Session(pipeline, stats=stats).run(output))


class _Session:
    """Ties a pipeline to this process: signals in, captions out."""

    def __init__(self, pipeline: Pipeline, *, stats: bool) -> None:
        self._pipeline = pipeline
        self._stats = stats
        self._signals = 0

    async def run(self, output: BinaryIO) -> None:
        pipeline = self._pipeline
        profile = pipeline.profile
        writer = make_writer(
            profile.captions,
            stream=output,
            environ=os.environ,
            revisions_follow=pipeline.revises,
        )
        pipeline.add_sink(CaptionActor(writer, output))
        gc.freeze()  # what was imported stays: no collection needs to look at it again
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal)
        try:
            async with pipeline:
                await pipeline.wait()
        finally:
            if self._stats:
                click.echo(pipeline.statistics().report(), err=True)

    def _on_signal(self) -> None:
        self._signals += 1
        if self._signals == 1:
            self._pipeline.stop()
            return
        pending = self._pipeline.context.ledger.summary().pending
        # Everything else would wait for an engine or a device; the engine ends with its input.
        os.write(
            2, f"\nvivavoce: stopped at once, {seconds(pending):.1f} s not finished\n".encode()
        )
        os._exit(1)
