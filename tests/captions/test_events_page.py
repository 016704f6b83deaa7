"""The page on JSONL events and the writer agree."""

import json
from pathlib import Path

from vivavoce.actors.captions.jsonl import JsonlWriter
from vivavoce.pipeline.ledger import Ledger
from vivavoce.pipeline.messages import (
    Final,
    Gap,
    GapReason,
    Partial,
    PowerChanged,
    PowerMode,
    RecordingEnded,
    RecordingStarted,
    Revision,
    Word,
)


def keys(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item)


def test_the_page_on_events_names_every_field() -> None:
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
    writer = JsonlWriter()
    words = (Word(text="x", start=0, end=1, probability=1),)
    lines = [
        writer.render(event, 0)
        for event in (
            Partial(utterance=1, revision=1, start=0, end=1, stable="a", tail="b"),
            Final(utterance=1, start=0, end=1, text="x", words=words, retracts=1),
            RecordingStarted(start=0),
            RecordingEnded(start=0, end=1),
            Revision(utterance=1, text="x", words=words),
            Gap(start=0, end=1, reason=GapReason.OVERRUN),
            PowerChanged(mode=PowerMode.IDLE),
        )
    ]
    lines.append(writer.finish(Ledger().summary(), 0))
    for line in lines:
        event = json.loads(line)
        assert f"`{event['type']}`" in page
        for key in keys(event):
            assert f"`{key}`" in page, key
    for reason in GapReason:
        assert f"`{reason.value}`" in page
