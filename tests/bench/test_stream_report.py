"""Figures, tables and charts of runs that never were."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import stream_report
from bench.human_speech import Reference, SpokenWord, sentences_of
from bench.judging import judged, rated
from bench.offline import Baseline
from bench.stream import Measured
from bench.stream_metrics import Event, FinalEvent, PartialEvent
from bench.stream_run import Streamed
from bench.talks import JoinedRecording, Talk
from vivavoce.bench import table
from vivavoce.bench.results import Figure, Result

SVG = "{http://www.w3.org/2000/svg}"


def measured(
    words: int = 10, *, every_s: float = 1.0, slower_by: float = 0.0, final_slower_by: float = 0.0
) -> Measured:
    """A sentence of a word each second; shown 0.2 s later (in the end ``slower_by`` more), final
    after 0.6 s.

    The second half of the CPU of the run is start-up.
    """
    spoken = tuple(
        SpokenWord(f"Word{n}.", (n + 1) * every_s - 0.5, (n + 1) * every_s) for n in range(words)
    )
    events: list[Event] = []
    for n, word in enumerate(spoken):
        late = 0.2 + slower_by * n / words
        final_at = word.end + 0.6 + final_slower_by * n / words
        events += [
            PartialEvent(word.end + late, n, "", word.text, word.start),
            FinalEvent(final_at, n, word.text, word.end - 0.5, word.end + 0.1, 0.4),
        ]
    reference = Reference(spoken, sentences_of(spoken), "en", 104.0)
    piece = JoinedRecording("talk.wav", "talk", 4.0, 104.0, reference)
    talk = Talk(Path("talk.wav"), Path("lead.wav"), "talk", "en", (piece,))
    text = " ".join(word.text for word in spoken)
    return Measured(
        talk=talk,
        streamed=Streamed(tuple(events), 40.0, 60.0, 200.0, end_s=107.0, wall_s=107.5),
        judged=judged(talk, events),
        whole=rated(talk, Baseline((text.replace("Word0.", "Wrong."),), 10.0), conditioned=False),
        cpu_s=20.0,
        alike_cpu_s=8.0,
    )


def by_name(figures: list[Figure]) -> dict[str, Figure]:
    assert len({figure.name for figure in figures}) == len(figures)
    return {figure.name: figure for figure in figures}


def test_figures_hold_what_was_measured_against_the_budgets() -> None:
    found = by_name(stream_report.figures(measured(), partials=True))
    assert found["word end → first shown"].value == pytest.approx(0.2)
    assert found["word end → first shown"].budget == 0.35
    assert found["word end → first shown, p95"].budget == 0.9
    assert found["word end → final"].value == pytest.approx(0.6)
    assert found["endpoint → final"].value == pytest.approx(0.1)
    assert found["sentence end → final"].value == pytest.approx(0.6)
    # Known to be over when the second word behind it is.
    assert found["sentence decidable → final"].value == pytest.approx(0.6 - 2.0)
    assert found["sentence decidable → final"].met
    assert found["WER of finals − WER of the whole file"].value == pytest.approx(-10.0)
    # To the normaliser, "word7" is two words.
    assert found["words that differ from the whole file"].value == pytest.approx(100 * 2 / 19)
    assert found["finals that end inside a sentence"].value == 0
    assert found["F1 of sentence ends"].value == 1
    assert found["F1 of sentence ends − that of the whole file"].budget == -0.05
    assert found["speech of more than 2 s without a word"].value == 0
    assert found["CPU"].value == pytest.approx(0.2)
    assert found["CPU with start-up"].value == pytest.approx(0.4)
    assert found["CPU of the whole file"].value == pytest.approx(0.1)
    assert found["CPU"].budget == 0.6
    assert found["CPU, against the whole file"].value == 2
    alike = found["CPU, against the whole file with our allocator settings and one decoder thread"]
    assert alike.value == pytest.approx(20 / 8)
    assert alike.budget is None
    assert found["unstable partial word ratio"].budget == 0.15
    assert found["real-time factor"].value == pytest.approx(1.0)


def test_without_partials_the_cpu_has_the_tighter_budget_and_words_have_none() -> None:
    found = by_name(stream_report.figures(measured(), partials=False))
    assert found["CPU"].budget == 0.3
    assert found["word end → stable"].budget is None
    assert found["word end → first shown"].budget is None


def test_a_smaller_model_has_a_smaller_budget() -> None:
    found = by_name(stream_report.figures(measured(), partials=True, model="whisper-tiny.en"))
    assert found["CPU"].budget == 0.4


GROWTHS = [
    f"{name}, last minute − first minute"
    for name in ("first shown", "first shown, p95", "end of the audio → final")
]


def test_only_a_long_recording_tells_whether_captions_fall_behind() -> None:
    assert not set(GROWTHS) & set(by_name(stream_report.figures(measured(), partials=True)))
    steady = by_name(stream_report.figures(measured(300), partials=True))
    for name in GROWTHS:
        assert steady[name].value == pytest.approx(0.0)
        assert steady[name].budget == 0.1
        assert steady[name].met


def test_each_growth_is_told_apart() -> None:
    shown = by_name(stream_report.figures(measured(300, slower_by=0.3), partials=True))
    assert [shown[name].met for name in GROWTHS] == [False, False, True]
    for name in GROWTHS[:2]:
        assert shown[name].value == pytest.approx(0.24, abs=0.01)
    final = by_name(stream_report.figures(measured(300, final_slower_by=0.3), partials=True))
    assert [final[name].met for name in GROWTHS] == [True, True, False]
    assert final[GROWTHS[2]].value == pytest.approx(0.24, abs=0.01)


def test_without_partials_only_finals_may_not_fall_behind() -> None:
    found = by_name(stream_report.figures(measured(300, final_slower_by=0.3), partials=False))
    assert [found[name].budget for name in GROWTHS] == [None, None, 0.1]


def test_runs_stand_beside_each_other_in_a_table() -> None:
    runs = [("all rules", measured()), ("without prefix", measured(slower_by=0.3))]
    beside = stream_report.table("what each rule brings", "run", runs)
    assert [row[0] for row in beside.rows] == ["all rules", "without prefix"]
    assert all(len(row) == len(beside.columns) for row in beside.rows)
    shown = beside.columns.index("shown p50")
    assert beside.rows[0][shown] < beside.rows[1][shown]  # type: ignore[operator]
    lines = table.render(Result(name="stream", figures=[], tables=[beside])).splitlines()
    (heading,) = [line for line in lines if "shown p50" in line]
    (row,) = [line for line in lines if "without prefix" in line]
    assert row.startswith("  without prefix")
    assert row.index("0.320") + len("0.320") == heading.index("shown p50") + len("shown p50")


def test_a_run_without_a_recognised_word_has_figures_and_a_row() -> None:
    nothing = measured(0)
    found = by_name(stream_report.figures(nothing, partials=True))
    assert "word end → first shown" not in found
    assert found["unstable partial word ratio"].value == 0
    stream_report.table("t", "run", [("none", nothing)])
    ElementTree.fromstring(stream_report.latency_chart(nothing, ""))
    ElementTree.fromstring(stream_report.curve_chart([(0, nothing)], ""))


def test_the_curve_has_a_labelled_point_for_each_hold_back() -> None:
    drawn = stream_report.curve_chart([(0.0, measured()), (0.7, measured(slower_by=0.2))], "talk")
    shown = [element.text for element in ElementTree.fromstring(drawn).findall(f"{SVG}text")]
    assert shown.count("0") >= 2
    assert shown.count("0.7") >= 2
    assert "unstable partial word ratio" in shown
