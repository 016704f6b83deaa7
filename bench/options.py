"""What the developers' benchmarks are told, and the options of ``vivavoce bench`` that tell it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from bench.human_speech import KINDS, SPEECH_KINDS
from vivavoce.bench import registry

RULES = {
    "trimming": "transcription.partial_context=full",
    "prefix": "transcription.forced_prefix=false",
    "hold-back": "transcription.hold_back_words=0",
    "partials": "transcription.partials=false",
    "adaptive-interval": "transcription.partial_cpu_share=1.0",
    "final-spacing": "transcription.final_cpu_share=1.0",
    "ladder": "transcription.overload_ladder=false",
    "full-finals": "transcription.final_context=auto",
    "temperature-fallback": "transcription.temperature_fallback=false",
    "margin": "transcription.context_margin_ms=0",
    "hallucination-guard": "cleanup.hallucinations=false",
    "repetition-guard": "cleanup.repeated_phrases=false",
}
"""What ``stream`` can do without, and the setting that switches it off.

A draft model is off in the profile already.
"""


@dataclass(frozen=True, slots=True)
class DeveloperOptions(registry.Options):
    """What a run of a benchmark is told, beyond what all are told.

    Attributes:
        recording: for ``stream`` and ``throughput`` it stands beside a ``refs.json``.
        speech: for both, a folder with a ``refs.json`` and its recordings.
        kinds: for both, which of a set's recordings, by commas; empty: what is judged.
        language: for both, of the speech.
        settings: for both, settings of the profile, each ``section.key=value``.
        hours: hours of audio for ``memory`` and ``soak``.
        trials: for ``wake``, utterances that wake it from ``parked``.
        minutes: for ``soak``, minutes in real time.
        unbroken: for ``stream`` and ``throughput``, take the pauses out of the recording and repeat
            it for so many minutes; 0: as it is.
        without: for ``stream``, names of :data:`RULES` that are switched off.
        ablation: for ``stream``, run once more for each rule, without it.
        curve: for ``stream``, run once for each of several hold-backs.
        sweeps: for ``stream``, run once for each value of a setting: ``section.key=1,2,3``.
        simulated: for ``stream``, on a virtual clock: as fast as the decodings allow.
        speed: for that, how many times less than measured a decoding takes.
        plot: for ``stream`` and ``soak``, where to write a plot (SVG).
    """

    hours: float = 3.0
    trials: int = 100
    minutes: float = 20.0
    unbroken: float = 0.0
    speech: Path | None = None
    kinds: str = ""
    language: str = "en"
    settings: tuple[str, ...] = ()
    sweeps: tuple[str, ...] = ()
    simulated: bool = False
    speed: float = 1.0
    without: tuple[str, ...] = ()
    ablation: bool = False
    curve: bool = False
    plot: Path | None = None

    @property
    def takes_a_set(self) -> bool:
        """Whether a set of recordings is wanted, and not a single one."""
        return self.speech is not None or bool(self.kinds)

    @property
    def wanted_kinds(self) -> tuple[str, ...]:
        """Of a set; empty: all of it."""
        if not self.kinds:
            return SPEECH_KINDS
        return () if self.kinds == "all" else tuple(self.kinds.split(","))

    @property
    def swept(self) -> dict[str, tuple[str, ...]]:
        """The values of each setting that is swept."""
        pairs = (sweep.partition("=") for sweep in self.sweeps)
        return {key: tuple(values.split(",")) for key, _, values in pairs}

    @property
    def written(self) -> tuple[Path, ...]:
        """Files that the benchmarks will write."""
        return () if self.plot is None else (self.plot,)


def _checked_sweeps(sweeps: tuple[str, ...]) -> tuple[str, ...]:
    for sweep in sweeps:
        key, _, values = sweep.partition("=")
        if "." not in key or not values:
            raise click.BadParameter(f"{sweep!r} is not section.key=VALUE,VALUE")
    return sweeps


PARAMETERS: tuple[click.Parameter, ...] = (
    click.Option(
        ["--recording"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="For `stream` and `throughput`: a WAV file whose words and word times are in a "
        "refs.json beside it. For `loop`: any recording.",
    ),
    click.Option(
        ["--hours"],
        type=click.FloatRange(min=0.0, min_open=True),
        default=3.0,
        show_default=True,
        help="Hours of audio for `memory` and `soak`.",
    ),
    click.Option(
        ["--trials"],
        type=click.IntRange(min=1, max=1_000),
        default=100,
        show_default=True,
        help="For `wake`: utterances that wake it from `parked`; fewer from other modes.",
    ),
    click.Option(
        ["--minutes"],
        type=click.FloatRange(min=0.5, max=10_000.0),
        default=20.0,
        show_default=True,
        help="For `soak`: minutes in real time.",
    ),
    click.Option(
        ["--unbroken"],
        type=click.FloatRange(min=0, max=600),
        default=0.0,
        metavar="MINUTES",
        help="For `stream` and `throughput`: take the pauses out of the recording and repeat it "
        "for so long.",
    ),
    click.Option(
        ["--speech"],
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="For `stream` and `throughput`: a set of recordings with a refs.json, such as "
        "../shared/speech/human.",
    ),
    click.Option(
        ["--kinds"],
        default="",
        metavar="KIND,…",
        help=f"Of the set: {', '.join(KINDS)}, or all. [default: {','.join(SPEECH_KINDS)}]",
    ),
    click.Option(
        ["--language"],
        default="en",
        show_default=True,
        metavar="CODE",
        help="For `stream` and `throughput`: of the speech.",
    ),
    click.Option(
        ["--set", "settings"],
        multiple=True,
        metavar="KEY=VALUE",
        help="For `stream` and `throughput`: a setting of the profile; may be repeated.",
    ),
    click.Option(
        ["--simulated"],
        is_flag=True,
        help="For `stream`: on a virtual clock, as fast as the decodings allow.",
    ),
    click.Option(
        ["--speed"],
        type=click.FloatRange(min=0, min_open=True),
        default=1.0,
        show_default=True,
        help="For --simulated: how many times faster than now this machine decodes when it is not "
        "busy.",
    ),
    click.Option(
        ["--sweep", "sweeps"],
        multiple=True,
        callback=lambda _context, _option, value: _checked_sweeps(value),
        metavar="KEY=V1,V2,…",
        help="For `stream`: also run with each of these values of a setting: a table.",
    ),
    click.Option(
        ["--without"],
        type=click.Choice(list(RULES)),
        multiple=True,
        help="For `stream`: switch this rule off; may be repeated.",
    ),
    click.Option(
        ["--ablation"], is_flag=True, help="For `stream`: also run without each of the rules."
    ),
    click.Option(["--curve"], is_flag=True, help="For `stream`: also run with other hold-backs."),
    click.Option(
        ["--plot"],
        type=click.Path(path_type=Path),
        metavar="FILE.svg",
        help="For `stream`: write a plot of the latencies; with --curve, of latency against "
        "stability. For `soak`: of memory and CPU over time.",
    ),
)
"""Each sets the field of :class:`DeveloperOptions` that has its name."""
