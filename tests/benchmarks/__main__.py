"""`make bench`: every figure as a ratio within one run; prints a table and writes results.json beside this file.

usage: python -m tests.benchmarks [--only S1 S4] [--docs]     (--docs: docs/benchmarks.md and docs/benchmarks.json as well)
"""

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import uvloop

from tests.benchmarks import s9_routing_calls
from tests.benchmarks.measures import Result, Size, end_to_end, fan_out, ingest, one_trip, tutorial
from tests.benchmarks.rig import Rig, rig
from tests.benchmarks.trips import EXTRACT

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"

MEASURES: dict[str, Callable[[Rig, Size], Awaitable[list[Result]]]] = {
    "S1": ingest,
    "S2": tutorial,
    "S3": end_to_end,
    "S4": fan_out,
    "trip": one_trip,
}


async def measured(wanted: list[str], size: Size) -> list[Result]:
    """All wanted measurements on one rig, each line printed as it comes."""
    results: list[Result] = []
    async with rig(size.crowd, size.crowd) as running:
        for name, measure in MEASURES.items():
            if name in wanted:
                for result in await measure(running, size):
                    print(row(result), flush=True)
                    results.append(result)
    return results


async def routing() -> Result:
    """S9 as `s9_routing_calls` finds it, with fewer trips."""
    found = await s9_routing_calls.measure(EXTRACT, 30, 9)
    shares = f"{found['calls']} calls", f"{found['pings']} pings"
    note = f"ETA apart from always routing: p95 {found['apart_p95_s']} s; {found['trips']} trips"
    ratio = float(str(found["ratio"]))
    return Result("S9", "routing calls per ping", ratio, 0.05, "less", *shares, [ratio], note)


def row(result: Result) -> str:
    """A line of the table."""
    ratio = "" if result.ratio is None else f"{result.ratio:.3g}"
    sign = "≥" if result.better == "more" else "≤"
    reach = "" if result.reach is None else f"{sign} {result.reach:g}"
    verdict = {True: "yes", False: "no", None: ""}[result.reached]
    cells = result.id, result.what, ratio, reach, verdict, result.service, result.floor, result.note
    return "| " + " | ".join(cells) + " |"


HEAD = "| id | what | ratio | reach | reached | service | floor | |\n|---|---|---|---|---|---|---|---|"


def table(results: list[Result]) -> str:
    """All lines under a head."""
    return "\n".join([HEAD, *map(row, results)])


def written_down(results: list[Result], *, docs: bool) -> None:
    """Keep the results as JSON, and for the documentation as a page if asked."""
    text = msgspec.json.format(msgspec.json.encode({"machine": f"{os.cpu_count()} cores", "results": results}), indent=1)
    (HERE / "results.json").write_bytes(text + b"\n")
    if docs:
        (DOCS / "benchmarks.json").write_bytes(text + b"\n")
        page = DOCS / "benchmarks.md"
        begin, _, rest = page.read_text().partition("<!-- table -->\n")
        page.write_text(f"{begin}<!-- table -->\n{table(results)}\n<!-- end -->\n{rest.partition('<!-- end -->\n')[2]}")


def main() -> None:
    names = [*MEASURES, "S9"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--docs", action="store_true")
    wish = parser.parse_args()
    began = time.monotonic()
    print(HEAD, flush=True)
    results = uvloop.run(measured(wish.only, Size())) if set(wish.only) & set(MEASURES) else []
    if "S9" in wish.only:
        results.append(asyncio.run(routing()))
        print(row(results[-1]))
    written_down(results, docs=wish.docs)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
