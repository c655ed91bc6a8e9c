"""Did a rollback help? Counts what users of the whole route see since its last step, and says so with evidence."""

from dataclasses import replace
from fractions import Fraction

from figwatch_agent.decide import incidents
from figwatch_agent.decide.verify import verdict
from figwatch_agent.durations import Instant, format_seconds
from figwatch_agent.engine.cases import Case, Check
from figwatch_agent.engine.catalog import Catalog, Stream, Watch
from figwatch_agent.engine.desk import Desk, Notes
from figwatch_agent.engine.tally import Tally
from figwatch_agent.evaluate.evidence import clean_requests_needed, rejects_still_burning
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.incident import RollbackRun, RollbackVerdict
from figwatch_agent.model.names import AlertName
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind

LEVEL = Fraction(1, 1000)
"""Of calling a rollback a help while the route still burns: stricter than recovery, since nobody looks again."""

VERDICTS: dict[RollbackVerdict, str] = {
    RollbackVerdict.HELPED: "helped",
    RollbackVerdict.INEFFECTIVE: "did not help",
    RollbackVerdict.UNVERIFIED: "could not be verified",
}

_ALERTS: dict[RollbackVerdict, AlertName] = {
    RollbackVerdict.INEFFECTIVE: AlertName.ROLLBACK_INEFFECTIVE,
    RollbackVerdict.UNVERIFIED: AlertName.ROLLBACK_UNVERIFIED,
}


def checks_for(catalog: Catalog, route: str, slo: str, watch: Watch | None) -> tuple[Check, ...]:
    """What must be rejected before a rollback is called a help: what fired, and the SLO that the plan names.

    The plan's SLO may have been well all along (an outage of latency alone), so that its being well proves nothing.
    """
    checks: list[Check] = []
    if watch is not None:
        checks.append(Check(stream=watch.stream.key, ratio=min(watch.ratio, Fraction(1))))
    named = _stream(catalog, route, slo)
    if named is not None and (watch is None or named is not watch.stream):
        ratios = [each.ratio for each in catalog.watches if each.stream is named]
        checks.append(Check(stream=named.key, ratio=min(max(ratios, default=Fraction(1)), Fraction(1))))
    return tuple(checks)


class Verifier:
    """Judges rollbacks that were carried out."""

    def __init__(self, catalog: Catalog, desk: Desk) -> None:
        self.desk = desk
        self._streams = {stream.key: stream for stream in catalog.streams}

    def verify(self, tally: Tally, since: Instant, now: Instant, notes: Notes) -> None:
        """Count the tick from ``since`` to ``now`` for every rollback that waits for its verdict."""
        for case in self.desk.cases.values():
            run = case.incident.rollback
            if run is None or run.state is not RollbackState.DONE or run.done_at is None:
                continue
            if run.verdict is RollbackVerdict.PENDING:
                if since >= run.done_at:  # a tick that the last step cut in two says nothing
                    case.checks = tuple(self._counted(check, tally) for check in case.checks)
                self._judge(case, run, now - run.done_at, now, notes)

    def _counted(self, check: Check, tally: Tally) -> Check:
        stream = self._streams.get(check.stream)
        if stream is None:
            return check
        bad, total = int(tally.bad[stream.index].sum()), int(tally.total[stream.index].sum())
        return replace(check, bad=check.bad + bad, total=check.total + total)

    def _judge(self, case: Case, run: RollbackRun, age: int, now: Instant, notes: Notes) -> None:
        said = verdict(
            rejects_burning=bool(case.checks)
            and all(rejects_still_burning(check.bad, check.total, check.ratio, LEVEL) for check in case.checks),
            enough=bool(case.checks)
            and all(check.total >= clean_requests_needed(check.ratio, LEVEL) for check in case.checks),
            deadline=age >= case.verify_within,
        )
        if said is RollbackVerdict.PENDING:
            return
        seen = f"{_figures(case.checks)} in {format_seconds(age)} since"
        case.put(replace(case.incident, rollback=replace(run, verdict=said, verified_at=now, detail=seen)))
        text = f"{case.incident.route}: the rollback {VERDICTS[said]}, {seen}"
        notes.note(now, TransitionKind.ROLLBACK_VERIFIED, case.incident.id, text, (("verdict", said.value),))
        case.news.append(PageKind.UPDATE.value)
        if said in _ALERTS:
            case.put(incidents.joined(case.incident, incidents.rollback_alert(case.incident, _ALERTS[said], now)))


def _figures(checks: tuple[Check, ...]) -> str:
    """The check that looks worst, in words."""
    worst = max(checks, key=lambda check: Fraction(check.bad, max(check.total, 1)), default=None)
    return "nothing" if worst is None else f"{worst.bad} of {worst.total} requests bad"


def _stream(catalog: Catalog, route: str, slo: str) -> Stream | None:
    return next((stream for stream in catalog.streams if stream.slo.name == slo and stream.route in (route, "")), None)
