"""Comes in by the front door: signs in with the public form, as a browser does, and keeps the cookie."""

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx

PATIENCE_S = 30.0
"""Passwords are hashed slowly on purpose, and many may come at once."""


class CannotSignIn(Exception):
    """The sign-in page did not let this person in; the text says what happened."""


@dataclass(frozen=True, slots=True)
class Site:
    """A deployment and the cookie of someone who is signed in there (empty: nobody)."""

    url: str
    cookie: str = ""
    verify: bool = True

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": self.cookie} if self.cookie else {}

    @property
    def websocket(self) -> str:
        return "ws" + self.url.rstrip("/").removeprefix("http")


class _Forms(HTMLParser):
    """Collects the forms of a page: address, and each input's name, type and value."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, list[dict[str, str]]]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((said.get("action", ""), []))
            self._inside = True
        elif tag == "input" and self._inside and said.get("name"):
            self.forms[-1][1].append(said)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def sign_in_form(page: str) -> tuple[str, dict[str, str], str, str]:
    """Of a page: the address of the form with a password, its hidden fields, the names of the e-mail and password fields."""
    reader = _Forms()
    reader.feed(page)
    for action, inputs in reader.forms:
        secret = next((item["name"] for item in inputs if item.get("type") == "password"), None)
        who = next((item["name"] for item in inputs if item.get("type") in {"email", "text"}), None)
        if secret and who:
            hidden = {item["name"]: item.get("value", "") for item in inputs if item.get("type") == "hidden"}
            return action, hidden, who, secret
    raise CannotSignIn("there is no form with a password on the sign-in page")


async def sign_in(url: str, email: str, password: str, *, path: str = "/sign-in", verify: bool = True) -> Site:
    """Signs in through the public form; the site with the session's cookie. Raises CannotSignIn."""
    bare = Site(url.rstrip("/"), verify=verify)
    try:
        async with httpx.AsyncClient(follow_redirects=True, verify=verify, timeout=PATIENCE_S) as browser:
            return await _sign_in(browser, bare, email, password, path)
    except httpx.HTTPError as wrong:
        raise CannotSignIn(f"{bare.url} does not answer: {type(wrong).__name__}") from wrong


async def _sign_in(browser: httpx.AsyncClient, bare: Site, email: str, password: str, path: str) -> Site:
    page = await browser.get(urljoin(bare.url + "/", path.lstrip("/")))
    if page.is_error:
        raise CannotSignIn(f"the sign-in page answered {page.status_code}")
    action, fields, who, secret = sign_in_form(page.text)
    before = dict(browser.cookies)
    fields |= {who: email, secret: password}
    answer = await browser.post(urljoin(str(page.url), action), data=fields, headers={"Origin": bare.origin})
    fresh = {name: value for name, value in browser.cookies.items() if before.get(name) != value}
    if answer.is_error or not fresh:
        raise CannotSignIn(f"{email} was not let in (HTTP {answer.status_code})")
    return Site(bare.url, "; ".join(f"{name}={value}" for name, value in browser.cookies.items()), bare.verify)
