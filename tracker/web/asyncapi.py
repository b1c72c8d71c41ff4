"""The description of both sockets (AsyncAPI 3), made from the types that read and write their frames."""

from dataclasses import dataclass
from typing import Any

import msgspec

from tracker.domain.wire import own
from tracker.web import viewing
from tracker.web.asyncapi_examples import EXAMPLES

REFERENCE = "#/components/schemas/{name}"


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of frame: its name in the document and its type."""

    name: str
    kind: type

    @property
    def word(self) -> str | None:
        """What the frame's ``type`` says; None for a bare array."""
        tag = self.kind.__struct_config__.tag  # type: ignore[attr-defined]
        return None if tag is None else str(tag)


@dataclass(frozen=True, slots=True)
class Channel:
    """One socket: what comes in, what goes out, how it ends."""

    name: str
    address: str
    words: str
    heard: tuple[Message, ...]
    said: tuple[Message, ...]
    closes: dict[int, str]


_FROM_PHONE = (
    Message("hello", own.Hello),
    Message("pings", own.Pings),
    Message("step", own.Step),
    Message("sharing", own.Sharing),
)
_TO_PHONE = (
    Message("welcome", own.Welcome),
    Message("ack", own.Ack),
    Message("policy", own.NewPolicy),
    Message("suggest", own.Suggestion),
    Message("stepped", own.Stepped),
    Message("error", own.Trouble),
)
_FROM_VIEWER = (Message("watch", viewing.Watch), Message("watchBoard", viewing.WatchBoard), Message("seen", viewing.Seen))
_TO_VIEWER = (
    Message("snapshot", viewing.Snapshot),
    Message("update", viewing.Update),
    Message("shortUpdate", viewing.ShortUpdate),
    Message("state", viewing.StateSaid),
    Message("ended", viewing.Ended),
    Message("beat", viewing.Beat),
    Message("boardSnapshot", viewing.BoardSnapshot),
    Message("boardUpdate", viewing.BoardUpdate),
)

_COMMON = {1003: "a binary frame", 1009: "a frame, or a message of many pieces, that is too big"}

CHANNELS = (
    Channel(
        "technician",
        "/ws/technician",
        "A technician's phone. JSON text frames, at most 4 KiB, `pings` 64 KiB and 200 pings. `hello` comes first, "
        "within 5 s. A phone sends no Origin and shows its device's token in `hello`; a browser shows its session "
        "cookie and our Origin. A ping is dropped by the phone only when it is acknowledged; sending it again is "
        "harmless. After an outage the newest goes first, then the backlog oldest first. Unknown keys are ignored.",
        _FROM_PHONE,
        _TO_PHONE,
        _COMMON
        | {
            1008: "not understood; what was wrong is said in an `error` before",
            1011: "a mistake of ours: come again after a moment",
            1012: "the server restarts, or a part of it is away: come again after a moment",
            4401: "bad or ended credentials: do not come again with these",
            4403: "not a technician's",
            4408: "no `hello` in time",
            4409: "a newer connection of the same device took over: do not come again",
            4429: "too fast: more than 100 frames a second for long",
        },
    ),
    Channel(
        "live",
        "/ws/live",
        "A viewer of one visit, or staff's board. The session cookie and our Origin; one `watch`, the first frame, "
        "within 5 s; then nothing but `seen`. Offsets rise strictly within an epoch. `state` and `ended` are never "
        "skipped; of several updates only the newest is sent. A board has no epoch and cannot be resumed.",
        _FROM_VIEWER,
        _TO_VIEWER,
        _COMMON
        | {
            1008: "not understood, or no `seen` for 60 s",
            1012: "the server restarts: come again after a moment",
            1013: "a part of the service is away: come again after a moment",
            4401: "the session has ended",
            4403: "not yours to see, or not there",
            4408: "no `watch` in time",
            4429: "too fast, or too many sockets of one session",
        },
    ),
)


def document() -> dict[str, Any]:
    """The whole AsyncAPI document."""
    messages = [message for channel in CHANNELS for message in (*channel.heard, *channel.said)]
    references, schemas = msgspec.json.schema_components([message.kind for message in messages], ref_template=REFERENCE)
    described = {one.name: _message(one, reference) for one, reference in zip(messages, references, strict=True)}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "technician-tracker", "version": "1", "description": _WORDS},
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {name: operation for channel in CHANNELS for name, operation in _operations(channel)},
        "components": {"messages": described, "schemas": schemas},
    }


_WORDS = "Both sockets of the service. Times are RFC 3339 with their offset; units are metres, m/s, degrees clockwise from north."


def _channel(channel: Channel) -> dict[str, Any]:
    names = [message.name for message in (*channel.heard, *channel.said)]
    return {
        "address": channel.address,
        "description": channel.words,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
        "x-close-codes": {str(code): words for code, words in sorted(channel.closes.items())},
    }


def _operations(channel: Channel) -> list[tuple[str, dict[str, Any]]]:
    ways = (("receive", "from", channel.heard), ("send", "to", channel.said))
    return [(f"{word}{channel.name.title()}", _operation(channel, action, said)) for action, word, said in ways]


def _operation(channel: Channel, action: str, messages: tuple[Message, ...]) -> dict[str, Any]:
    place = f"#/channels/{channel.name}"
    listed = [{"$ref": f"{place}/messages/{message.name}"} for message in messages]
    return {"action": action, "channel": {"$ref": place}, "messages": listed}


def _message(message: Message, reference: dict[str, Any]) -> dict[str, Any]:
    words = " ".join((message.kind.__doc__ or "").split())
    examples = [{"payload": example} for example in EXAMPLES[message.name]]
    return {"name": message.name, "summary": words, "payload": reference, "examples": examples}
