"""`vivavoce ctl`: control a running instance.

What is imported here is paid for at each press of a key.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from vivavoce.control import client
from vivavoce.control.place import DEFAULT_INSTANCE, Place

_INSTANCE = "vivavoce.cli.ctl.instance"
_FILE_ENDINGS = (".yaml", ".yml")

F = TypeVar("F", bound=Callable[..., Any])


def _instance_option(command: F) -> F:
    """`--instance`, before or behind the command; the one behind wins."""

    def remember(context: click.Context, option: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.meta[_INSTANCE] = value

    return click.option(
        "--instance",
        metavar="NAME",
        envvar="VIVAVOCE_CONTROL__INSTANCE",
        expose_value=False,
        callback=remember,
        help="The instance, where several run (their `control.instance`).",
    )(command)


@click.group("ctl", context_settings={"max_content_width": 100})
@_instance_option
def command() -> None:
    """Control the vivavoce that is running: record, pause, ask, end.

    \b
    Push-to-talk from your desktop, where no global hotkey can be had (`trigger.hotkey: null`):
      sway      bindsym --no-repeat F9 exec vivavoce ctl start
                bindsym --release   F9 exec vivavoce ctl stop
      Hyprland  bind  = , F9, exec, vivavoce ctl start
                bindr = , F9, exec, vivavoce ctl stop
    One key that starts and stops:
      sway      bindsym --no-repeat F9 exec vivavoce ctl toggle
      Hyprland  bind = , F9, exec, vivavoce ctl toggle
      GNOME     Settings → Keyboard → Custom Shortcuts: vivavoce ctl toggle
    (Hyprland since 0.55 in Lua: see docs/control.md.)

    Exits with 1 where no instance is running, with 2 where what was asked for is wrong.
    """


def _place() -> Place:
    name = click.get_current_context().meta.get(_INSTANCE, DEFAULT_INSTANCE)
    return Place(name, os.environ)


# -- recording


@command.command("start")
@_instance_option
def start() -> None:
    """Begin to record."""
    _record("start")


@command.command("stop")
@_instance_option
def stop() -> None:
    """End the recording; what was said is recognised."""
    _record("stop")


@command.command("toggle")
@_instance_option
def toggle() -> None:
    """Begin to record, or end the recording."""
    _record("toggle")


@command.command("cancel")
@_instance_option
def cancel() -> None:
    """End the recording and discard what was said in it."""
    _record("cancel")


def _record(what: str) -> None:
    answer = client.ask(_place(), what, began=client.process_start())
    click.echo("recording" if answer["status"]["recording"] else "not recording")


# -- asking


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="For programs: one line of JSON.")
@click.option("--follow", is_flag=True, help="A line now and at each change, for status bars.")
@_instance_option
def status(*, as_json: bool, follow: bool) -> None:
    """Show how it is doing: recording or not, mode, engine, what was lost.

    What was said is never part of it.

    \b
    Examples:
      vivavoce ctl status --json | jq .recording
      vivavoce ctl status --follow --json      for a status bar; it ends with the instance
    """
    if not follow:
        found = client.ask(_place(), "status")["status"]
        text = json.dumps(found) if as_json else "\n".join(_table(_plain(found)))
        click.echo(text, color=_coloured())
        return
    shown = ""
    for found in client.follow(_place(), output=sys.stdout.fileno()):
        text = json.dumps(found) if as_json else _line(_plain(found))
        if text != shown:  # not all of the status is in the line
            click.echo(text, color=_coloured())
            sys.stdout.flush()
        shown = text


def _table(found: Mapping[str, Any]) -> Iterable[str]:
    engine, delivery = found["engine"], found["delivery"]
    rows = {
        "state": _state(found),
        "mode": found["mode"] + (f", hotkey {found['hotkey']}" if found["hotkey"] else ""),
        "power": found["power"] + (", as you said" if found["power_forced"] else ""),
        "profile": found["profile"],
        "microphone": found["microphone"],
        "engine": f"{engine['name']} {engine['model']}".strip()
        + ("" if engine["ready"] else ", not loaded"),
        "so far": f"{_count(found['finals'], 'final')}, {_count(found['words'], 'word')} in "
        + _duration(found["uptime_s"]),
        "waiting": f"{found['pending_s']:.1f} s of audio" if found["pending_s"] >= 1.0 else "",
        "held back": f"{found['held']} texts" if found["held"] else "",
        "lost": f"{found['dropped_s']:.1f} s of audio" if found["dropped_s"] else "",
        "last text": _words(delivery, "outcome", "back_end", "application") if delivery else "",
        "history": "kept" if found["history"] else "not kept",
        "process": f"{found['pid']}, vivavoce {found['version']}",
        "problem": found["problem"],
    }
    for name, text in rows.items():
        if text:
            shown = click.style(text, fg="red") if name in ("lost", "problem") else text
            yield f"{click.style(f'{name:10}', bold=True)}  {shown}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _line(found: Mapping[str, Any]) -> str:
    parts = [
        _state(found),
        found["mode"],
        _words(found["engine"], "name", "model"),
        f"{found['finals']} finals",
    ]
    if found["held"]:
        parts.append(f"{found['held']} held back")
    if found["problem"]:
        parts.append(click.style(found["problem"], fg="red"))
    return "  ".join(part for part in parts if part)


def _state(found: Mapping[str, Any]) -> str:
    if found["recording"]:
        return click.style("speech" if found["speaking"] else "recording", fg="green")
    return "not recording"


def _words(found: Mapping[str, Any], *keys: str) -> str:
    return " ".join(found[key] for key in keys if found[key])


def _plain(value: Any) -> Any:
    """``value`` without what steers a terminal: others wrote a part of it, as a device's name."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in value)
    return value


