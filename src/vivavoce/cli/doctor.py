"""`vivavoce doctor`: is everything here that is needed, and if not, how to get it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import click
import msgspec

from vivavoce.cli import doctor_desktop, doctor_machine
from vivavoce.cli.finding import Finding
from vivavoce.cli.table import coloured, styled
from vivavoce.config.errors import VivavoceError

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}
_SEVERITY = ("problem", "warning", "ok")
_PACKAGES = ("numpy", "av", "soxr", "faster_whisper", "ctranslate2", "pocketsphinx")


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """Check what vivavoce needs on this machine, and say how to get what is missing.

    Exits with 1 when not even a recording could be captioned.
    """
    findings = [finding for check in CHECKS for finding in check()]
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    context.exit(1 if any(finding.state == "problem" for finding in findings) else 0)


def _print(findings: list[Finding]) -> None:
    """As in the report of a run: what is wrong comes first, with what to do about it."""
    wrong = [finding for finding in findings if finding.state != "ok"]
    click.echo(f"findings: {len(wrong)}" if wrong else "findings: none, all is there")
    width = max(len(finding.check) for finding in findings)
    for finding in sorted(findings, key=lambda one: _SEVERITY.index(one.state)):
        state = styled(f"{finding.state:8}", colour=_COLOURS[finding.state])
        line = f"  {state}  {finding.check.ljust(width)}  {finding.text}"
        fix = f"\n  {'':8}  {'':{width}}  → {finding.fix}" if finding.fix else ""
        click.echo(line + fix, color=coloured())


def _python() -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("python", "ok", version)


def _packages() -> Iterator[Finding]:
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        fix = "run `pip install --force-reinstall vivavoce`"
        yield Finding("packages", "problem", f"not installed: {', '.join(missing)}", fix)
    else:
        yield Finding("packages", "ok", "all there")


def _microphone() -> Iterator[Finding]:
    from vivavoce.actors.capture.devices import list_input_devices, ranked

    try:
        chosen = ranked(list_input_devices(), None)[0]
    except VivavoceError as error:
        yield Finding("microphone", "warning", str(error), "recordings work without one")
    else:
        yield Finding("microphone", "ok", f"{chosen.name}, {chosen.default_rate} Hz")


def _speech_detector() -> Iterator[Finding]:
    from vivavoce.actors.vad.silero import Silero

    try:
        Silero()
    except VivavoceError as error:
        yield Finding("speech detector", "problem", str(error))
    else:
        yield Finding("speech detector", "ok", "Silero's weights are there and can be read")


def _models() -> Iterator[Finding]:
    from vivavoce.actors.transcription.engines.models import REPOSITORIES, cached_model

    here = [name for name in REPOSITORIES if cached_model(name, os.environ)]
    if here:
        yield Finding("whisper models", "ok", ", ".join(here))
    else:
        fix = "run `vivavoce models pull base.en`; until then the bundled engine is used offline"
        yield Finding("whisper models", "warning", "none on this machine yet", fix)


def _automatic_model() -> Iterator[Finding]:
    import asyncio

    from vivavoce.actors.transcription.auto_model import choose_model
    from vivavoce.config import load_profile
    from vivavoce.config.schema import TranscriptionSettings

    try:
        settings = load_profile(environ=os.environ).transcription
    except VivavoceError:
        settings = TranscriptionSettings()  # what is wrong with profiles is told below
    try:
        choice = asyncio.run(choose_model(settings, environ=os.environ))
    except VivavoceError as error:
        yield Finding("model: auto", "problem", str(error))
        return
    text = f"would be {choice.model}: {choice.reason}"
    if choice.cost.source == "measured":
        yield Finding("model: auto", "ok", text)
    else:
        fix = "run `vivavoce models recommend`: it measures the models that are here"
        yield Finding("model: auto", "ok" if choice.keeps_up else "warning", text, fix)


def _machine() -> Iterator[Finding]:
    import psutil

    cores = psutil.cpu_count() or 1
    memory = psutil.virtual_memory()
    text = (
        f"{cores} cores, {memory.total / 1e9:.0f} GB of memory, {memory.available / 1e9:.0f} free"
    )
    if memory.available < 1e9:
        yield Finding("machine", "warning", text, "close something, or use the model tiny.en")
    else:
        yield Finding("machine", "ok", text)


def _profiles() -> Iterator[Finding]:
    from vivavoce.config import load_profile
    from vivavoce.config.layers import known_profiles

    wrong = []
    names = known_profiles(os.environ)
    for name in names:
        try:
            load_profile(name, environ=os.environ)
        except VivavoceError as error:
            wrong.append(str(error))
    if wrong:
        yield from (Finding("profiles", "warning", text) for text in wrong)
    else:
        yield Finding("profiles", "ok", ", ".join(sorted(names)))


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _speech_detector,
    _models,
    _automatic_model,
    _microphone,
    *doctor_machine.CHECKS,
    *doctor_desktop.CHECKS,
    _machine,
    _profiles,
)
