"""A state as figwatch kept it before arrays were packed: sections of JSON, rows of 64-bit counts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from figwatch_agent.engine import forms
from figwatch_agent.engine.packing import unpack, unpack_row
from figwatch_agent.model.outcome import RingRow, Saved
from figwatch_agent.model.wire import encode

_FORMS: dict[str, type] = {
    "columns": forms.Columns,
    "ring": forms.RingState,
    "counters": forms.CounterState,
    "series": forms.SeriesState,
    "watches": forms.WatchState,
    "lanes": forms.LaneState,
    "streams": forms.StreamState,
    "unknown": forms.UnknownState,
    "exclusions": forms.ExclusionsState,
    "coverage": forms.CoverageState,
    "desk": forms.DeskState,
    "readings": forms.ReadingsState,
    "carriers": forms.CarriersState,
}


def earlier(saved: Saved) -> Saved:
    """The same state in the earlier form."""
    values: dict[str, Any] = {name: unpack(_FORMS[name.partition("/")[0]], data, name) for name, data in saved.sections}
    carriers, desk = values.pop("carriers"), values["desk"]
    values["desk"] = replace(desk, carriers=carriers.carriers)
    return replace(
        saved,
        sections=tuple((name, encode(value).encode()) for name, value in sorted(values.items())),
        ring_rows=tuple(_row(row) for row in saved.ring_rows),
    )


def is_earlier(data: bytes) -> bool:
    """Whether a section is JSON."""
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def _row(row: RingRow) -> RingRow:
    packed = unpack_row(row.data, row.ring)
    return replace(row, data=packed.columns.encode() + b"\n" + packed.values().astype(np.int64).tobytes())