def _coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


# -- changing


@command.command("mode")
@click.argument(
    "mode",
    required=False,
    type=click.Choice(["voice", "hold", "toggle", "manual", "auto"]),
)
@_instance_option
def mode(*, mode: str | None) -> None:
    """Show or change when it listens; `auto` is what the profile says."""
    if mode is None:
        answer = client.ask(_place(), "status")
    else:
        answer = client.ask(_place(), "mode", mode=None if mode == "auto" else mode)
    click.echo(answer["status"]["mode"])


@command.command("power")
@click.argument(
    "mode",
    required=False,
    type=click.Choice(["auto", "active", "listening", "idle", "parked", "closed"]),
)
@_instance_option
def power(*, mode: str | None) -> None:
    """Show or change the power mode that silence is spent in; `auto` is what the profile says.

    `parked` ends the engine and `closed` releases the microphone, until something is recorded.
    """
    if mode is None:
        click.echo(client.ask(_place(), "status")["status"]["power"])
    else:
        client.ask(_place(), "power", mode=mode)
        click.echo(mode)  # it is entered when nobody speaks


def _complete_profile(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from vivavoce.config.layers import known_profiles

    names = [name for name in known_profiles(os.environ) if name.startswith(incomplete)]
    return [CompletionItem(name) for name in sorted(names)] or [
        CompletionItem(incomplete, type="file")
    ]


@command.command("profile")
@click.argument("name", required=False, shell_complete=_complete_profile)
@_instance_option
def profile(*, name: str | None) -> None:
    """Show the profile, or go on with another one: NAME, or a YAML file."""
    if name is None:
        answer = client.ask(_place(), "status")
    else:
        # The instance works in another folder.
        is_file = os.sep in name or name.endswith(_FILE_ENDINGS)
        wanted = str(Path(name).expanduser().absolute()) if is_file else name
        answer = client.ask(_place(), "profile", name=wanted)
    click.echo(_plain(answer["status"]["profile"]))


@command.command("quit")
@_instance_option
def quit_() -> None:
    """End it: what was said is finished first. Returns when it has ended."""
    client.ask_to_quit(_place())
