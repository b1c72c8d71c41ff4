"""The configuration: defaults that work on this machine, all faults at once, nothing unsafe."""

import stat
from pathlib import Path

import pytest

from tracker import config
from tracker.errors import BadConfiguration
from tracker.web.edge import content_security_policy

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is refused
SECRET = "5f0c2b7ad1e94c3384f6ab10cd9e7725"


def read(tmp_path: Path, **values: str) -> config.Config:
    return config.read({"TRACKER_DATA": str(tmp_path / "data"), **values})


def faults(tmp_path: Path, **values: str) -> str:
    with pytest.raises(BadConfiguration) as refused:
        read(tmp_path, **values)
    return str(refused.value)


def test_nothing_set_is_a_service_for_this_machine(tmp_path: Path) -> None:
    got = read(tmp_path)
    assert (got.public.url, got.public.secure, got.redis_url, got.host) == ("http://localhost:8000", False, None, "127.0.0.1")
    assert got.database_url == f"sqlite:///{tmp_path}/data/tracker.sqlite"
    kept = tmp_path / "data" / "secret"
    assert read(tmp_path).secret == got.secret == kept.read_bytes()
    assert len(got.secret) == 64
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert got.secret.decode() not in repr(got)


def test_all_faults_are_reported_together(tmp_path: Path) -> None:
    said = faults(
        tmp_path,
        TRACKER_PUBLIC_URL="http://tracker.example.org",
        TRACKER_PORT="80000",
        DATABASE_URL="mysql://x",
        REDIS_URL="localhost:6379",
        TRACKER_LOG_LEVEL="loud",
        TRACKER_SECRET="short",
        TRACKER_ROUTER_URL="ftp://x",
    )
    for name in ("PUBLIC_URL", "PORT", "DATABASE_URL", "REDIS_URL", "LOG_LEVEL", "SECRET", "ROUTER_URL"):
        assert name in said
    assert len(said.splitlines()) == 7


@pytest.mark.parametrize(
    "url", ["http://tracker.example.org", "http://192.168.1.4:8000", "http://localhost.example.org", "http://[2001:db8::1]:8000"]
)
def test_plain_http_is_for_loopback_and_the_demo_only(tmp_path: Path, url: str) -> None:
    assert "https" in faults(tmp_path, TRACKER_PUBLIC_URL=url, TRACKER_SECRET=SECRET)
    assert not read(tmp_path, TRACKER_PUBLIC_URL=url, TRACKER_DEMO="1").public.secure


@pytest.mark.parametrize("url", ["https://h/path", "https://h?q", "https://u@h", "h", "https://", "https://h:99999", "ftp://h"])
def test_an_address_is_scheme_and_host_only(tmp_path: Path, url: str) -> None:
    assert "TRACKER_PUBLIC_URL" in faults(tmp_path, TRACKER_PUBLIC_URL=url, TRACKER_SECRET=SECRET)


@pytest.mark.parametrize(
    "url",
    [
        "https://tracker.example.org;x",
        "https://tracker.example.org,evil.example",
        "https://tracker.example.org'none'",
        "https://tracker.example.org evil.example",
        "https://tracker.example.org\r\nX-Evil: 1",
        "https://tracker.example.org?",
        "https://träcker.example.org",
        "https://[::1%25eth0]",
    ],
)
def test_no_public_address_could_end_a_header(tmp_path: Path, url: str) -> None:
    assert "TRACKER_PUBLIC_URL" in faults(tmp_path, TRACKER_PUBLIC_URL=url, TRACKER_SECRET=SECRET)


