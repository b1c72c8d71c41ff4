"""What several fault tests share."""

from collections.abc import Iterator

import pytest

from tests.faults.rivals import Rival, rivals


@pytest.fixture(scope="session")
def pair() -> Iterator[list[Rival]]:
    """Two processes of the service, for one race after the other."""
    with rivals() as found:
        yield found
