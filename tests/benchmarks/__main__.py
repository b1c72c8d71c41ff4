"""`make bench`: every figure as a ratio within one run; prints a table and writes results.json beside this file.

usage: python -m tests.benchmarks [--only S1 S4] [--docs]     (--docs: docs/benchmarks.md and docs/benchmarks.json as well)
"""

import argparse
import os
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import uvloop

from tests.benchmarks.booking import bookings, growth_of_search, search_beside_its_matrix
from tests.benchmarks.fanout import fan_out, memory
from tests.benchmarks.measures import end_to_end, ingest, one_trip, tutorial
from tests.benchmarks.redis_cost import growth, redis_cpu
from tests.benchmarks.results import Result, Size
from tests.benchmarks.rig import Rig, rig
from tests.benchmarks.s9_routing_calls import routing

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"

ON_THE_RIG: dict[str, Callable[[Rig, Size], Awaitable[list[Result]]]] = {
    "S5": memory,  # first: what other crowds left free would seem to cost nothing
    "S1": ingest,
    "S2": tutorial,
    "S3": end_to_end,
    "S4": fan_out,
    "S8": redis_cpu,
    "trip": one_trip,
}
"""Measured on one running service; S7 comes with S3."""
ALONE: dict[str, Callable[[Size], Awaitable[list[Result]]]] = {
    "S9": routing,
    "S10": growth,
    "S11": growth_of_search,
    "S12": search_beside_its_matrix,
    "S13": bookings,
}
"""Measured on what they set up themselves."""


async def measured(wanted: list[str], size: Size) -> list[Result]:
    """All wanted measurements, each line printed as it comes; one that fails costs no other its figures."""
    results: list[Result] = []
    if on_it := [name for name in ON_THE_RIG if name in wanted]:
        async with rig(size.crowd, 2 * size.crowd) as running:
            for name in on_it:
                results += await _tried(name, ON_THE_RIG[name](running, size))
    for name, measure in ALONE.items():
        if name in wanted:
            results += await _tried(name, measure(size))
    return results


async def _tried(name: str, measuring: Awaitable[list[Result]]) -> list[Result]:
    began = time.monotonic()
    try:
        results = await measuring
    except Exception as error:
        traceback.print_exc()
        results = [Result(name, "not measured", [], None, "less", "", "", failed=f"{type(error).__name__}: {error}")]
    for result in results:
        print(row(result), flush=True)
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return results


def row(result: Result) -> str:
    """A line of the table."""
    ratio = "" if result.ratio is None else f"{result.ratio:.3g}"
    spread = f"{min(result.pairs):.3g} – {max(result.pairs):.3g}" if len(result.pairs) > 1 else ""
    sign = "≥" if result.better == "more" else "≤"
    reach = "" if result.reach is None else f"{sign} {result.reach:g}"
    verdict = "failed" if result.failed else {True: "yes", False: "no", None: ""}[result.reached]
    note = (result.failed or result.note).replace("|", "/").replace("\n", " ")[:200]
    return "| " + " | ".join((result.id, result.what, ratio, spread, reach, verdict, result.service, result.floor, note)) + " |"


HEAD = "| id | what | ratio | least – most | reach | reached | service | floor | |\n|---|---|---|---|---|---|---|---|---|"


def table(results: list[Result]) -> str:
    """All lines under a head."""
    return "\n".join([HEAD, *map(row, results)])


def _plain(results: list[Result]) -> Iterator[dict[str, object]]:
    for result in results:
        yield msgspec.structs.asdict(result) | {"ratio": result.ratio, "reached": result.reached}


def written_down(results: list[Result], *, docs: bool) -> None:
    """Keep the results as JSON, and for the documentation as a page if asked."""
    machine = f"{os.cpu_count()} cores, Python {sys.version.split()[0]}"
    said = {"machine": machine, "at": time.strftime("%Y-%m-%d", time.gmtime()), "results": list(_plain(results))}
    text = msgspec.json.format(msgspec.json.encode(said), indent=1)
    (HERE / "results.json").write_bytes(text + b"\n")
    if docs:
        (DOCS / "benchmarks.json").write_bytes(text + b"\n")
        page = DOCS / "benchmarks.md"
        begin, _, rest = page.read_text().partition("<!-- table -->\n")
        shown = f"{table(results)}\n\nMeasured {said['at']} on {machine}.\n"
        page.write_text(f"{begin}<!-- table -->\n{shown}<!-- end -->\n{rest.partition('<!-- end -->\n')[2]}")


def wished(words: list[str]) -> argparse.Namespace:
    """What the command line asks for."""
    names = [*ON_THE_RIG, *ALONE]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--pairs", type=int, default=Size().pairs)
    parser.add_argument("--docs", action="store_true")
    return parser.parse_args(words)


def main() -> None:
    wish = wished(sys.argv[1:])
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it must not leave its servers behind
    began = time.monotonic()
    print(HEAD, flush=True)
    results = uvloop.run(measured(wish.only, Size(pairs=wish.pairs)))
    written_down(results, docs=wish.docs)
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(any(result.failed for result in results))


if __name__ == "__main__":
    main()
