"""Sockets ask the records in turns: however many come at once, requests find a connection free."""

import asyncio

import pytest

from tracker.web.slim import AT_ONCE, apart


async def test_few_ask_at_a_time_in_the_order_they_came() -> None:
    asking: list[int] = []
    most, done = 0, []

    async def ask(number: int) -> int:
        nonlocal most
        asking.append(number)
        most = max(most, len(asking))
        await asyncio.sleep(0)
        asking.remove(number)
        done.append(number)
        return number

    assert await asyncio.gather(*(apart(ask(number)) for number in range(40))) == list(range(40))
    assert most == AT_ONCE
    assert done == list(range(40))


async def test_whoever_gives_up_while_waiting_or_asking_leaves_the_turn_to_others() -> None:
    begun = [asyncio.Event() for _ in range(AT_ONCE + 2)]
    go = asyncio.Event()

    async def ask(number: int) -> int:
        begun[number].set()
        await go.wait()
        return number

    sockets = [asyncio.ensure_future(apart(ask(number))) for number in range(AT_ONCE + 2)]
    await begun[AT_ONCE - 1].wait()
    sockets[0].cancel()  # asks
    sockets[AT_ONCE].cancel()  # waits
    await begun[AT_ONCE + 1].wait()
    go.set()
    answers = await asyncio.gather(*sockets, return_exceptions=True)
    gone = [number for number, answer in enumerate(answers) if isinstance(answer, asyncio.CancelledError)]
    assert gone == [0, AT_ONCE]
    assert not begun[AT_ONCE].is_set()
    with pytest.raises(ZeroDivisionError):
        await apart(_wrong())
    assert await apart(ask(0)) == 0


async def _wrong() -> float:
    return 1 / 0
