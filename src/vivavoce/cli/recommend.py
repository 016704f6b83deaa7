"""`vivavoce models recommend`: which model suits this machine, measured where it can be."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
import wave
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from vivavoce.cli.language import AUTO, checked_language_or_auto, known_languages
from vivavoce.cli.old_settings import told_as_gone
from vivavoce.cli.progress import MeasurementProgress
from vivavoce.cli.table import print_table, styled
from vivavoce.config.errors import VivavoceError

if TYPE_CHECKING:
    from vivavoce.actors.transcription.model_choice import Choice, Verdict
    from vivavoce.config.schema import TranscriptionSettings

_HOPELESS = 3.0  # a model estimated at more than this, times real time, is not worth a minute


@click.command("recommend")
@click.argument("models", nargs=-1, metavar="[MODEL|DIR]...")
@click.option("--models", "listed", metavar="A,B", help="The same, separated by commas.")
@click.option(
    "--language",
    callback=checked_language_or_auto,
    shell_complete=known_languages,
    metavar="CODE",
    help="Language of the speech; auto: any.  [default: en]",
)
@click.option("--profile", metavar="NAME", help="Device, precision and threads of this profile.")
@click.option("--fresh", is_flag=True, help="Measure again what was measured before.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(
    *,
    models: tuple[str, ...],
    listed: str | None,
    language: str | None,
    profile: str | None,
    fresh: bool,
    as_json: bool,
) -> None:
    """Recommend a model: the most accurate that keeps up with speech on this machine.

    Models that are here are measured on a bundled recording, once; the others are estimated from
    them, or from the speed of the processor. Nothing is fetched. Name models or directories to
    compare only those.
    """
    from vivavoce.actors.transcription.auto_model import candidates, choose_model

    settings = _settings(profile, language)
    named = [*models, *(name.strip() for name in (listed or "").split(",") if name.strip())]
    _check(named)
    names = list(dict.fromkeys(named or candidates(settings.language, os.environ)))

    async def measured_choice() -> Choice:
        await _measure(names, settings, fresh=fresh, everything=bool(named))
        return await choose_model(settings, environ=os.environ, models=names, fresh=fresh)

    choice = asyncio.run(measured_choice())
    if as_json:
        click.echo(json.dumps(_as_data(choice, settings), indent=2))
    else:
        _print(choice, settings)


def _settings(profile: str | None, language: str | None) -> TranscriptionSettings:
    from vivavoce.config import load_profile

    settings = load_profile(profile, environ=os.environ, on_gone=told_as_gone).transcription
    if language is not None:
        code = None if language == AUTO else language
        return msgspec.structs.replace(settings, language=code, languages=[])
    if settings.languages:
        return settings
    return msgspec.structs.replace(settings, language=settings.language or "en")


def _check(named: Sequence[str]) -> None:
    """Refuse names that are no model's, and directories that hold none, in one line."""
    from vivavoce.actors.transcription.engines.models import (
        REPOSITORIES,
        is_directory_name,
        unknown_model,
    )
    from vivavoce.actors.transcription.whisper_costs import read_dimensions

    for name in named:
        if is_directory_name(name):
            if read_dimensions(Path(name).expanduser()) is None:
                raise VivavoceError(
                    f"{name!r} holds no CTranslate2 Whisper model (model.bin): give a directory "
                    "that does, or a name such as base.en"
                )
        elif name not in REPOSITORIES:
            raise VivavoceError(unknown_model(name))


