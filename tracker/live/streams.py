"""The streams that the worker drains into SQL: read all buckets at once, trimmed only after the commit."""

from typing import Any, Literal

from tracker.errors import LiveUnavailable
from tracker.live import keys
from tracker.live.connect import AWAY, Client

type Entry = dict[bytes, bytes]
type Marks = dict[str, bytes]
"""Per bucket the id of the last entry read."""


class Stream:
    """``trail`` (points) or ``told`` (what viewers saw). Every method raises LiveUnavailable if Redis does not answer."""

    def __init__(self, client: Client, name: Literal["trail", "told"]) -> None:
        self._client, self._name = client, name

    async def read(self, most_per_bucket: int) -> tuple[list[Entry], Marks]:
        """The oldest entries of every bucket, and up to where that was."""
        rows = await self._all("xrange", [(f"{tag}{self._name}", "-", "+", most_per_bucket) for tag in keys.ALL_TAGS])
        found = {tag: row for tag, row in zip(keys.ALL_TAGS, rows, strict=True) if row}
        entries = [fields for row in found.values() for _, fields in row]
        return entries, {tag: row[-1][0] for tag, row in found.items()}

    async def trim(self, marks: Marks) -> None:
        """Drop what was read; call it after the commit."""
        commands = []
        for tag, last in marks.items():
            milliseconds, _, number = last.decode().partition("-")
            commands.append((f"{tag}{self._name}", "MINID", "=", f"{milliseconds}-{int(number) + 1}"))
        await self._all("XTRIM", commands)

    async def _all(self, command: str, calls: list[tuple[Any, ...]]) -> list[Any]:
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                for key, *arguments in calls:
                    if command == "XTRIM":
                        pipe.execute_command(command, key, *arguments)
                    else:
                        pipe.xrange(key, *arguments)
                return await pipe.execute()
        except AWAY as error:
            raise LiveUnavailable from error
