"""Why a visit's technician was chosen, in one sentence for staff (B6)."""

from collections.abc import Mapping
from typing import Any


def why_chosen(chosen: Mapping[str, Any] | None) -> str | None:
    """``4.2 km; next best 6.0 km`` out of the reason that is kept with a booking; None: none was kept.

    ``chosen``: ``m`` metres of travel, ``next_m`` those of the next best (None: nobody else could come), ``source`` (``road``
    or ``distance``), ``by`` (``staff``: the desk handed it over, whoever else could have come).
    """
    if not chosen:
        return None
    away, other = _kilometres(chosen["m"]), chosen.get("next_m")
    if chosen.get("by") == "staff":
        said = f"{away}; chosen by staff"
    elif other is None:
        said = f"{away}; nobody else could come"
    elif other < chosen["m"]:
        said = f"{away}; the technician of before, the nearest was {_kilometres(other)} away"
    else:
        said = f"{away}; next best {_kilometres(other)}"
    return said if chosen.get("source") == "road" else f"{said} (estimated from the distance)"


def _kilometres(metres: float) -> str:
    return f"{metres / 1000:.1f} km"
