import asyncio

import pytest

from vivavoce.pipeline.clock import LoopClock, MonotonicClock, StreamClock, run_virtual


def test_an_hour_of_virtual_time_takes_no_time_and_is_exact() -> None:
    async def main() -> list[tuple[str, float]]:
        clock = LoopClock()
        seen: list[tuple[str, float]] = []

        async def tick(name: str, every: float, times: int) -> None:
            for _ in range(times):
                await clock.sleep(every)
                seen.append((name, round(clock.now(), 6)))

        await asyncio.gather(tick("a", 1800, 2), tick("b", 1000, 3))
        return seen

    first = run_virtual(main)
    assert first == [("b", 1000), ("a", 1800), ("b", 2000), ("b", 3000), ("a", 3600)]
    assert run_virtual(main) == first


def test_a_timeout_fires_in_virtual_time() -> None:
    async def main() -> float:
        try:
            async with asyncio.timeout(90):
                await asyncio.Event().wait()
        except TimeoutError:
            return LoopClock().now()
        return -1

    assert abs(run_virtual(main) - 90) < 1e-6


async def test_the_stream_clock_counts_from_the_first_sample() -> None:
    stream = StreamClock(MonotonicClock())
    assert stream.elapsed() == 0.0
    stream.start()
    first = stream.elapsed()
    await MonotonicClock().sleep(0.01)
    stream.start()
    assert stream.elapsed() > first >= 0


def test_the_streams_clock_never_stays_behind_the_audio_that_it_is_told_of() -> None:
    async def main() -> None:
        stream = StreamClock(LoopClock())
        stream.catch_up(5.0)
        assert stream.elapsed() == 0.0  # not before capture has begun
        stream.start(heard=0.5)
        await asyncio.sleep(1)
        stream.catch_up(1.0)
        assert stream.elapsed() == pytest.approx(1.5)
        stream.catch_up(3_600.0)
        assert stream.elapsed() == pytest.approx(3_600.0)
        await asyncio.sleep(1)
        assert stream.elapsed() == pytest.approx(3_601.0)

    run_virtual(main)
