"""The configuration: read once from the environment, all faults reported together, unsafe settings refused."""

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracker.addresses import PublicAddress
from tracker.errors import BadConfiguration
from tracker.post.message import BadAddress, address_of
from tracker.post.server import Post, Server, server_of
from tracker.unsafe import unsafe

__all__ = ["Config", "PublicAddress", "read"]

LEAST_SECRET = 32
"""Characters of TRACKER_SECRET at least: 128 bits as hexadecimal digits."""

_UNSAFE = re.compile(r"[\s;,'\"<>]")
"""What no address may hold: some are written into headers."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that needs a restart. One documented table of it stands in docs/operating.md."""

    public: PublicAddress
    data: Path
    database_url: str
    redis_url: str | None  # None: the embedded Valkey in the data folder
    secret: bytes = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    trusted_proxies: str = "127.0.0.1"
    router_url: str | None = None  # None: the embedded Valhalla if a region was built, else distance
    router_kind: str = "valhalla"
    geocoder_url: str | None = None  # None: the index of `tracker roads build`
    geocoder_kind: str = "nominatim"
    tiles_url: str | None = None  # None: the own basemap
    tls_cert: str | None = None  # both set: https without a proxy, for trying a phone
    tls_key: str | None = None
    smtp: Server | None = None  # None: letters wait
    mail_from: str = "no-reply@localhost"
    log_format: str = "console"
    log_level: str = "info"

    @property
    def roads(self) -> Path:
        """Where `tracker roads build` puts tiles, basemap and addresses."""
        return self.data / "roads"

    @property
    def post(self) -> Post:
        """What sending letters needs."""
        return Post(self.smtp, self.mail_from, self.public.url)


def read(environment: Mapping[str, str] | None = None) -> Config:
    """The configuration of an environment (the process's own if none is given); `BadConfiguration` lists every fault."""
    reader = _Reader(dict(os.environ if environment is None else environment))
    config = reader.config()
    if reader.faults or config is None:
        raise BadConfiguration("\n".join(reader.faults), faults=tuple(reader.faults))
    return config


