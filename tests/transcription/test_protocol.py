import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.transcription.engines.base import EngineSpec, Hypothesis
from vivavoce.actors.transcription.engines.protocol import (
    MAX_PAYLOAD,
    PREFIX,
    Answer,
    ExactRequest,
    Failed,
    Feed,
    Load,
    ProtocolError,
    decode_reply,
    decode_request,
    encode,
    lengths,
)


@given(st.binary(max_size=5_000), st.integers(0, 2**31))
def test_frames_survive_the_wire(payload: bytes, session: int) -> None:
    frame = encode(Feed(session=session), payload)
    header, size = lengths(frame[: PREFIX.size])
    rest = frame[PREFIX.size :]
    assert decode_request(rest[:header]) == Feed(session=session)
    assert rest[header:] == payload
    assert size == len(payload)


@pytest.mark.parametrize(
    "packet",
    [
        Load(request=1, spec=EngineSpec(engine="faster-whisper", model="x")),
        ExactRequest(request=2, session=3),
    ],
)
def test_requests(packet) -> None:
    assert decode_request(encode(packet)[PREFIX.size :]) == packet


@pytest.mark.parametrize(
    "packet",
    [
        Answer(request=1, hypothesis=Hypothesis(text="hé\u202e", samples=9)),
        Failed(request=2, kind="decode", message="no"),
    ],
)
def test_replies(packet) -> None:
    assert decode_reply(encode(packet)[PREFIX.size :]) == packet


@given(st.binary(max_size=200))
def test_garbage_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="corrupt"):
        decode_reply(b"\xc1" + data)  # 0xc1 begins nothing in msgpack


@pytest.mark.parametrize("prefix", [(0, 0), (2**31, 0), (10, MAX_PAYLOAD + 1)])
def test_absurd_lengths_are_refused_before_anything_is_read(prefix) -> None:
    with pytest.raises(ProtocolError):
        lengths(PREFIX.pack(*prefix))