@pytest.mark.parametrize(
    "url",
    [
        "https://tiles.example.org/{z}/{x}/{y}.png; script-src *",
        "https://tiles.example.org,evil.example/{z}/{x}/{y}.png",
        "https://tiles.example.org/{z}/{x}/{y}.png\nX-Evil: 1",
        "https://tiles.example.org/'unsafe-inline'/{z}/{x}/{y}.png",
        "javascript://x/{z}/{x}/{y}.png",
    ],
)
def test_no_tile_server_could_end_a_directive(tmp_path: Path, url: str) -> None:
    assert "TRACKER_TILES_URL" in faults(tmp_path, TRACKER_TILES_URL=url)
    fine = read(tmp_path, TRACKER_TILES_URL="https://tiles.example.org/{z}/{x}/{y}.png")
    policy = content_security_policy(fine.public, fine.tiles_url)
    assert "img-src 'self' https://tiles.example.org;" in policy


PUBLIC = {"TRACKER_PUBLIC_URL": "https://tracker.example.org", "TRACKER_SECRET": SECRET}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (PUBLIC | {"TRACKER_TRUSTED_PROXIES": "*"}, "TRACKER_TRUSTED_PROXIES"),
        ({"TRACKER_TRUSTED_PROXIES": "10.0.0.1, *"}, "TRACKER_TRUSTED_PROXIES"),
        (PUBLIC | {"TRACKER_TRUSTED_PROXIES": "0.0.0.0/0"}, "TRACKER_TRUSTED_PROXIES"),
        (PUBLIC | {"TRACKER_TRUSTED_PROXIES": "::/0"}, "TRACKER_TRUSTED_PROXIES"),
        (PUBLIC | {"TRACKER_TRUSTED_PROXIES": "proxy.example.org"}, "TRACKER_TRUSTED_PROXIES"),
        (PUBLIC | {"TRACKER_DEMO": "1"}, "TRACKER_DEMO"),
        ({"TRACKER_PUBLIC_URL": "https://8.8.8.8", "TRACKER_DEMO": "1"}, "TRACKER_DEMO"),
        ({"TRACKER_HOST": EVERYWHERE}, "TRACKER_BEHIND_PROXY"),
        ({"TRACKER_HOST": "::"}, "TRACKER_BEHIND_PROXY"),
        (PUBLIC | {"TRACKER_HOST": "192.168.1.7"}, "TRACKER_BEHIND_PROXY"),
        (PUBLIC | {"TRACKER_TLS_CERT": "/a.pem"}, "TRACKER_TLS_KEY"),
        (PUBLIC | {"TRACKER_TILES_URL": "http://tiles.example.org/{z}/{x}/{y}.png"}, "TRACKER_TILES_URL"),
        ({"TRACKER_PORT": "9100", "TRACKER_METRICS_PORT": "9100"}, "TRACKER_METRICS_PORT"),
    ],
)
def test_what_is_well_formed_but_unsafe_is_refused(tmp_path: Path, values: dict[str, str], named: str) -> None:
    said = faults(tmp_path, **values)
    assert named in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "values",
    [
        PUBLIC | {"TRACKER_HOST": EVERYWHERE, "TRACKER_BEHIND_PROXY": "1", "TRACKER_TRUSTED_PROXIES": "172.16.0.0/12, fd00::1"},
        PUBLIC | {"TRACKER_HOST": EVERYWHERE, "TRACKER_TLS_CERT": "/a.pem", "TRACKER_TLS_KEY": "/a.key"},
        {"TRACKER_HOST": EVERYWHERE, "TRACKER_BEHIND_PROXY": "1"},
        {"TRACKER_HOST": EVERYWHERE, "TRACKER_DEMO": "1", "TRACKER_PUBLIC_URL": "https://192.168.1.7:8443"},
        {"TRACKER_DEMO": "1", "TRACKER_PUBLIC_URL": "https://laptop.local:8443"},
        {"TRACKER_HOST": "::1"},
    ],
)
def test_what_is_safe_is_not_refused(tmp_path: Path, values: dict[str, str]) -> None:
    assert read(tmp_path, **values)


