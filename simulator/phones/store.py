"""The store of our own phone: every ping by its number, until the server has dealt with it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.tracks import Fix


@dataclass(slots=True)
class Store:
    """``held`` keeps pings by rising number; ``under_way`` those on the present connection, with the moment they were sent."""

    held: dict[int, Fix] = field(default_factory=dict)
    under_way: dict[int, float] = field(default_factory=dict)
    newest: tuple[int, Fix] | None = None
    _next_seq: int = 1
    _been_out: set[int] = field(default_factory=set)

    @property
    def first(self) -> int:
        """The oldest number still held; with nothing held, the next one."""
        return next(iter(self.held), self._next_seq)

    def add(self, fixes: Iterable[Fix]) -> None:
        """Numbers and keeps new fixes."""
        for fix in fixes:
            self.newest = (self._next_seq, fix)
            self.held[self._next_seq] = fix
            self._next_seq += 1

    def next(self, most: int) -> list[tuple[int, Fix]]:
        """What to send now: the newest ping alone if others wait behind it, then the others, oldest first."""
        if not self.held or len(self.held) == len(self.under_way):
            return []
        newest = next(reversed(self.held))
        waiting = len(self.held) - len(self.under_way)
        if waiting > 1 and newest not in self.under_way and self.newest is not None and newest == self.newest[0]:
            return [(newest, self.held[newest])]
        out: list[tuple[int, Fix]] = []
        for seq, fix in self.held.items():
            if seq not in self.under_way:
                out.append((seq, fix))
                if len(out) == most:
                    break
        return out

    def on_the_wire(self, seq: int, now_s: float) -> bool:
        """Notes that a ping goes out; True if for the first time."""
        self.under_way[seq] = now_s
        first_time = seq not in self._been_out
        self._been_out.add(seq)
        return first_time

    def forget(self, up_to: int, also: Iterable[int]) -> int:
        """Drops what the server has dealt with; how many that were."""
        done = []
        for seq in self.held:
            if seq > up_to:
                break
            done.append(seq)
        done += [seq for seq in dict.fromkeys(also) if seq > up_to and seq in self.held]
        for seq in done:
            del self.held[seq]
            self.under_way.pop(seq, None)
            self._been_out.discard(seq)
        return len(done)

    def connection_lost(self) -> None:
        """Nothing is under way any more: what is held goes out again."""
        self.under_way.clear()

    def overdue(self, before_s: float) -> None:
        """What was sent before that moment and never answered goes out again."""
        for seq in [seq for seq, sent in self.under_way.items() if sent < before_s]:
            del self.under_way[seq]
