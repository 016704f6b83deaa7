"""`vivavoce demo`: the whole pipeline at work, with no microphone, model or network."""

from __future__ import annotations

import json
import sys
from importlib.resources import as_file, files

import click

from vivavoce.cli.session import run_session


@click.command("demo")
@click.option(
    "--engine",
    type=click.Choice(["pocketsphinx", "auto", "faster-whisper"]),
    default="pocketsphinx",
    show_default=True,
    help="pocketsphinx is bundled; the others may fetch a model.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "jsonl", "srt", "vtt"]),
    default="text",
    show_default=True,
    help="How captions are written.",
)
@click.option(
    "--pace",
    type=click.Choice(["realtime", "max"]),
    default="realtime",
    show_default=True,
    help="As it was spoken, or as fast as it can be transcribed.",
)
@click.option("--stats", is_flag=True, help="Print the account of the run to standard error.")
def command(engine: str, format_: str, pace: str, stats: bool) -> None:
    """Stream a bundled recording through the whole pipeline and show live captions.

    The recording is synthetic speech (flite voices), 26 seconds long.
    """
    with as_file(files("vivavoce") / "assets" / "demo.wav") as recording:
        click.echo(
            f"vivavoce: captioning a bundled recording (synthetic voices, 26 s) with {engine}; "
            "Ctrl-C ends it",
            err=True,
        )
        run_session(
            "offline" if engine == "pocketsphinx" else "captions",
            overrides=[
                f"capture.source={json.dumps(str(recording))}",
                f"capture.pace={pace}",
                f"transcription.engine={engine}",
                f"captions.format={format_}",
            ],
            stats=stats,
            output=sys.stdout.buffer,
        )