async def _measure(
    names: Sequence[str], settings: TranscriptionSettings, *, fresh: bool, everything: bool
) -> None:
    """Measure what is here and was not measured yet, from the cheapest on; keep what is found.

    What can be foreseen to be hopeless, or not to fit the memory, stays an estimate; ``everything``
    spares only the memory.
    """
    from vivavoce.actors.transcription.machine import probe_machine
    from vivavoce.actors.transcription.speed import measure_speed, model_costs
    from vivavoce.actors.transcription.speed_cache import SpeedCache, conditions, model_folder

    cache, where = SpeedCache(os.environ), conditions(settings)
    known = set() if fresh else {found.model for found in cache.measurements(where)}
    todo = [name for name in names if name not in known and model_folder(name, os.environ)]
    if not todo:
        return
    progress, speech = MeasurementProgress(sys.stderr), _speech()
    room = probe_machine(cuda=False).available_bytes
    expected = model_costs(todo, (), None, settings, environ=os.environ)
    try:
        for name in [cost.name for cost in sorted(expected, key=lambda c: c.real_time_factor)]:
            found = cache.measurements(where)
            others = [one for one in found if one.model != name]
            (guess,) = model_costs([name], others, None, settings, environ=os.environ)
            hopeless = bool(others) and guess.real_time_factor > _HOPELESS and not everything
            if hopeless or guess.memory_bytes > room:
                continue
            try:
                fresh_one = await measure_speed(
                    name, settings, speech, environ=os.environ, on_progress=progress
                )
            except VivavoceError as error:
                if everything:
                    raise
                progress.clear()
                click.echo(f"vivavoce: {name} could not be measured: {error}", err=True)
            else:
                cache.add_measurement(fresh_one)
    finally:
        progress.clear()


def _speech() -> bytes:
    with (
        as_file(files("vivavoce") / "assets" / "demo.wav") as path,
        wave.open(str(path), "rb") as recording,
    ):
        return recording.readframes(recording.getnframes())


# -- showing it


def _print(choice: Choice, settings: TranscriptionSettings) -> None:
    head = ("  MODEL", "HERE", "FINALS", "", "PARTIAL", "MEMORY", "VERDICT")
    print_table(head, [_row(verdict) for verdict in choice.verdicts])
    cost, machine = choice.cost, choice.machine
    power = "on battery" if machine.on_battery else "on mains"
    click.echo(
        f"\n{styled(choice.model, bold=True)}: {choice.reason}; "
        f"use it with `{_use(choice, settings)}`"
    )
    click.echo(
        f"Finals are good below {machine.target:g}× real time ({power}); a final of 6 s of speech "
        f"with a beam of 5, on {settings.threads or machine.cores} threads."
    )
    if any(verdict.cost.busy for verdict in choice.verdicts):
        click.echo(
            "* Other programs were busy meanwhile: --fresh measures again, when it is quiet."
        )
    if cost.source == "estimated":
        then = "run this again" if cost.here else f"`vivavoce models pull {cost.name}`, then this,"
        click.echo(f"Estimated {cost.basis}: {then} to measure it.")


def _row(verdict: Verdict) -> tuple[str, ...]:
    cost = verdict.cost
    return (
        ("→ " if verdict.chosen else "  ") + cost.name,
        "yes" if cost.here else "to be fetched",
        f"{cost.real_time_factor:.2f}×",
        cost.source + ("*" if cost.busy else ""),
        f"{1000 * cost.partial_s:.0f} ms",
        f"{cost.memory_bytes / 1e9:.1f} GB",
        verdict.reason,
    )


def _use(choice: Choice, settings: TranscriptionSettings) -> str:
    words = ["vivavoce", "--model", choice.model]
    if settings.language and settings.language != "en":
        words += ["--set", f"transcription.language={settings.language}"]
    return shlex.join(words)


def _as_data(choice: Choice, settings: TranscriptionSettings) -> dict[str, Any]:
    return {
        "model": choice.model,
        "reason": choice.reason,
        "keeps_up": choice.keeps_up,
        "command": _use(choice, settings),
        "target_real_time_factor": choice.machine.target,
        "machine": msgspec.to_builtins(choice.machine),
        "models": [
            {
                **msgspec.to_builtins(verdict.cost),
                "chosen": verdict.chosen,
                "reason": verdict.reason,
            }
            for verdict in choice.verdicts
        ],
    }
