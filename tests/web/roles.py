"""The printed matrix of doors and roles: ``python -m tests.web.roles`` writes docs/roles.md from the routes themselves."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from portal_web.doors import portal
from tests.web.matrix import FRAMES, PERSONAS, WHOSE
from tracker.actions.house import House
from tracker.app import create_app
from tracker.config import Config, PublicAddress
from tracker.domain.appointments import Role
from tracker.web.guard import Door, Files, SocketDoor

PAGE = Path(__file__).resolve().parents[2] / "docs" / "roles.md"
HEAD = """# Who may knock where

Deny by default: a route that does not say which roles may use it stops the start (`tracker/app.py`), and a role that is
not named here is refused at the door. What is behind the door is refused to whom it does not concern, too: every
appointment that is not theirs is "not found". Made by `python -m tests.web.roles`; `tests/web/test_roles.py` asks each
door with each role.

Kinds: *page* (HTML; a form carries a token), *api* (JSON with the session's cookie, or a phone's token as Bearer),
*machine* (no cookie is looked at: phones with their own token, health), *socket* (a browser needs our Origin).
The last column names the scope with which a program's API token opens the door (`any`: every token does); without one, none does.

| method | path | kind | """


def described(route: BaseRoute) -> tuple[str, str, str, frozenset[Role]]:
    """Method, path, kind and roles of a door."""
    match route:
        case Door():
            methods = sorted((route.methods or set()) - {"HEAD"})
            return " ".join(methods), route.path, route.kind, route.roles
        case SocketDoor():
            return "WS", route.path, "socket", route.roles
        case Files():
            return "GET", f"{route.path}/…", "machine", route.roles
    raise TypeError(route)


def matrix(routes: Iterable[BaseRoute]) -> str:
    """The whole page."""
    lines = [HEAD + " | ".join(role.value.replace("_", " ") for role in Role) + " | API token |", "|---" * (4 + len(Role)) + "|"]
    rows = sorted(((*described(route), getattr(route, "scope", None)) for route in routes), key=lambda row: (row[1], row[0]))
    for method, path, kind, roles, scope in rows:
        marks = " | ".join("●" if role in roles else "" for role in Role)
        lines.append(f"| {method} | `{path}` | {kind} | {marks} | {f'`{scope}`' if scope else ''} |")
    return "\n".join([*lines, *whose(), *frames()]) + "\n"


def whose() -> list[str]:
    """Of each thing that a path names, who finds it."""
    names = [persona.name for persona in PERSONAS if not persona.scope]
    lines = ["", "## Whose it is", "", "To everybody else it is not found (404), as if it were not there.", ""]
    lines += ["| in a path | " + " | ".join(names) + " |", "|---" * (1 + len(names)) + "|"]
    for thing, owners in WHOSE.items():
        lines.append(f"| `{{{thing}}}` | " + " | ".join("●" if name in owners else "" for name in names) + " |")
    return lines


def frames() -> list[str]:
    """The answer to each frame of a socket, by who sends it."""
    names = [persona.name for persona in PERSONAS if not persona.scope]
    lines = ["", "## Frames of sockets", "", "The answer's type or the close code; empty: refused before the socket opens.", ""]
    lines += ["| socket | frame | " + " | ".join(names) + " |", "|---" * (2 + len(names)) + "|"]
    for (address, frame), answers in FRAMES.items():
        lines.append(f"| `{address}` | {frame} | " + " | ".join(answers.get(name, "") for name in names) + " |")
    return lines


def whole_app(house: House | Any, config: Config) -> Any:
    """The application as `tracker serve` composes it."""
    pages = portal(config)
    return create_app(house, config, pages.routes, refusal_page=pages.refusal_page)


def main() -> None:
    """Write the page. The routes need no running part: they are made here and thrown away."""
    import asyncio
    import tempfile

    from tracker.app import open_house

    async def write() -> None:
        with tempfile.TemporaryDirectory() as folder:
            public = PublicAddress("http", "localhost", 8000)
            data = Path(folder)
            config = Config(
                public=public,
                data=data,
                database_url=f"sqlite:///{data / 'x.sqlite'}",
                redis_url="redis://localhost:1",
                secret=b"x" * 32,
            )
            async with open_house(config) as house:
                PAGE.write_text(matrix(whole_app(house, config).routes))

    asyncio.run(write())


if __name__ == "__main__":
    main()
