"""What a run says of itself."""

import pytest

import vivavoce
from vivavoce.pipeline.clock import run_virtual


@pytest.mark.parametrize(
    ("now", "highest", "line"),
    [
        (0, 0, "engine: keeping up; at worst: keeping up"),
        (1, 4, "engine: fewer partials; at worst: cheaper finals"),
        (2, 2, "engine: no partials; at worst: no partials"),
    ],
)
def test_the_rung_of_the_overload_ladder_is_said_in_words(now, highest, line) -> None:
    async def main() -> None:
        pipeline = vivavoce.Pipeline("captions", source=vivavoce.PushSource(), environ={})
        metrics = pipeline.context.metrics
        metrics.gauge("vivavoce_overload_rung").set(now)
        metrics.gauge("vivavoce_overload_rung_highest").set(highest)
        assert line in pipeline.statistics().report().splitlines()

    run_virtual(main)
