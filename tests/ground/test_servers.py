"""The tests' own servers answer: a Valkey, Debian's Redis and both databases."""

import redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


def test_each_redis_answers(either_redis_url: str) -> None:
    with redis.Redis.from_url(either_redis_url) as client:
        assert client.dbsize() == 0


async def test_each_database_answers(empty_database_url: str) -> None:
    engine = create_async_engine(empty_database_url)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    await engine.dispose()
