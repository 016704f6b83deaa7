import itertools
import random

import pytest

from vivavoce.bench.measure import in_turns, paired_ratio, quantile, theil_sen_slope


@pytest.mark.thorough
def test_variants_run_in_turns_and_the_first_round_is_a_warm_up() -> None:
    order: list[str] = []
    clock = itertools.count()

    def variant(name: str) -> float:
        order.append(name)
        return float(next(clock))

    found = in_turns({"a": lambda: variant("a"), "b": lambda: variant("b")}, rounds=3)
    assert order == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert found == {"a": [3.0, 4.0, 7.0], "b": [2.0, 5.0, 6.0]}


def test_a_paired_ratio_shrugs_off_a_machine_that_drifts() -> None:
    reference = [2.0, 20.0, 200.0]
    assert paired_ratio(reference, [1.0, 10.0, 100.0]) == 2.0


def test_nearest_rank_quantiles() -> None:
    values = [float(n) for n in range(1, 101)]
    random.Random(1).shuffle(values)
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)) == (50, 99, 100)
    assert quantile([7.0], 0.0) == 7.0


def test_the_slope_is_deaf_to_outliers() -> None:
    x = [float(n) for n in range(40)]
    y = [3 * value + 5 for value in x]
    y[7] += 1e6
    y[31] -= 1e6
    assert theil_sen_slope(x, y) == pytest.approx(3)
    with pytest.raises(ValueError, match="two different places"):
        theil_sen_slope([1.0, 1.0], [1.0, 2.0])
