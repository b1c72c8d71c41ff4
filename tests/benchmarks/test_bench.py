"""The benchmarks in short: each runs and yields a ratio. How large it is depends on the machine and is not asserted."""

from math import isfinite

import pytest

from tests.benchmarks.__main__ import MEASURES, measured, table
from tests.benchmarks.measures import Size

SHORT = Size(pairs=1, seconds=0.5, warm_s=0.3, crowd=10, ingest=10, calm=10, rates=(50,), fan_out_hz=10)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the load's bare sockets are left to the loop when it ends
async def test_every_measurement_yields_a_ratio() -> None:
    results = await measured(list(MEASURES), SHORT)
    ratios = {result.id: result.ratio for result in results if result.ratio is not None}
    assert set(ratios) == {"S1", "S2", "S3 p50", "S3 p99", "S4", "S7"}
    assert all(isfinite(ratio) and ratio > 0 for ratio in ratios.values())
    assert table(results).count("\n") == len(results) + 1
