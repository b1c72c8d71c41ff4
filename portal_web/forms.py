"""What posted forms say, and where a request came from."""

from starlette.datastructures import FormData
from starlette.requests import Request

from tracker.web.identity import network_of


class Errors(dict[str, str]):
    """What to mend, by field; a field without an error is empty."""

    def __missing__(self, _field: str) -> str:
        return ""


def text(form: FormData, name: str) -> str:
    """A field as text; empty if it is missing, or a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def network_address(request: Request) -> str:
    """Where the request came from, for counting tries."""
    return network_of(request)
