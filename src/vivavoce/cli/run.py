"""`vivavoce run`: caption a microphone, a recording or standard input."""

from __future__ import annotations

import json
import os
import sys

import click

from vivavoce.cli.session import run_session


@click.command("run")
@click.argument("profile", default="", metavar="[PROFILE]")
@click.option(
    "--source",
    metavar="mic|FILE|-",
    help="The microphone, a recording, or standard input (raw s16le 16 kHz mono, or any format).",
)
@click.option(
    "--pace",
    type=click.Choice(["realtime", "max"]),
    help="Play a recording as it was spoken, or as fast as it can be transcribed.",
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "faster-whisper", "pocketsphinx"]),
    help="`auto`: Whisper where a model is at hand or can be fetched, else pocketsphinx.",
)
@click.option("--model", metavar="NAME|DIR", help="A Whisper model by name, or its directory.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "jsonl", "srt", "vtt"]),
    help="How captions are written.",
)
@click.option("--partials/--no-partials", default=None, help="Show words while they are spoken.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="SECTION.KEY=VALUE",
    help="Change a setting of the profile; may be repeated. `vivavoce schema` lists them.",
)
@click.option("--stats", is_flag=True, help="Print the account of the run to standard error.")
def command(
    *,
    profile: str,
    source: str | None,
    pace: str | None,
    engine: str | None,
    model: str | None,
    format_: str | None,
    partials: bool | None,
    settings: tuple[str, ...],
    stats: bool,
) -> None:
    """Caption the microphone, a recording or standard input.

    PROFILE is a shipped profile (`vivavoce profiles`), one of yours, or a YAML file; without it
    VIVAVOCE_PROFILE or `captions`. Ctrl-C finishes the sentence and ends; a second one ends at
    once.

    \b
    Examples:
      vivavoce run                                      live captions of the microphone
      vivavoce run --source talk.mp4 --pace max --format srt > talk.srt
      vivavoce run offline --source - < audio.raw       raw s16le 16 kHz mono
      vivavoce run --set vad.end_silence_ms=2500        wait longer before what was said is final
      vivavoce run --format jsonl | jq -r 'select(.type=="final").text'
    """
    chosen = {
        "capture.source": source,
        "capture.pace": pace,
        "transcription.engine": engine,
        "transcription.model": model,
        "captions.format": format_,
        "transcription.partials": partials,
    }
    options = [f"{key}={json.dumps(value)}" for key, value in chosen.items() if value is not None]
    run_session(
        profile or os.environ.get("VIVAVOCE_PROFILE") or "captions",
        overrides=[*options, *settings],
        stats=stats,
        output=sys.stdout.buffer,
    )
