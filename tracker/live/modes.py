"""Which mode a stock phone app was last told to be in: shared by all processes, so that it is told once for each change."""

from typing import cast

from tracker.errors import LiveUnavailable
from tracker.live import keys
from tracker.live.connect import AWAY, Client

REMEMBERED_MS = 30 * 86_400_000
"""How long a command is remembered: a phone that was silent for longer has been set up anew."""

HEARD_MS = 300_000
"""An app that says its mode and is still in another one this long after the command has not heard it: it is told again."""


class Modes:
    """The commands given to phones, by device."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def command(self, technician: str, device: str, wanted: int, *, usual: int, said: int | None = None) -> bool:
        """True if the device must be told to go into the ``wanted`` mode; it is then remembered as told.

        ``usual``: the mode of a phone that was never told anything; ``said``: the mode in which the app says it is, where
        it does. Raises LiveUnavailable.
        """
        if said == wanted:
            return False
        key = f"{keys.tag(technician)}mode:{device}"
        try:
            last = cast("bytes | None", await self._client.get(key))
            if last is not None and int(last) == wanted:
                return False
            if last is None and said is None and wanted == usual:
                return False
            await self._client.set(key, wanted, px=REMEMBERED_MS if said is None else HEARD_MS)
        except AWAY as error:
            raise LiveUnavailable from error
        return True
