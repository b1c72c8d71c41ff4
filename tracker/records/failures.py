"""What a database's driver raises, as what it means to the floors above."""

import contextlib
import sqlite3
from collections.abc import Iterator

from sqlalchemy import exc

from tracker.errors import RecordsBehind, RecordsUnavailable, Unstorable
from tracker.records.violations import ConstraintViolated, Retry, named


@contextlib.contextmanager
def own_errors() -> Iterator[None]:
    """Turn the drivers' errors into ours, so that no floor above has to know a driver."""
    try:
        yield
    except exc.IntegrityError as error:
        raise ConstraintViolated(named(error)) from error
    except exc.TimeoutError as error:
        raise RecordsUnavailable from error
    except exc.DBAPIError as error:
        raise _of_the_driver(error) from error
    except sqlite3.Error as error:  # of a `Prepared` statement
        raise _of_sqlite(error) from error
    except UnicodeEncodeError as error:
        raise Unstorable from error
    except OSError as error:
        raise RecordsUnavailable from error


def _of_sqlite(error: sqlite3.Error) -> Exception:
    known = exc.DBAPIError.instance(None, None, error, sqlite3.Error)
    if isinstance(known, exc.IntegrityError):
        return ConstraintViolated(named(known))
    return _of_the_driver(known) if isinstance(known, exc.DBAPIError) else error


def _of_the_driver(error: exc.DBAPIError) -> Exception:
    words, code = str(error.orig).lower(), getattr(error.orig, "sqlstate", None)
    if code in {"40001", "40P01"} or "database is locked" in words or "database table is locked" in words:
        return Retry(words)
    if (code or "").startswith("22"):
        return Unstorable()
    if code in {"42P01", "42703"} or any(word in words for word in ("no such table", "no such column", "has no column")):
        return RecordsBehind()
    away = ("disk is full", "disk i/o", "unable to open", "read-only", "readonly", "not connected", "connection")
    if error.connection_invalidated or (code or "").startswith(("08", "53", "57P")) or any(word in words for word in away):
        return RecordsUnavailable()
    return error  # a mistake of ours: seen in the log and answered 500