def test_unsafe_and_malformed_are_reported_together(tmp_path: Path) -> None:
    said = faults(
        tmp_path,
        TRACKER_PUBLIC_URL="https://tracker.example.org",
        TRACKER_DEMO="1",
        TRACKER_SECRET="short",
        TRACKER_HOST=EVERYWHERE,
        TRACKER_TRUSTED_PROXIES="*",
        TRACKER_PORT="x",
        TRACKER_TLS_KEY="/key.pem",
    )
    assert len(said.splitlines()) == 5  # the demo alone may listen without a word about a proxy
    for name in ("TRACKER_DEMO", "TRACKER_SECRET", "TRACKER_TRUSTED_PROXIES", "TRACKER_PORT", "TRACKER_TLS_CERT"):
        assert name in said


@pytest.mark.parametrize("secret", ["", "short", "a" * 64])
def test_https_wants_a_good_secret(tmp_path: Path, secret: str) -> None:
    assert "TRACKER_SECRET" in faults(tmp_path, TRACKER_PUBLIC_URL="https://tracker.example.org", TRACKER_SECRET=secret)
    assert not (tmp_path / "data").exists()


def test_origins(tmp_path: Path) -> None:
    https = read(tmp_path, TRACKER_PUBLIC_URL="https://Tracker.example.org/", TRACKER_SECRET=SECRET).public
    assert https.origins == {"https://tracker.example.org"}
    here = read(tmp_path, TRACKER_PORT="8123").public
    assert here.origins == {"http://localhost:8123", "http://127.0.0.1:8123", "http://[::1]:8123"}
    network = read(tmp_path, TRACKER_PUBLIC_URL="http://10.0.0.5:8000", TRACKER_DEMO="1").public
    assert network.origins == {"http://10.0.0.5:8000"}


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_text(SECRET + "\n")
    assert read(tmp_path, TRACKER_SECRET_FILE=str(file)).secret == SECRET.encode()
    assert "both" in faults(tmp_path, TRACKER_SECRET_FILE=str(file), TRACKER_SECRET=SECRET)
    assert "cannot be read" in faults(tmp_path, DATABASE_URL_FILE=str(tmp_path / "none"))


def test_a_data_folder_that_cannot_be_made_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "TRACKER_DATA" in faults(tmp_path, TRACKER_DATA=str(tmp_path / "file" / "data"))


@pytest.mark.parametrize(
    "url",
    [
        "smtp+plain://mail.example.org",
        "smtp+plain://8.8.8.8",
        "smtp+plain://user:secret-word@127.0.0.1",
        "smtp://user@mail.example.org",
        "smtp://mail.example.org/path",
        "smtp://mail.example.org:99999",
        "smtp://mail.example.org\r\nX: 1",
        "http://mail.example.org",
        "mail.example.org:25",
        "smtp://",
    ],
)
def test_no_letter_and_no_password_goes_in_the_open(tmp_path: Path, url: str) -> None:
    said = faults(tmp_path, TRACKER_SMTP_URL=url)
    assert "TRACKER_SMTP_URL" in said
    assert "secret-word" not in said


def test_a_mail_server_is_read_from_one_address(tmp_path: Path) -> None:
    got = read(tmp_path, TRACKER_SMTP_URL="smtp://us%40er:p%2Fw@mail.example.org", TRACKER_MAIL_FROM="visits@bücher.example")
    assert got.smtp is not None
    assert (got.smtp.host, got.smtp.port, got.smtp.user, got.smtp.password) == ("mail.example.org", 587, "us@er", "p/w")
    assert got.post.sender == "visits@xn--bcher-kva.example"
    assert "p/w" not in repr(got)
    assert read(tmp_path).smtp is None
    for near in ("smtp+plain://127.0.0.1:1025", "smtp+plain://10.1.2.3", "smtp+plain://mailcatcher", "smtp+plain://[::1]"):
        assert read(tmp_path, TRACKER_SMTP_URL=near).smtp is not None


@pytest.mark.parametrize("sender", ["nobody", "a@b.org, c@d.org", "Eve <a@b.org>", "a@b.org\r\nBcc: x@y.org"])
def test_letters_come_from_one_plain_address(tmp_path: Path, sender: str) -> None:
    assert "TRACKER_MAIL_FROM" in faults(tmp_path, TRACKER_MAIL_FROM=sender)
