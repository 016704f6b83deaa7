"""``vivavoce bench``: list, run, save and compare benchmarks."""

from __future__ import annotations

from pathlib import Path

import click

from vivavoce.bench import registry, results, table
from vivavoce.config.errors import VivavoceError


@click.command(name="bench", short_help="Measure what the design promises.")
@click.argument("names", nargs=-1, metavar="[all | NAME...]")
@click.option("--quick", is_flag=True, help="A few seconds each; the figures mean little.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Save as JSON.")
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare with results saved before; exit 1 on a regression.",
)
@click.option(
    "--factor",
    type=click.FloatRange(min=1.0, min_open=True),
    default=1.5,
    show_default=True,
    help="How many times worse a figure must be to be a regression.",
)
@click.option("--model", metavar="NAME|DIR", help="Whisper model for the engine under load.")
@click.option(
    "--hours",
    type=click.FloatRange(min=0.0, min_open=True),
    default=3.0,
    show_default=True,
    help="Hours of audio for `memory` and `soak`.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=1.0, max=3_600.0),
    default=60.0,
    show_default=True,
    help="For `idle`: how long each power mode is measured.",
)
@click.option(
    "--trials",
    type=click.IntRange(min=1, max=1_000),
    default=100,
    show_default=True,
    help="For `wake`: utterances that wake it from `parked`; fewer from other modes.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.5, max=10_000.0),
    default=20.0,
    show_default=True,
    help="For `soak`: minutes in real time.",
)
@click.option(
    "--recording",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="For `stream`: a WAV file whose words and word times are in a refs.json beside it.",
)
@click.option(
    "--unbroken",
    type=click.FloatRange(min=0, max=600),
    default=0.0,
    metavar="MINUTES",
    help="For `stream` and `throughput`: take the pauses out of the recording and repeat it for so "
    "long.",
)
@click.option(
    "--without",
    type=click.Choice(list(registry.RULES)),
    multiple=True,
    help="For `stream`: switch this rule off; may be repeated.",
)
@click.option("--ablation", is_flag=True, help="For `stream`: also run without each of the rules.")
@click.option("--curve", is_flag=True, help="For `stream`: also run with other hold-backs.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE.svg",
    help="For `stream`: write a plot of the latencies; with --curve, of latency against stability. "
    "For `soak`: of memory and CPU over time.",
)
@click.pass_context
def command(
    context: click.Context,
    *,
    names: tuple[str, ...],
    quick: bool,
    as_json: bool,
    save: Path | None,
    against: Path | None,
    factor: float,
    model: str | None,
    hours: float,
    seconds: float,
    trials: int,
    minutes: float,
    recording: Path | None,
    unbroken: float,
    without: tuple[str, ...],
    ablation: bool,
    curve: bool,
    plot: Path | None,
) -> None:
    """Run benchmarks: all, or those named. Without a name: list them."""
    options = registry.Options(
        quick=quick,
        model=model,
        hours=hours,
        seconds=seconds,
        trials=trials,
        minutes=minutes,
        recording=recording,
        unbroken=unbroken,
        without=without,
        ablation=ablation,
        curve=curve,
        plot=plot,
        say=lambda line: click.echo(f"  … {line}", err=True),
    )
    try:
        if not names:
            click.echo(_listing())
            return
        wanted = _wanted(names)
        # Before anything runs: nobody wants to learn after an hour that a file is unusable.
        before = results.load(against) if against else None
        for path in filter(None, (save, plot)):
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


class UnknownBenchmark(VivavoceError):  # noqa: N818 - what the user named
    """There is no benchmark of that name."""

    exit_code = 2


def _listing() -> str:
    width = max(len(name) for name in registry.NAMES)
    lines = [f"  {name.ljust(width)}  {registry.find(name).description}" for name in registry.NAMES]
    return "\n".join(["Benchmarks (run one with `vivavoce bench NAME`, or `all`):", *lines])


def _wanted(names: tuple[str, ...]) -> tuple[str, ...]:
    known = ", ".join(registry.NAMES)
    for name in names:
        if name not in registry.NAMES and name != "all":
            raise UnknownBenchmark(f"no benchmark is called {name!r}; there are: {known}, all")
    return registry.NAMES if "all" in names else tuple(dict.fromkeys(names))


def _check_writable(path: Path) -> None:
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir():
        problem = "it is a folder" if path.is_dir() else f"there is no folder {folder}"
        raise results.ResultFileError(f"cannot write results to {path}: {problem}")


def _run(wanted: tuple[str, ...], options: registry.Options, as_json: bool) -> list[results.Result]:
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