class _Reader:
    """Collects faults instead of stopping at the first."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.faults: list[str] = []

    def config(self) -> Config | None:
        port = self.number("TRACKER_PORT", 8000, 0, 65535) or 0
        data = Path(self.text("TRACKER_DATA", "data") or "data").expanduser().absolute()
        public = self.public(port)
        database = self.database(data)
        values: dict[str, Any] = {
            "redis_url": self.url("REDIS_URL", ("redis", "rediss", "unix", "redis+cluster")),
            "host": self.text("TRACKER_HOST", "127.0.0.1") or "127.0.0.1",
            "metrics_port": self.number("TRACKER_METRICS_PORT", None, 0, 65535),
            "metrics_host": self.text("TRACKER_METRICS_HOST", "127.0.0.1") or "127.0.0.1",
            "trusted_proxies": self.text("TRACKER_TRUSTED_PROXIES", "127.0.0.1") or "",
            "router_url": self.url("TRACKER_ROUTER_URL", ("http", "https")),
            "router_kind": self.choice("TRACKER_ROUTER_KIND", ("valhalla", "osrm")),
            "geocoder_url": self.url("TRACKER_GEOCODER_URL", ("http", "https")),
            "geocoder_kind": self.choice("TRACKER_GEOCODER_KIND", ("nominatim", "photon")),
            "tiles_url": self.url("TRACKER_TILES_URL", ("http", "https")),
            "tls_cert": self.environment.get("TRACKER_TLS_CERT") or None,
            "tls_key": self.environment.get("TRACKER_TLS_KEY") or None,
            **self.mail(public),
            "log_format": self.choice("TRACKER_LOG_FORMAT", ("console", "json")),
            "log_level": self.choice("TRACKER_LOG_LEVEL", ("info", "debug", "warning", "error")),
        }
        self.faults += unsafe(public, port, values, behind_proxy=self.choice("TRACKER_BEHIND_PROXY", ("0", "1")) == "1")
        secret = self.secret(data, public)  # last: with a fault anywhere nothing is written
        if public is None or secret is None or database is None:
            return None
        return Config(public=public, data=data, database_url=database, secret=secret, port=port, **values)

    def text(self, name: str, default: str | None = None) -> str | None:
        """A value, or what stands in the file that NAME_FILE names."""
        path = self.environment.get(f"{name}_FILE")
        if path and self.environment.get(name):
            self.faults.append(f"{name} and {name}_FILE are both set: keep one of them")
        if path:
            try:
                return Path(path).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                self.faults.append(f"{name}_FILE cannot be read ({type(error).__name__})")
                return default
        return self.environment.get(name, "").strip() or default

    def number(self, name: str, default: int | None, least: int, most: int) -> int | None:
        said = self.text(name)
        if said is None:
            return default
        if not said.isascii() or not said.isdigit() or not least <= int(said) <= most:
            self.faults.append(f"{name} must be a whole number from {least} to {most}")
            return default
        return int(said)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        said = (self.text(name) or choices[0]).lower()
        if said not in choices:
            self.faults.append(f"{name} must be one of: {', '.join(choices)}")
        return said

    def url(self, name: str, schemes: tuple[str, ...]) -> str | None:
        said = self.text(name)
        if said is not None and (said.partition("://")[0] not in schemes or _UNSAFE.search(said)):
            self.faults.append(f"{name} must begin with one of: {', '.join(s + '://' for s in schemes)}")
        return said

    def database(self, data: Path) -> str | None:
        said = self.text("DATABASE_URL") or f"sqlite:///{data / 'tracker.sqlite'}"
        scheme = said.partition("://")[0].partition("+")[0]
        if scheme not in {"sqlite", "postgresql", "postgres"}:
            self.faults.append("DATABASE_URL must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
            return None
        return said.replace("postgres://", "postgresql://", 1)

    def public(self, port: int) -> PublicAddress | None:
        said = self.text("TRACKER_PUBLIC_URL") or f"http://localhost:{port}"
        demo = self.choice("TRACKER_DEMO", ("0", "1")) == "1"
        address = PublicAddress.of(said, demo=demo)
        if address is None:
            self.faults.append("TRACKER_PUBLIC_URL must be https://HOST or http://localhost:PORT, without path, query or user")
        elif not address.secure and not address.loopback and not demo:
            self.faults.append("TRACKER_PUBLIC_URL must be https: over plain http anybody on the way reads every sign-in")
        return address

    def mail(self, public: PublicAddress | None) -> dict[str, Any]:
        """The mail server, and the address that letters come from: by default one at the public host."""
        said, host = self.text("TRACKER_SMTP_URL"), public.host if public else "localhost"
        server = None
        try:
            server = server_of(said) if said else None
        except ValueError as fault:
            self.faults.append(f"TRACKER_SMTP_URL {fault}")
        sender = self.text("TRACKER_MAIL_FROM") or f"no-reply@{host if host[:1].isalpha() else 'localhost'}"
        try:
            sender = address_of(sender)
        except BadAddress:
            self.faults.append("TRACKER_MAIL_FROM must be one plain e-mail address")
        return {"smtp": server, "mail_from": sender}

    def secret(self, data: Path, public: PublicAddress | None) -> bytes | None:
        said = self.text("TRACKER_SECRET")
        local = public is not None and (public.demo or not public.secure)
        if said is None and local:
            return None if self.faults else own_secret(data, lambda fault: self.faults.append(fault))
        if said is None:
            self.faults.append("TRACKER_SECRET (or TRACKER_SECRET_FILE) is missing: `openssl rand -hex 32` makes one")
        elif len(said) < LEAST_SECRET:
            self.faults.append(f"TRACKER_SECRET must have at least {LEAST_SECRET} characters")
        elif len(set(said)) < LEAST_SECRET // 4:
            self.faults.append("TRACKER_SECRET repeats itself: `openssl rand -hex 32` makes a good one")
        return said.encode() if said else None


def own_secret(data: Path, complain: Callable[[str], None]) -> bytes | None:
    """The secret this machine made for itself (loopback and demo only), kept in the data folder for its owner alone."""
    path, fresh = data / "secret", data / f"secret.{os.getpid()}"
    try:
        data.mkdir(parents=True, exist_ok=True)
        with open(fresh, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as new:
            new.write(os.urandom(32).hex())
        with contextlib.suppress(FileExistsError):  # another process was first: its secret counts, and it is whole
            os.link(fresh, path)
        fresh.unlink()
        return path.read_text().strip().encode()
    except OSError as error:
        complain(f"TRACKER_DATA cannot be used ({type(error).__name__})")
        return None
