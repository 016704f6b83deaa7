"""Which model is chosen: tables of machines, and properties of all of them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.transcription.engines.models import REPOSITORIES
from vivavoce.actors.transcription.model_choice import (
    CANDIDATES,
    CudaDevice,
    Machine,
    ModelCost,
    accuracy,
    accuracy_by_size,
    choose,
)
from vivavoce.actors.transcription.whisper_costs import SIZES

GB = 1e9


def machine(*, free: float = 8.0, battery: bool = False, gpu: float | None = None) -> Machine:
    cuda = None
    if gpu is not None:
        cuda = CudaDevice(name="a GPU", total_bytes=gpu * GB, available_bytes=gpu * GB)
    return Machine(
        cores=4,
        total_bytes=2 * free * GB,
        available_bytes=free * GB,
        cuda=cuda,
        on_battery=battery,
    )


def cost(name: str, pace: float, memory: float = 0.5, **more) -> ModelCost:
    place = accuracy(name)
    return ModelCost(
        name=name,
        accuracy=0.0 if place is None else place,
        real_time_factor=pace,
        partial_s=pace,
        memory_bytes=memory * GB,
        source=more.pop("source", "measured"),
        here=more.pop("here", True),
        **more,
    )


PACES = [
    cost("tiny.en", 0.06, 0.2, languages="en"),
    cost("base.en", 0.14, 0.3, languages="en"),
    cost("small.en", 0.45, 0.7, languages="en"),
    cost("medium.en", 1.4, 1.9, languages="en"),
    cost("large-v3", 2.6, 3.1),
]


def at(speed: float) -> list[ModelCost]:
    return [
        msgspec.structs.replace(one, real_time_factor=one.real_time_factor / speed) for one in PACES
    ]


@pytest.mark.parametrize(
    ("speed", "where", "name"),
    [
        (1.0, machine(), "small.en"),
        (1.0, machine(battery=True), "base.en"),
        (2.0, machine(battery=True), "small.en"),
        (3.0, machine(), "medium.en"),
        (10.0, machine(), "large-v3"),
        (10.0, machine(free=2.5), "medium.en"),
        (10.0, machine(free=0.3), "tiny.en"),
        (0.3, machine(), "base.en"),
        (0.1, machine(), "tiny.en"),
        (0.01, machine(), "tiny.en"),
        (10.0, machine(free=0.05), "tiny.en"),
    ],
)
def test_the_most_accurate_that_keeps_up_and_fits(speed, where, name) -> None:
    assert choose(where, at(speed)).model == name


def reasons(where: Machine, costs: list[ModelCost], **how) -> dict[str, str]:
    return {v.cost.name: v.reason for v in choose(where, costs, **how).verdicts}


def test_each_model_has_its_reason() -> None:
    said = reasons(machine(free=2.375), PACES)
    assert said == {
        "tiny.en": "keeps up, but small.en is more accurate",
        "base.en": "keeps up, but small.en is more accurate",
        "small.en": "the most accurate that keeps up: 0.45× real time (measured)",
        "medium.en": "too slow here: 1.4× real time",
        "large-v3": "needs 3.1 GB, 1.9 GB can be spared",
    }
    assert reasons(machine(battery=True), PACES)["small.en"] == (
        "too slow here: 0.45× real time, at most 0.25× leaves room on battery"
    )


def test_where_none_keeps_up_or_fits_it_says_so() -> None:
    slow = choose(machine(), at(0.01))
    assert not slow.keeps_up
    assert slow.reason.startswith("none stays below 0.5× real time; this is the fastest: 6×")
    full = choose(machine(free=0.05), PACES)
    assert not full.keeps_up
    assert full.reason.startswith("none fits the memory; this is the smallest: needs 0.2 GB")


def test_only_models_of_the_language_and_those_that_are_here() -> None:
    assert choose(machine(), at(3), language="de").model == "large-v3"
    assert reasons(machine(), at(3), language=None)["small.en"] == "knows only English"
    some = [msgspec.structs.replace(one, here=one.name == "tiny.en") for one in PACES]
    offline = choose(machine(), some, only_here=True)
    assert offline.model == "tiny.en"
    assert {v.reason for v in offline.verdicts if not v.chosen} == {"not on this machine"}
    # Better one that knows only English than none at all.
    assert choose(machine(), some, language="de", only_here=True).model == "tiny.en"
    none = [msgspec.structs.replace(one, here=False) for one in PACES]
    assert choose(machine(), none, only_here=True).model == "small.en"


def test_a_gpu_has_its_own_memory() -> None:
    costs = [cost("base.en", 0.01, 0.3, device="cuda"), cost("large-v3", 0.1, 5, device="cuda")]
    assert choose(machine(free=2, gpu=12), costs).model == "large-v3"
    small = choose(machine(free=20, gpu=2), costs)
    assert small.model == "base.en"
    assert "on the GPU" in small.verdicts[1].reason


def test_of_equals_the_faster_is_taken_and_nothing_is_an_error() -> None:
    twins = [cost("base.en", 0.3), cost("base.en", 0.2)]
    assert choose(machine(), twins).cost is twins[1]
    with pytest.raises(ValueError, match="no models"):
        choose(machine(), [])


def test_the_order_of_the_known_models() -> None:
    for names in CANDIDATES.values():
        places = [accuracy(name) for name in names]
        assert None not in places
        assert places == sorted(places)
    assert all(accuracy(name) is not None for name in REPOSITORIES)
    assert set(SIZES) == set(REPOSITORIES)
    sizes = {name: dimensions.parameters for name, dimensions in SIZES.items()}
    by_size = [accuracy_by_size(count, sizes) for count in (9e6, 73e6, 242e6, 770e6, 1.5e9)]
    assert by_size == sorted(by_size)
    assert accuracy("base.en") < by_size[2]


# -- properties

paces = st.floats(0.001, 50)
memories = st.floats(0.05, 20)
tables = st.lists(
    st.builds(
        ModelCost,
        name=st.sampled_from(sorted(SIZES)),
        accuracy=st.integers(0, 9).map(float),
        real_time_factor=paces,
        partial_s=paces,
        memory_bytes=memories.map(lambda size: size * GB),
        source=st.sampled_from(["measured", "estimated"]),
        here=st.booleans(),
        languages=st.sampled_from(["en", "all"]),
    ),
    min_size=1,
    max_size=8,
)
frees = st.floats(0.1, 40)
languages = st.sampled_from([None, "en", "de"])


@pytest.mark.thorough
@given(tables, frees, st.floats(1, 100), st.booleans(), languages, st.booleans())
def test_a_faster_machine_never_gets_a_less_accurate_model(
    table, free, times, battery, language, only_here
) -> None:
    faster = [
        msgspec.structs.replace(one, real_time_factor=one.real_time_factor / times) for one in table
    ]
    where = machine(free=free, battery=battery)
    slow = choose(where, table, language=language, only_here=only_here)
    fast = choose(where, faster, language=language, only_here=only_here)
    assert fast.cost.accuracy >= slow.cost.accuracy
    assert fast.keeps_up >= slow.keeps_up


@given(tables, frees, languages, st.booleans())
def test_on_battery_the_model_is_never_more_accurate(table, free, language, only_here) -> None:
    mains = choose(machine(free=free), table, language=language, only_here=only_here)
    battery = choose(
        machine(free=free, battery=True), table, language=language, only_here=only_here
    )
    assert battery.cost.accuracy <= mains.cost.accuracy


@given(tables, frees, st.floats(1, 10), languages)
def test_more_memory_never_makes_it_worse_where_one_keeps_up(table, free, more, language) -> None:
    tight = choose(machine(free=free), table, language=language)
    roomy = choose(machine(free=free * more), table, language=language)
    if tight.keeps_up:
        assert roomy.keeps_up
        assert roomy.cost.accuracy >= tight.cost.accuracy


@given(tables, frees, st.booleans(), languages, st.booleans())
def test_the_choice_is_one_of_them_and_keeps_its_promises(
    table, free, battery, language, only_here
) -> None:
    where = machine(free=free, battery=battery)
    choice = choose(where, table, language=language, only_here=only_here)
    assert [v.cost for v in choice.verdicts] == table
    assert sum(v.chosen for v in choice.verdicts) == 1
    assert all(v.reason and "\n" not in v.reason for v in choice.verdicts)
    if choice.keeps_up:
        assert choice.cost.real_time_factor <= where.target
        assert choice.cost.memory_bytes <= where.available_bytes
    if only_here and any(one.here for one in table):
        assert choice.cost.here
