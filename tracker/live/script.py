"""Lua functions beside this module, called by their digest with msgpack in and msgpack out."""

from hashlib import sha1
from pathlib import Path
from typing import Any, cast

import msgspec

from tracker.errors import LiveUnavailable
from tracker.live.connect import AWAY, Client, NoScriptError

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Script:
    """One function inside Redis. It runs alone: nothing another process does comes between its reads and its writes."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._text = (Path(__file__).parent / f"{name}.lua").read_text()
        self._digest = sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, tag: str, argument: Any) -> Any:
        """Run it on the bucket ``tag`` (on a cluster: on the server that holds it). LiveUnavailable if Redis is away.

        Texts in ``argument`` must be str: Lua's msgpack of Redis knows no binary type.
        """
        # one declared key names the slot; the keys really used follow from the argument and carry the same tag
        packed = _encode(argument)
        try:
            try:
                answer = await cast(Any, self._client.evalsha(self._digest, 1, tag, packed))
            except NoScriptError:
                answer = await cast(Any, self._client.eval(self._text, 1, tag, packed))
        except AWAY as error:
            raise LiveUnavailable from error
        return _decode(answer)
