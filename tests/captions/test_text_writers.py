"""What each format writes for each event, and that recognised text steers nothing."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.captions.jsonl import JsonlWriter
from vivavoce.actors.captions.plain import PlainWriter
from vivavoce.actors.captions.subtitles import SubtitleWriter
from vivavoce.actors.captions.terminal import TerminalWriter
from vivavoce.actors.captions.writer import CaptionWriter
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import (
    Caption,
    Final,
    Gap,
    GapReason,
    Latency,
    Partial,
    PowerChanged,
    PowerMode,
    Revision,
    Word,
)
from vivavoce.pipeline.safety import neutralise

LEDGER = LedgerSummary(captured=48_000, transcribed=40_000, silence=8_000, dropped=0, pending=0)
FINAL = Final(
    utterance=3,
    start=20_480,
    end=61_440,
    text="The fox.",
    words=(
        Word(text="The", start=20_960, end=22_400, probability=0.98765),
        Word(text="fox.", start=22_400, end=61_000, probability=1.0),
    ),
    confidence=0.93333,
    corrected=1,
    engine="faster-whisper",
    model="base.en",
    language="en",
    latency=Latency(endpoint=0.64, queued=0.0012, decode=0.31234, total=0.7, speculative=True),
)
PARTIAL = Partial(utterance=3, revision=2, start=20_480, end=40_000, stable="the", tail="fox")
REVISION = Revision(utterance=3, text="A fox.", confidence=0.5, engine="e", model="m")
GAP = Gap(start=16_000, end=52_800, reason=GapReason.DEVICE_LOST)
POWER = PowerChanged(mode=PowerMode.IDLE)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            PARTIAL,
            '{"v":1,"type":"partial","t":4.4,"utterance":3,"revision":2,"start":1.28,'
            '"stable":"the","tail":"fox"}',
        ),
        (
            FINAL,
            '{"v":1,"type":"final","t":4.4,"utterance":3,"start":1.28,"end":3.84,'
            '"text":"The fox.","words":[{"w":"The","start":1.31,"end":1.4,"p":0.988},'
            '{"w":"fox.","start":1.4,"end":3.812,"p":1.0}],"confidence":0.933,'
            '"engine":"faster-whisper","model":"base.en","language":"en","corrected":1,'
            '"latency":{"endpoint":0.64,"queued":0.001,"decode":0.312,"total":0.7,'
            '"speculative":true}}',
        ),
        (
            REVISION,
            '{"v":1,"type":"revision","t":4.4,"utterance":3,"text":"A fox.","words":[],'
            '"confidence":0.5,"engine":"e","model":"m"}',
        ),
        (GAP, '{"v":1,"type":"gap","t":4.4,"start":1.0,"end":3.3,"reason":"device_lost"}'),
        (POWER, '{"v":1,"type":"power","t":4.4,"mode":"idle"}'),
    ],
)
def test_jsonl_lines_are_the_contract_to_the_byte(event: Caption, line: str) -> None:
    assert JsonlWriter().render(event, 4.40001).decode() == line + "\n"


def test_jsonl_ends_with_the_ledger() -> None:
    assert JsonlWriter().finish(LEDGER, 3.0).decode() == (
        '{"v":1,"type":"end","t":3.0,"ledger":{"captured":48000,"transcribed":40000,'
        '"silence":8000,"dropped":0,"pending":0}}\n'
    )


def test_an_empty_final_is_in_jsonl_only() -> None:
    empty = Final(utterance=1, start=0, end=1, text="")
    assert json.loads(JsonlWriter().render(empty, 0.0))["text"] == ""
    for writer in (PlainWriter(), SubtitleWriter("srt"), SubtitleWriter("vtt")):
        assert writer.render(empty, 0.0) == b""
        assert writer.render(Final(utterance=1, start=0, end=1, text=" \t"), 0.0) == b""


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (FINAL, "The fox.\n"),
        (GAP, "[2.3 s of audio lost: device lost]\n"),
        (PARTIAL, ""),
        (REVISION, ""),
        (POWER, ""),
    ],
)
def test_plain_lines(event: Caption, line: str) -> None:
    assert PlainWriter().render(event, 1.0).decode() == line


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain – 漢字 é 👍", "plain – 漢字 é 👍"),
        ("a\nb\tc\u2028d", "a b c d"),
        ("\x1b]0;title\x07", "\ufffd]0;title\ufffd"),
        ("\x9b2J\x7f\x00", "\ufffd2J\ufffd\ufffd"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("\ud83d", "\ufffd"),
        ("שלום\u200f!", "שלום\u200f!"),
    ],
)
def test_neutralised_text(text: str, safe: str) -> None:
    assert neutralise(text) == safe


# Surrogates, controls and everything else that a confused model may emit.
ANYTHING = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cs", "Cc", "Cf"]),
        st.sampled_from("\x1b\x9b\x07\x00\r\n\u202e\u2066<>&-"),
    ),
    max_size=80,
)
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
OWN = re.compile(r"\x1b\[(?:2K|A|2m|2;3m|0m)|\r")


def events(text: str) -> list[Caption]:
    word = Word(text=text, start=0, end=16_000, probability=0.5)
    return [
        Partial(utterance=1, revision=1, start=0, end=1, stable=text, tail=text),
        Final(utterance=1, start=0, end=64_000, text=text, words=(word,), language="en"),
        Revision(utterance=1, text=text, words=(word,)),
    ]


@given(ANYTHING)
def test_no_writer_passes_on_what_a_terminal_obeys(text: str) -> None:
    writers: list[CaptionWriter] = [
        PlainWriter(),
        JsonlWriter(),
        SubtitleWriter("srt"),
        SubtitleWriter("vtt"),
        TerminalWriter(lambda: (30, 10), colour=True),
    ]
    for writer in writers:
        data = b"".join(writer.render(event, 0.0) for event in events(text))
        written = (data + writer.finish(LEDGER, 0.0)).decode()
        if isinstance(writer, TerminalWriter):
            written = OWN.sub("", written)
        assert not OBEYED.search(written)


@given(ANYTHING)
def test_jsonl_is_one_line_and_keeps_the_text(text: str) -> None:
    for event in events(text):
        line = JsonlWriter().render(event, 0.0)
        assert line.count(b"\n") == 1
        fields = json.loads(line)
        expected = re.sub("[\ud800-\udfff]", "\ufffd", text)
        assert fields.get("text", fields.get("stable")) == expected
