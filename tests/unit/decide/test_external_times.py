"""An incident told by another system and by our own counts: whose clock its times come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import pytest

from figwatch_agent.decide import incidents
from figwatch_agent.durations import SECOND, Instant
from figwatch_agent.model.incident import Alert, Incident, IncidentKind
from figwatch_agent.model.names import AlertName, Severity

CHAT = "/api/v1/chat"
OURS, OTHERS = AlertName.ERROR_BUDGET_BURN_FAST, AlertName.EXTERNAL_ALERT
NEEDED = AlertName.ROLLBACK_NEEDS_HUMAN


def told(
    name: AlertName, began: int, fired: int, severity: Severity = Severity.PAGE, ended: Instant | None = None
) -> Alert:
    """Seconds in, milliseconds out."""
    return Alert(
        id=f"{name.value} {fired}",
        name=name,
        slo="chat-availability",
        route=CHAT,
        tier="1h",
        lane="all",
        severity=severity,
        fired_at=fired * SECOND,
        impact_start=began * SECOND,
        certified=True,
        bad=9,
        total=9,
        burn_rate=None,
        resolved_at=ended,
    )


def joined(*alerts: Alert) -> Incident:
    first = incidents.opened("m", "chat", IncidentKind.ROUTE, CHAT, alerts[0])
    return reduce(incidents.joined, alerts[1:], first)


def over(incident: Incident, name: AlertName, last_bad: int, now: int) -> Incident:
    """Every alert of this name ends; the incident is looked at as each tick does."""
    for alert in [alert for alert in incidents.firing(incident) if alert.name is name]:
        ended = replace(alert, resolved_at=now * SECOND)
        incident = incidents.with_resolved(incident, ended, last_bad * SECOND)
    return incidents.mitigated(incident)


@dataclass(frozen=True, slots=True)
class Row:
    why: str
    alerts: tuple[Alert, ...]
    began: int
    detected: int


BEGINNINGS = (
    # Nothing of ours: what they tell is all there is.
    Row("theirs alone", (told(OTHERS, 10, 50),), 10, 50),
    # Two of theirs: the earlier start, the first detection.
    Row("theirs twice", (told(OTHERS, 10, 50), told(OTHERS, 5, 60)), 5, 50),
    # Ours alone, and twice: as ever.
    Row("ours alone", (told(OURS, 30, 40),), 30, 40),
    Row("ours twice, the later of them saw an earlier impact", (told(OURS, 30, 40), told(OURS, 20, 60)), 20, 40),
    # Theirs joins ours, with a start long before: their clock may be hours off, or count something else.
    Row("theirs joins ours, earlier", (told(OURS, 30, 40), told(OTHERS, 1, 50)), 30, 40),
    # Theirs first: ours replaces both stages, whether they were earlier or later.
    Row("ours joins theirs, later", (told(OTHERS, 1, 5), told(OURS, 30, 40)), 30, 40),
    Row("ours joins theirs, which claims to have begun later", (told(OTHERS, 35, 38), told(OURS, 30, 40)), 30, 40),
    # A second of ours is judged against ours, and never against what theirs had said before.
    Row("ours, after theirs and ours", (told(OTHERS, 1, 5), told(OURS, 30, 40), told(OURS, 25, 50)), 25, 40),
    # Their alert is over and forgotten by them; ours begins afresh all the same.
    Row("ours joins theirs that is over", (told(OTHERS, 1, 5, ended=9 * SECOND), told(OURS, 30, 40)), 30, 40),
    # A ticket of ours counts as well as a page.
    Row("our ticket joins their page", (told(OTHERS, 1, 5), told(OURS, 30, 40, Severity.TICKET)), 30, 40),
    # An alert about a rollback, that a person asked for, counts nothing and moves nothing.
    Row("a rollback's alert joins theirs", (told(OTHERS, 10, 50), told(NEEDED, 1, 60)), 10, 50),
    Row("ours after a rollback's", (told(OTHERS, 1, 5), told(NEEDED, 1, 9), told(OURS, 30, 40)), 30, 40),
)


@pytest.mark.parametrize("row", BEGINNINGS, ids=lambda row: row.why)
def test_it_began_and_was_detected_by_our_own_data_where_there_are_any(row: Row) -> None:
    incident = joined(*row.alerts)
    assert (incident.impact_start, incident.detected_at) == (row.began * SECOND, row.detected * SECOND)
    assert incident.alerts == row.alerts


def test_its_name_stays_whoever_joins() -> None:
    theirs = told(OTHERS, 1, 5)
    assert joined(theirs, told(OURS, 30, 40)).id == joined(theirs).id


ENDINGS: tuple[tuple[str, tuple[Alert, ...], tuple[tuple[AlertName, int, int], ...], int | None], ...] = (
    # Theirs alone: mitigated when they say that it was over.
    ("theirs alone", (told(OTHERS, 10, 50),), ((OTHERS, 90, 95),), 90),
    # Ours ended, theirs fires on: users are no longer hurt by what we count.
    ("ours over, theirs not", (told(OURS, 30, 40), told(OTHERS, 1, 50)), ((OURS, 70, 80),), 70),
    # Theirs ended, ours fires on: nothing is over.
    ("theirs over, ours not", (told(OURS, 30, 40), told(OTHERS, 1, 50)), ((OTHERS, 70, 80),), None),
    # Both, in both orders: the end is that of our last bad tick, however late they say theirs.
    ("ours, then theirs", (told(OURS, 30, 40), told(OTHERS, 1, 50)), ((OURS, 70, 80), (OTHERS, 99, 100)), 70),
    ("theirs, then ours", (told(OURS, 30, 40), told(OTHERS, 1, 50)), ((OTHERS, 75, 76), (OURS, 70, 80)), 70),
    # Theirs opened it.
    ("theirs opened it", (told(OTHERS, 1, 5), told(OURS, 30, 40)), ((OTHERS, 99, 100), (OURS, 70, 110)), 70),
)


@pytest.mark.parametrize(("alerts", "ends", "mitigated"), [row[1:] for row in ENDINGS], ids=[row[0] for row in ENDINGS])
def test_it_is_mitigated_by_our_own_data_where_there_are_any(
    alerts: tuple[Alert, ...], ends: tuple[tuple[AlertName, int, int], ...], mitigated: int | None
) -> None:
    incident = joined(*alerts)
    for name, last_bad, now in ends:
        incident = over(incident, name, last_bad, now)
    assert incident.mitigated_at == (None if mitigated is None else mitigated * SECOND)
    assert incidents.may_resolve(incident) == (not incidents.firing(incident))


def test_what_they_said_was_over_is_forgotten_when_ours_begins() -> None:
    incident = over(joined(told(OTHERS, 1, 5)), OTHERS, 9, 10)
    assert incident.mitigated_at == 9 * SECOND
    ours = incidents.joined(incident, told(OURS, 30, 40))
    assert (ours.mitigated_at, ours.last_bad) == (None, None)


def test_an_alert_of_theirs_does_not_undo_that_our_impact_ended() -> None:
    incident = over(joined(told(OURS, 30, 40)), OURS, 70, 80)
    assert incidents.joined(incident, told(OTHERS, 75, 85)).mitigated_at == 70 * SECOND


FIGURES = (
    # Only what we counted ourselves and found worth a page has times that are figures.
    ((told(OURS, 30, 40),), True),
    ((told(OURS, 30, 40), told(OTHERS, 1, 50)), True),
    ((told(OTHERS, 1, 5), told(OURS, 30, 40)), True),
    ((told(OTHERS, 1, 5),), False),
    # It paged because they say so; our own data opened a ticket.
    ((told(OURS, 30, 40, Severity.TICKET), told(OTHERS, 1, 50)), False),
    # A rollback that a person asked for is no measurement; one on top of our ticket paged by our own word.
    ((told(OTHERS, 1, 5), told(NEEDED, 1, 60)), False),
    ((told(OURS, 30, 40, Severity.TICKET), told(NEEDED, 1, 60)), True),
)


@pytest.mark.parametrize(("alerts", "counts"), FIGURES)
def test_an_incident_is_timed_by_what_we_counted_and_paged_for(alerts: tuple[Alert, ...], counts: bool) -> None:
    assert incidents.timed(joined(*alerts)) is counts
