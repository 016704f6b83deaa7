"""``vivavoce bench``: list, run, save and compare benchmarks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from vivavoce.bench import registry, results, table
from vivavoce.bench.registry import Options, Suite
from vivavoce.config.errors import VivavoceError

_FILE = click.Path(path_type=Path)

_PARAMETERS: tuple[click.Parameter, ...] = (
    click.Argument(["names"], nargs=-1, metavar="[all | NAME...]"),
    click.Option(["--quick"], is_flag=True, help="A few seconds each; the figures mean little."),
    click.Option(["--json", "as_json"], is_flag=True, help="Print JSON instead of tables."),
    click.Option(["--save"], type=_FILE, metavar="FILE", help="Save as JSON."),
    click.Option(
        ["--against"],
        type=_FILE,
        metavar="FILE",
        help="Compare with results saved before; exit 1 on a regression.",
    ),
    click.Option(
        ["--factor"],
        type=click.FloatRange(min=1.0, min_open=True),
        default=1.5,
        show_default=True,
        help="How many times worse a figure must be to be a regression.",
    ),
    click.Option(["--model"], metavar="NAME|DIR", help="Whisper model for the engine under load."),
    click.Option(
        ["--recording"], type=_FILE, metavar="FILE", help="For `loop`: what is captioned."
    ),
    click.Option(
        ["--seconds"],
        type=click.FloatRange(min=1.0, max=3_600.0),
        default=60.0,
        show_default=True,
        help="For `idle`: how long each power mode is measured.",
    ),
)


def command_of(suite: Suite) -> click.Command:
    """The command that runs the benchmarks of a suite."""
    parameters = {one.name: one for one in (*_PARAMETERS, *suite.parameters)}
    return click.Command(
        "bench",
        callback=partial(_bench, suite),
        params=list(parameters.values()),
        help="Run benchmarks: all, or those named. Without a name: list them.",
        short_help="Measure what the design promises.",
    )


def _bench(
    suite: Suite,
    *,
    names: tuple[str, ...],
    as_json: bool,
    save: Path | None,
    against: Path | None,
    factor: float,
    **told: Any,
) -> None:
    """Run what is named and exit; ``told`` is what becomes the options of the benchmarks."""
    context = click.get_current_context()
    options = suite.options(say=lambda line: click.echo(f"  … {line}", err=True), **told)
    try:
        if not names:
            click.echo(_listing(suite))
            return
        wanted = suite.wanted(names)
        # Before anything runs: nobody wants to learn after an hour that a file is unusable.
        before = results.load(against) if against else None
        for path in (*filter(None, [save]), *options.written):
            _check_writable(path)
        found = _run(wanted, options, as_json)
        if as_json:
            click.echo(results.dump(found), nl=False)
        if save:
            results.save(found, save)
        if before is not None and not _compare(before, found, factor, as_json):
            context.exit(1)
    except VivavoceError as error:
        click.echo(f"vivavoce bench: {error}", err=True)
        context.exit(error.exit_code)


def _listing(suite: Suite) -> str:
    width = max(len(name) for name in suite.names)
    lines = [f"  {name.ljust(width)}  {registry.find(name).description}" for name in suite.names]
    return "\n".join(["Benchmarks (run one with `vivavoce bench NAME`, or `all`):", *lines])


def _check_writable(path: Path) -> None:
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir():
        problem = "it is a folder" if path.is_dir() else f"there is no folder {folder}"
        raise results.ResultFileError(f"cannot write results to {path}: {problem}")


def _run(wanted: tuple[str, ...], options: Options, as_json: bool) -> list[results.Result]:
    found = []
    for name in wanted:
        click.echo(f"{name}: {registry.find(name).description}", err=True)
        result = registry.find(name).run(options)
        found.append(result)
        if not as_json:
            click.echo(table.render(result) + "\n")
    return found


def _compare(
    before: list[results.Result], now: list[results.Result], factor: float, as_json: bool
) -> bool:
    """Print the comparison (beside JSON: to stderr) and say whether nothing regressed."""
    comparisons, missing = results.compare(before, now, factor)
    click.echo(table.render_comparison(comparisons, missing, factor), err=as_json)
    return not any(item.regressed for item in comparisons)


command = command_of(registry.suite())
