"""Sloth's windows of alerts: its own two catalogues, and those that a team writes (``AlertWindows``)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple

from figwatch_agent.durations import DAY, HOUR, MINUTE, Duration, format_duration
from figwatch_agent.files.document import Document
from figwatch_agent.files.fields import word
from figwatch_agent.files.foreign.imported import Burn, Reading
from figwatch_agent.files.foreign.pieces import METADATA, PERCENT, PROMQL_DURATION, members
from figwatch_agent.files.schema import may, need, read
from figwatch_agent.model.names import Severity

API: Final = "sloth.slok.dev/v1"
KIND: Final = "AlertWindows"
VERSION: Final = "alertWindows/v1"
"""Before kinds there was a version."""

USUAL_PERIOD: Final[Duration] = 30 * DAY
"""What Sloth takes where nobody says another; its files never do."""


class Windows(NamedTuple):
    """A catalogue: the period of the budget, and when somebody is told."""

    period: Duration
    burns: tuple[Burn, ...]


def usual(period: Duration) -> Windows:
    """Sloth's own catalogue, the same shares for each of its periods (google-30d.yaml and google-28d.yaml)."""
    rows = (
        (2, HOUR, 5 * MINUTE, Severity.PAGE),
        (5, 6 * HOUR, 30 * MINUTE, Severity.PAGE),
        (10, DAY, 2 * HOUR, Severity.TICKET),
        (10, 3 * DAY, 6 * HOUR, Severity.TICKET),
    )
    burns = tuple(
        Burn(long=long, short=short, severity=severity, share=Fraction(percent, 100))
        for percent, long, short, severity in rows
    )
    return Windows(period, burns)


_WINDOW: Final = members(
    {
        "errorBudgetPercent": need(PERCENT, ""),
        "shortWindow": need(PROMQL_DURATION, ""),
        "longWindow": need(PROMQL_DURATION, ""),
    }
)
_PAIR: Final = members({"quick": need(_WINDOW, ""), "slow": need(_WINDOW, "")})
_BODY: Final = {"sloPeriod": need(PROMQL_DURATION, ""), "page": need(_PAIR, ""), "ticket": need(_PAIR, "")}
_PLAIN: Final = members({"version": need(word(VERSION), ""), **_BODY})
_OBJECT: Final = members(
    {
        "apiVersion": need(word(API), ""),
        "kind": need(word(KIND), ""),
        "metadata": may(METADATA, ""),
        "spec": need(members(_BODY), ""),
    }
)


def mine(root: Mapping[str, object]) -> bool:
    """Whether the document is a catalogue of windows."""
    return root.get("kind") == KIND or str(root.get("version", "")).startswith("alertWindows/")


def read_windows(document: Document, reading: Reading) -> Windows | None:
    """The catalogue of a document; None where it is wrong."""
    plain = "version" in document.root()
    found, wrong = read(document, _PLAIN if plain else _OBJECT, {})
    reading.diagnostics += wrong
    if found is None:
        return None
    spec: dict[str, Any] = found if plain else found["spec"]
    burns = [
        _burn(spec[severity][speed], Severity(severity))
        for severity in ("page", "ticket")
        for speed in ("quick", "slow")
    ]
    return Windows(spec["sloPeriod"], tuple(burns))


def _burn(window: dict[str, Any], severity: Severity) -> Burn:
    return Burn(
        long=window["longWindow"],
        short=window["shortWindow"],
        severity=severity,
        share=window["errorBudgetPercent"],
    )


def undecided(catalogues: list[tuple[Document, Windows]], reading: Reading) -> None:
    """Refuse catalogues of several periods where nobody said which counts: Sloth's files keep the period elsewhere."""
    periods = sorted({windows.period for _, windows in catalogues})
    if len(periods) > 1:
        spans = " and ".join(format_duration(period) for period in periods)
        message = f"there are catalogues for {spans}, and no file of Sloth says which of them counts"
        hint = f"import the SLOs of each period by themselves, or say it: --window {format_duration(periods[-1])}"
        reading.problem(catalogues[-1][0], (), message, hint)


def chosen(catalogues: list[tuple[Document, Windows]], given: Duration | None, reading: Reading) -> Windows:
    """The catalogue that counts: that of the period; where none was asked for, the only one there is."""
    seen: set[Duration] = set()
    for document, windows in catalogues:
        if windows.period in seen:
            reading.problem(
                document, (), f"there are two catalogues for {format_duration(windows.period)}", "remove one"
            )
        seen.add(windows.period)
    if len(catalogues) == 1 and given is None:
        return catalogues[0][1]
    period = given or USUAL_PERIOD
    fitting = [windows for _, windows in catalogues if windows.period == period]
    return fitting[0] if fitting else usual(period)
