"""Formats, damage and odd names: what can be decoded is, and the rest is one line."""

import asyncio
import io
import wave
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.program import SPEECH, read_wave
from support.waiting import moment

from vivavoce.actors.capture.decoding import (
    decode_container,
    looks_like_container,
    looks_like_text,
)
from vivavoce.actors.capture.recording import RecordingSource
from vivavoce.actors.capture.source import SourceError
from vivavoce.pipeline.clock import LoopClock

GOOD = SPEECH / "utt-002-awb.wav"
SPOKEN = np.frombuffer(read_wave(GOOD), dtype=np.int16)


def decoded(source) -> tuple[np.ndarray, list[str]]:
    warnings: list[str] = []
    source = io.BytesIO(source) if isinstance(source, bytes) else f"file:{source}"
    pieces = list(decode_container(source, "it", warnings.append))
    return np.concatenate(pieces), warnings


def encoded(path: Path, codec: str, rate: int = 16_000, *, video: bool = False) -> Path:
    """The recording in another format, made by FFmpeg; with ``video``, pictures come first."""
    with av.open(str(path), "w") as out:
        if video:
            pictures = out.add_stream("mpeg4", rate=25)
            pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        if codec:
            stream = out.add_stream(codec, rate=rate, layout="mono")
            frame = av.AudioFrame.from_ndarray(SPOKEN[None, :].copy(), "s16", "mono")
            frame.sample_rate = 16_000
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        if video:
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
            for _ in range(5):
                out.mux(pictures.encode(picture))
            out.mux(pictures.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.flac", "flac"), ("a.mp3", "mp3"), ("a.ogg", "libopus"),
        ("a.m4a", "aac"), ("a.mkv", "pcm_s16le"), ("a.aac", "aac"),
    ],
)  # fmt: skip
def test_formats_are_recognised_and_decoded(tmp_path: Path, name: str, codec: str) -> None:
    path = encoded(tmp_path / name, codec, 48_000 if codec == "libopus" else 16_000)
    assert looks_like_container(path.read_bytes()[:16])
    pcm, warnings = decoded(path)
    assert not warnings
    assert abs(len(pcm) - len(SPOKEN)) < 4_000
    if codec in ("flac", "pcm_s16le"):
        np.testing.assert_array_equal(pcm, SPOKEN)


def test_sound_is_found_beside_pictures(tmp_path: Path) -> None:
    pcm, _ = decoded(encoded(tmp_path / "talk.mp4", "aac", video=True))
    assert abs(len(pcm) - len(SPOKEN)) < 4_000


def test_pictures_without_sound_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="contains no audio stream"):
        decoded(encoded(tmp_path / "silent.mp4", "", video=True))


def test_damage_in_the_middle_costs_only_what_is_damaged(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.mkv", "aac")
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    data = path.read_bytes()
    for packet in packets[20:23]:
        assert data.count(packet) == 1
        data = data.replace(packet, b"\xff" * len(packet))
    whole, _ = decoded(path)
    pcm, warnings = decoded(data)
    assert len(warnings) == 1
    assert "damaged" in warnings[0]
    assert len(whole) - 5 * 1_024 <= len(pcm) < len(whole)
    np.testing.assert_array_equal(pcm[-8_000:], whole[-8_000:])


def test_a_rate_that_no_sound_has_is_one_line() -> None:
    data = bytearray(GOOD.read_bytes())
    data[24:28] = (3).to_bytes(4, "little")
    with pytest.raises(SourceError, match="3 samples per second"):
        decoded(bytes(data))


def test_a_format_that_changes_in_the_middle_is_followed(tmp_path: Path) -> None:
    narrow = encoded(tmp_path / "16.mp3", "mp3", 16_000).read_bytes()
    wide = encoded(tmp_path / "44.mp3", "mp3", 44_100).read_bytes()
    pcm, _ = decoded(narrow + wide)
    assert abs(len(pcm) - 2 * len(SPOKEN)) < 8_000


@pytest.mark.parametrize("sizes", [0xFFFFFFFF, 0, 7])
def test_wrong_sizes_in_a_wave_header_lose_nothing_that_can_be_found(sizes: int) -> None:
    data = bytearray(GOOD.read_bytes())
    data[4:8] = data[40:44] = sizes.to_bytes(4, "little")
    pcm, _ = decoded(bytes(data))
    np.testing.assert_array_equal(pcm, SPOKEN[: len(pcm)])
    assert sizes == 7 or len(pcm) == len(SPOKEN)


@given(st.lists(st.tuples(st.integers(0, 43), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_no_header_is_so_wrong_that_it_is_not_one_line(changes: list) -> None:
    data = bytearray(GOOD.read_bytes()[:6_000])
    for at, value in changes:
        data[at] = value
    with suppress(SourceError):  # and nothing else
        pcm, _ = decoded(bytes(data))
        assert pcm.dtype == np.int16


def test_a_codec_that_is_unknown_is_one_line() -> None:
    data = bytearray(GOOD.read_bytes())
    data[20:22] = b"\xab\xcd"
    with pytest.raises(SourceError, match="it"):
        decoded(bytes(data))


async def test_a_name_with_a_colon_is_a_file(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "10:30 talk.wav").write_bytes(GOOD.read_bytes())
    monkeypatch.chdir(tmp_path)
    source = RecordingSource(Path("10:30 talk.wav"), pace="max", block_ms=32, clock=LoopClock())
    await source.open()
    assert sum([len(block.pcm) async for block in source.blocks()]) == len(SPOKEN)
    await source.close()


async def test_a_playlist_fetches_nothing(tmp_path: Path) -> None:
    asked = []
    server = await asyncio.start_server(lambda *_: asked.append(1), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    playlist = (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n"
        f"http://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n"
    ).encode()
    (tmp_path / "list.m3u8").write_bytes(playlist)
    for source in (playlist, tmp_path / "list.m3u8"):
        with pytest.raises(SourceError):
            await asyncio.to_thread(decoded, source)
    server.close()
    assert not asked


async def test_a_long_recording_is_decoded_no_more_than_seconds_ahead(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        for _ in range(600):
            out.writeframes(bytes(32_000))
    source = RecordingSource(path, pace="max", block_ms=32, clock=LoopClock())
    await source.open()
    blocks = source.blocks()
    first = await anext(blocks)
    await moment()
    assert first.pcm.base is not None
    assert first.pcm.base.nbytes < 4 * 32_000
    await blocks.aclose()
    await source.close()


@pytest.mark.parametrize(
    ("begin", "container"),
    [
        (b"\xff\xfb\x90\x64" + bytes(12), True),  # MPEG-1 layer III, 128 kb/s, 44.1 kHz
        (b"\xff\xf1\x50\x80" + bytes(12), True),  # ADTS
        (b"\xff\xfb\xf0\x00" + bytes(12), False),  # a bit rate that does not exist: samples
        (bytes(16), False),
        (b"\xff\xff" * 8, False),
        (b"", False),
    ],
)
def test_frames_are_told_from_samples(begin: bytes, container: bool) -> None:
    assert looks_like_container(begin) is container


def test_text_is_told_from_samples() -> None:
    assert looks_like_text(b"Dear all,\nplease")
    assert not looks_like_text(SPOKEN[8_000:8_008].tobytes())
    assert not looks_like_text(bytes(16))
