"""The library's own health: what it swallowed, dropped, folded and refused. Counting here never raises."""

import logging
from contextlib import suppress
from typing import Final

from figwatch import contract
from figwatch.cells import Cells, CounterCell, Definition, Family

_logger = logging.getLogger("figwatch")

_CAP: Final = 200  # places, metrics and reasons are few and known
_FIRST_FAULT: Final = (
    "fault inside the instrumentation (%s); the request was left alone, later ones are only counted in %s"
)


class Health:
    """Counters about the instrumentation itself, in the same cells as everything else."""

    def __init__(self, cells: Cells) -> None:
        """Declares its series in `cells`."""
        self._cells = cells
        self._told: set[str] = set()
        self._errors = self._declare(contract.INTERNAL_ERRORS, "Faults inside the instrumentation, swallowed.", "where")
        self._spans = self._declare(
            contract.DROPPED_SPANS, "Spans that no longer fitted the queue or could not be sent."
        )
        self._exports = self._declare(
            contract.EXPORT_FAILURES, "Requests to a collector that failed.", "signal", "reason"
        )
        self._folded = self._declare(contract.FOLDED_LABELS, "Label values folded into an overflow series.", "metric")
        self._headers = self._declare(contract.UNTRUSTED_HEADERS, "Migration headers that were not believed.", "reason")

    def fault(self, where: str, error: BaseException) -> None:
        """Count a swallowed fault; the first of each place is logged with its traceback."""
        # A fault in the very counting of faults has nowhere left to go, and must not reach the request.
        with suppress(Exception):
            self._errors.cell((where,)).add()
            if where not in self._told:
                self._told.add(where)
                _logger.error(_FIRST_FAULT, where, contract.INTERNAL_ERRORS, exc_info=error)

    def span_dropped(self, number: int = 1) -> None:
        """Count spans that were lost."""
        self._spans.cell(()).add(number)

    def export_failed(self, signal: str, reason: str) -> None:
        """Count a request to a collector that did not go as it should."""
        self._exports.cell((signal, reason)).add()

    def folded(self, metric: str) -> None:
        """Count a label value of `metric` that went into an overflow series."""
        self._folded.cell((metric,)).add()

    def header_refused(self, reason: str) -> None:
        """Count a migration header: `untrusted` or `unknown_value`."""
        self._headers.cell((reason,)).add()

    def _declare(self, name: str, text: str, *labels: str) -> Family[CounterCell]:
        definition = Definition(name=name, help=text, kind="counter", unit="", labels=labels)
        return self._cells.counter(definition, cap=_CAP, folded=_ignore)


def _ignore(_metric: str) -> None:
    """Folding of the library's own series is not reported to itself."""
