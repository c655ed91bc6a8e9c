"""Run one bench in an interpreter of its own.

Some peers read an environment variable once, patch a framework's class or set a provider for the whole process: beside
them nothing else can be measured. ``python -m bench.apart flask_request`` prints the rows of one file as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from importlib import import_module
from typing import Final

from bench.row import Row

SECONDS: Final = 300
"""Longest that one file may measure."""
ENVIRONMENT: Final = {"OTEL_SEMCONV_STABILITY_OPT_IN": "http", "PYTHONWARNINGS": "ignore"}
"""Stable conventions only: the set-up in which OpenTelemetry's instrumentations write each number once."""


def rows_of(name: str) -> list[Row]:
    """The rows of ``bench.<name>``, measured in a process of their own; raises RuntimeError with its last words."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PROMETHEUS_"))}
    done = subprocess.run(
        [sys.executable, "-m", "bench.apart", name],
        env={**kept, **ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1])
    return [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]


def main(name: str) -> None:
    """Measure and print."""
    measured: Iterable[Row] = import_module(f"bench.{name}").measured()
    print(json.dumps([asdict(row) for row in measured]))


if __name__ == "__main__":
    main(sys.argv[1])
