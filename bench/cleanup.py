"""What cleaning a dictated final costs: with every stage on, stage by stage, and as captions do."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from functools import partial

from bench.dictated import SENTENCES
from vivavoce.actors.cleanup import Cleaner
from vivavoce.bench.measure import cpu_per_call, in_turns, paired_ratio, quantile
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result
from vivavoce.config.cleanup import CleanupSettings
from vivavoce.pipeline.messages import Final, Partial

name = "cleanup"
description = "Cleaning a dictated text: all stages, each stage alone, against tidying alone"

BUDGET_MS = 0.3

VOCABULARY = ["New York", "PostgreSQL", "npm", "GitHub", "Kubernetes", "München"] + [
    f"Project {letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
]
REPLACEMENTS = {"brb": "be right back", "my address": "1 Long Street, Springfield"} | {
    f"snippet {number}": f"text of snippet {number}" for number in range(40)
}

STAGES: Mapping[str, CleanupSettings] = {
    "punctuation": CleanupSettings(spoken_punctuation=True),
    "layout": CleanupSettings(spoken_layout=True),
    "edits": CleanupSettings(spoken_edits=True),
    "fillers": CleanupSettings(fillers=True),
    "numbers": CleanupSettings(numbers=True),
    "units": CleanupSettings(units=True),
    "profanity": CleanupSettings(profanity_mask=True),
    "vocabulary": CleanupSettings(vocabulary=VOCABULARY),
    "replacements": CleanupSettings(replacements=REPLACEMENTS),
}
"""Each stage alone, on top of tidying."""

EVERYTHING = CleanupSettings(
    spoken_punctuation=True,
    spoken_layout=True,
    spoken_edits=True,
    fillers=True,
    numbers=True,
    units=True,
    profanity_mask=True,
    vocabulary=VOCABULARY,
    replacements=REPLACEMENTS,
)


def run(options: Options) -> Result:
    """Clean each sentence of the corpus many times; CPU time of the one thread that does it."""
    rounds, turns = (3, 2) if options.quick else (200, 15)
    finals = [
        Final(utterance=number, start=0, end=1, text=text, language="en", confidence=0.9)
        for number, text in enumerate(SENTENCES)
    ]
    everything, tidy = Cleaner(EVERYTHING), Cleaner(CleanupSettings())
    options.say("all stages, final by final")
    taken = _each(everything, finals, rounds)
    figures = [_per_final("per final, all stages, p95", taken, BUDGET_MS)]
    options.say("a partial of 30 words")
    figures.append(_per_final("per partial, all stages, p95", _partials(everything, rounds), None))
    options.say("stage by stage")
    cleaners = {"tidying alone": tidy, "all stages": everything}
    cleaners |= {stage: Cleaner(settings) for stage, settings in STAGES.items()}
    in_turn = in_turns(
        {
            title: partial(cpu_per_call, partial(_all, cleaner, finals), 1 if options.quick else 5)
            for title, cleaner in cleaners.items()
        },
        turns,
    )
    figures += _stage_figures(in_turn, len(finals))
    made = in_turns({"made": partial(cpu_per_call, lambda: Cleaner(EVERYTHING), 1)}, turns)["made"]
    figures.append(
        Figure(
            name="compiling the rules again",
            value=statistics.median(made) * 1e3,
            unit="ms",
            noise=1.0,
            samples=len(made),
        )
    )
    words = statistics.mean(len(text.split()) for text in SENTENCES)
    return Result(
        name=name,
        figures=figures,
        quick=options.quick,
        notes=[
            f"{len(SENTENCES)} dictated texts of {words:.0f} words on average, {rounds} times; CPU "
            "time of one thread",
            "`stage …` is what that stage alone adds to tidying; they do not add up: signs, line "
            "breaks, edits and fillers share one pass",
        ],
    )


def _each(cleaner: Cleaner, finals: list[Final], rounds: int) -> list[float]:
    """CPU milliseconds of each final, ``rounds`` times over."""
    taken = []
    cleaner.whole(finals[0], "en")  # numbers are loaded, the language is compiled
    for _ in range(rounds):
        for final in finals:
            began = time.thread_time()
            cleaner.whole(final, "en")
            taken.append((time.thread_time() - began) * 1e3)
    return taken


def _partials(cleaner: Cleaner, rounds: int) -> list[float]:
    taken = []
    for _ in range(rounds):
        for number, text in enumerate(SENTENCES):
            words = text.split()[:30]
            message = Partial(
                utterance=number,
                revision=1,
                start=0,
                end=1,
                stable=" ".join(words[:-3]),
                tail=" ".join(words[-3:]),
            )
            began = time.thread_time()
            cleaner.partial(message, "en")
            taken.append((time.thread_time() - began) * 1e3)
    return taken


def _all(cleaner: Cleaner, finals: list[Final]) -> None:
    for final in finals:
        cleaner.whole(final, "en")


def _per_final(title: str, taken: list[float], budget: float | None) -> Figure:
    return Figure(
        name=title,
        value=quantile(taken, 0.95),
        unit="ms",
        budget=budget,
        noise=0.02,
        samples=len(taken),
        p50=quantile(taken, 0.5),
        p99=quantile(taken, 0.99),
    )


def _stage_figures(in_turn: dict[str, list[float]], finals: int) -> list[Figure]:
    tidy = in_turn.pop("tidying alone")
    alone = Figure(
        name="tidying alone",
        value=statistics.median(tidy) / finals * 1e6,
        unit="µs per final",
        samples=len(tidy),
    )
    figures = [alone]
    for title, taken in in_turn.items():
        if title == "all stages":
            figures.append(
                Figure(
                    name=title,
                    value=paired_ratio(taken, tidy),
                    unit="×",
                    ratio_to="tidying alone",
                    samples=len(taken),
                )
            )
            continue
        added = statistics.median(one - other for one, other in zip(taken, tidy, strict=True))
        figures.append(
            Figure(
                name=f"stage {title}",
                value=max(0.0, added) / finals * 1e6,
                unit="µs per final",
                noise=10.0,
                samples=len(taken),
            )
        )
    return figures


__all__ = ["EVERYTHING", "STAGES", "description", "name", "run"]
