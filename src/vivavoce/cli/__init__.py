"""The command line: `vivavoce [run] [PROFILE] …`.

Captions go to standard output and nothing else does; logs, progress and notices go to standard
error. Exit codes: 0 done, 1 failed, 2 wrong usage or profile.
"""

from __future__ import annotations

import difflib
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn

import click

from vivavoce import __version__
from vivavoce.config.errors import VivavoceError

# Commands are imported when they are called: `vivavoce run` must not pay for the others.
COMMANDS = {
    "run": "vivavoce.cli.run",
    "ctl": "vivavoce.cli.ctl",
    "demo": "vivavoce.cli.demo",
    "devices": "vivavoce.cli.devices",
    "profiles": "vivavoce.cli.profiles",
    "models": "vivavoce.cli.models",
    "doctor": "vivavoce.cli.doctor",
    "history": "vivavoce.cli.history",
    "clean": "vivavoce.cli.clean",
    "schema": "vivavoce.cli.schema",
    "bench": "vivavoce.bench.command",
    "completion": "vivavoce.cli.completion",
}


class RunByDefault(click.Group):
    """A group whose arguments go to `run` where they do not begin with a command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` in front where no command, help or version is asked for."""
        if not args or (args[0] not in COMMANDS and args[0] not in ("--help", "-h", "--version")):
            _refuse_misspelt_command(args[:1])
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of a newcomer's needs."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and take its `command`."""
        home = COMMANDS.get(cmd_name)
        if home is None:
            return None
        found: Any = importlib.import_module(home).command
        return found if isinstance(found, click.Command) else None


@click.group(
    cls=RunByDefault,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="vivavoce")
def command() -> None:
    """Live captions from your microphone or a recording, made on this machine.

    Without a command, `run` is meant:

    \b
      vivavoce                                  caption the microphone
      vivavoce meeting                          the same with the profile `meeting`
      vivavoce --source talk.mp3 --pace max     transcribe a recording
      vivavoce demo                             see it work, without a microphone

    Captions go to standard output, everything else to standard error.
    """


def _refuse_misspelt_command(first: list[str]) -> None:
    """Where the first word is nearly a command and no profile, say so rather than look for one."""
    for word in first:
        near = difflib.get_close_matches(word, COMMANDS, n=1, cutoff=0.75)
        if near and not word.startswith("-"):
            from vivavoce.config.layers import known_profiles

            if word not in known_profiles(os.environ):
                raise click.UsageError(
                    f"there is no command and no profile {word!r}: did you mean "
                    f"`vivavoce {near[0]}`?"
                )


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage or profile."""
    signal.signal(signal.SIGTERM, _interrupt)
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] != ["ctl"]:  # it logs nothing, and each press of a key waits for its start
        from vivavoce.cli.outside_lines import show_outside_lines

        show_outside_lines()
    sys.exit(_run(given))


def _run(arguments: list[str]) -> int:
    try:
        result = command.main(arguments, prog_name="vivavoce", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 0  # stopped before there was anything to finish
    except VivavoceError as error:
        if str(error):
            click.echo(f"vivavoce: {'error: ' if error.exit_code else ''}{error}", err=True)
        return error.exit_code
    except BrokenPipeError:
        # The reader went away (`| head`): that is no failure. Python must not flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result if isinstance(result, int) else 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
