"""A matrix in pieces: for servers that refuse a large one, or a whole one because of one place."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import product

from tracker.domain.geo import Point
from tracker.domain.ways import Basis
from tracker.errors import NoRoute
from tracker.roads.router import Hop, Router

type Rows = list[list[Hop | None]]
type Table = Callable[[Sequence[Point], Sequence[Point]], Awaitable[Rows]]

_MOST_ASKED_AGAIN = 16


async def in_pieces(table: Table, sources: Sequence[Point], targets: Sequence[Point], fits: Callable[[int, int], bool]) -> Rows:
    """The whole matrix if it fits and the server takes it, else that of both halves of its longer side.

    ``table`` raises NoRoute if one of its places is off the map; in the end that place alone has no answers.
    """
    if not sources or not targets:
        return [[] for _ in sources]
    if fits(len(sources), len(targets)):
        try:
            return await table(sources, targets)
        except NoRoute:
            if len(sources) == len(targets) == 1:
                return [[None]]
    if len(sources) >= len(targets):
        half = len(sources) // 2
        return await in_pieces(table, sources[:half], targets, fits) + await in_pieces(table, sources[half:], targets, fits)
    half = len(targets) // 2
    left, right = [await in_pieces(table, sources, part, fits) for part in (targets[:half], targets[half:])]
    return [a + b for a, b in zip(left, right, strict=True)]


async def ask_again(router: Router, sources: Sequence[Point], targets: Sequence[Point], rows: Rows) -> None:
    """Fill in what a matrix left out by single routes, a few at most: a matrix gives up on some pairs that have a way."""
    unknown = [(i, j) for i, j in product(range(len(sources)), range(len(targets))) if rows[i][j] is None]
    for i, j in unknown[:_MOST_ASKED_AGAIN]:
        try:
            route = await router.route(sources[i], targets[j])
        except NoRoute:
            continue
        rows[i][j] = Hop(route.duration_s, route.length_m, Basis.ROAD)
