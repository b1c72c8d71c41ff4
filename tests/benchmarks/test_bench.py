"""The benchmarks in short: each runs and yields a ratio. How large it is depends on the machine and is not asserted."""

from math import isfinite

import pytest

from tests.benchmarks.__main__ import ALONE, ON_THE_RIG, measured, table, wished
from tests.benchmarks.results import Result, Size
from tracker.roads import valhalla
from tracker.roads.server import EmbeddedValhalla

SMALL = {"grown": (20, 60), "trips": 2, "bookable": (20, 40)}
SHORT = Size(pairs=1, seconds=0.5, warm_s=0.3, crowd=10, ingest=10, calm=10, rates=(50,), fan_out_hz=10, **SMALL)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the load's bare sockets are left to the loop when it ends
async def test_every_measurement_yields_a_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    for wait in ("_ROUTE_S", "_MATRIX_S"):  # the router is waited for however much else this machine has to do
        monkeypatch.setattr(valhalla, wait, 60.0)
    monkeypatch.setitem(EmbeddedValhalla.__init__.__kwdefaults__, "patience_s", 60.0)  # type: ignore[arg-type]
    results = await measured([*ON_THE_RIG, *ALONE], SHORT)
    assert [result for result in results if result.failed] == []
    ratios = {result.id: result.ratio for result in results if result.ratio is not None}
    assert set(ratios) >= {"S1", "S2", "S3 p50", "S3 p99", "S4", "S5", "S7", "S8", "S9", "S10", "S11", "S12", "S13"}
    assert all(isfinite(ratio) and ratio >= 0 for ratio in ratios.values())
    assert table(results).count("\n") == len(results) + 1


async def test_a_measurement_that_fails_costs_no_other_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_size: Size) -> list[Result]:
        raise RuntimeError("no such luck")

    monkeypatch.setitem(ALONE, "broken", broken)
    broken_one, growing = sorted(await measured(["broken", "S10"], SHORT), key=lambda result: result.id, reverse=True)
    assert "no such luck" in broken_one.failed
    assert "failed" in table([broken_one])
    assert growing.ratio is not None


def test_without_words_everything_is_measured_at_full_size() -> None:
    wish = wished([])
    assert wish.only == [*ON_THE_RIG, *ALONE]
    assert Size(pairs=wish.pairs) == Size()
