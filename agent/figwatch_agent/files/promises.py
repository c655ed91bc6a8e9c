"""From what slo/*.yaml says to what is meant: defaults filled in, and the rules that one file must keep by itself."""

from fractions import Fraction

from figwatch_agent.durations import Duration, format_duration
from figwatch_agent.files.diagnostics import Diagnostic, did_you_mean, quoted
from figwatch_agent.files.document import Document, Path
from figwatch_agent.files.targets import TAKEN, TAKES_ROUTE, TAKES_SAMPLES, TAKES_SLO, target_problem
from figwatch_agent.files.tiers import interval_flaw, tier_flaws
from figwatch_agent.files.written import WrittenCriterion, WrittenFile, WrittenSlo, WrittenTier
from figwatch_agent.model.slo import Availability, Criterion, Histogram, Latency, ServiceSlos, Slo, Uptime
from figwatch_agent.model.tier import DEFAULT_TIERS, EARLY, Tier, early_possible

PER_ROUTE = (Availability, Latency)
"""SLIs that count requests of routes by the contract."""


class Reader:
    """Turns one written file into its model; problems and notices gather beside it."""

    def __init__(self, document: Document, written: WrittenFile, interval: Duration | None) -> None:
        """``interval``: time between two scrapes, where figwatch.yaml is at hand."""
        self._document = document
        self._written = written
        self._interval = interval
        self.problems: list[Diagnostic] = []
        self.notices: list[Diagnostic] = []

    def service(self) -> ServiceSlos:
        """The model; it means something only while there are no problems."""
        written = self._written
        self._whole()
        return ServiceSlos(
            path=self._document.path,
            migration=written.migration,
            service=written.service,
            window=written.window,
            routes=written.routes,
            slos=tuple(self._slo(index, slo) for index, slo in enumerate(written.slos)),
            criteria=tuple(self._criterion(index, criterion) for index, criterion in enumerate(written.criteria)),
            vantage=written.vantage,
        )

    def _problem(self, path: Path, message: str, hint: str = "") -> None:
        self.problems.append(self._document.problem(path, message, hint))

    def _notice(self, path: Path, message: str, hint: str = "") -> None:
        self.notices.append(self._document.notice(path, message, hint))

    def _whole(self) -> None:
        written = self._written
        if not (written.routes or written.slos or written.criteria):
            self._problem((), "the file promises nothing", "give it slos, criteria or routes")
        if (written.routes or written.slos) and not written.service:
            self._problem((), '"service" is missing', "routes and slos belong to a service; only criteria stand alone")
        if written.vantage == "application":
            self._notice(
                ("vantage",), "figures of this file are counted by applications: failures in between are not seen"
            )

    def _slo(self, index: int, slo: WrittenSlo) -> Slo:
        here: Path = ("slos", index)
        known = [route.template for route in self._written.routes]
        for position, route in enumerate(slo.routes):
            if route not in known:
                hint = did_you_mean(route, known, "routes of this file")
                self._problem((*here, "routes", position), f"this file names no route {quoted(route)}", hint)
        if isinstance(slo.sli, PER_ROUTE) and not known:
            self._problem((*here, "sli"), "this SLI counts requests of routes, and the file names none", "add routes")
        if isinstance(slo.sli, Uptime) and slo.routes:
            self._problem(
                (*here, "routes"), "a probe asks a service, not a route", "remove routes from this uptime SLO"
            )
        possible = self._objective(here, slo)
        return Slo(
            name=slo.name,
            sli=slo.sli,
            objective=slo.objective,
            tiers=self._tiers(here, slo) if possible else (),
            early=self._early(here, slo),
            routes=slo.routes,
            description=slo.description,
            burn=slo.burn,
        )

    def _objective(self, here: Path, slo: WrittenSlo) -> bool:
        if slo.objective >= 1:
            hint = "leave an error budget, such as 99.9%: without one, the first failure breaks the promise"
            self._problem((*here, "objective"), "an objective of 100% or more cannot be kept", hint)
        elif slo.objective <= 0:
            self._problem((*here, "objective"), "an objective of 0% promises nothing")
        return 0 < slo.objective < 1

    def _early(self, here: Path, slo: WrittenSlo) -> bool:
        """The early lane watches counts, and only where an outage stands out from what the objective allows."""
        reason = None
        if isinstance(slo.sli, Uptime):
            reason = "the early lane watches requests, and uptime counts none"
        elif not early_possible(slo.objective):
            reason = "the early lane cannot tell an outage from errors that this objective allows"
        if slo.early and reason is not None:
            self._problem((*here, "early"), reason, "leave early out")
        return reason is None if slo.early is None else slo.early

    def _tiers(self, here: Path, slo: WrittenSlo) -> tuple[Tier, ...]:
        if slo.tiers is None:
            return self._default_tiers(here, slo)
        tiers: list[Tier] = []
        for index, written in enumerate(slo.tiers):
            place: Path = (*here, "tiers", index)
            tier = tier_of(written, self._written.window)
            for flaw in tier_flaws(tier, self._written.window, slo.objective):
                blamed = "factor" if flaw.member == "share" and written.factor is not None else flaw.member
                self._problem((*place, blamed), flaw.message, flaw.hint)
            too_short = interval_flaw(tier.short, self._interval) if self._interval else None
            if too_short:
                self._problem(
                    (*place, "short"), too_short, "choose a longer window, or a shorter interval in figwatch.yaml"
                )
            if tier.name == EARLY or tier.name in {other.name for other in tiers}:
                self._problem(
                    place, f"a tier named {quoted(tier.name)} exists already", "give each tier a name of its own"
                )
            tiers.append(tier)
        return tuple(tiers)

    def _default_tiers(self, here: Path, slo: WrittenSlo) -> tuple[Tier, ...]:
        kept: list[Tier] = []
        for tier in DEFAULT_TIERS:
            reasons = [flaw.message for flaw in tier_flaws(tier, self._written.window, slo.objective)]
            too_short = interval_flaw(tier.short, self._interval) if self._interval else None
            if too_short:
                reasons.append(too_short)
            if not reasons:
                kept.append(tier)
                continue
            hint = "write tiers by hand to choose others"
            self._notice(
                here, f"{slo.name} goes without the usual {tier.severity} tier {tier.name}: {reasons[0]}", hint
            )
        return tuple(kept)

    def _criterion(self, index: int, written: WrittenCriterion) -> Criterion:
        here: Path = ("criteria", index)
        flaw = target_problem(written.measure, written.target)
        if flaw is not None:
            self._problem((*here, "target"), *flaw)
        for key, takers in (
            ("slo", TAKES_SLO),
            ("route", TAKES_ROUTE),
            ("every", TAKES_SAMPLES),
            ("sql", TAKES_SAMPLES),
        ):
            if getattr(written, key) is not None and written.measure not in takers:
                hint = f"it belongs to {', '.join(measure for measure in TAKEN if measure in takers)}"
                self._problem((*here, key), f"{written.measure} is not measured by {key}", f"remove it: {hint}")
        return Criterion(
            name=written.name,
            measure=written.measure,
            target=written.target,
            over=written.over or self._written.window,
            by=written.by,
            slo=written.slo,
            route=written.route,
            every=written.every,
            sql=written.sql,
        )


def measures(criterion: Criterion, slo: Slo) -> bool:
    """Whether the figures of this SLO can decide the criterion."""
    if criterion.measure == "uptime":
        return isinstance(slo.sli, (Uptime, Availability))
    return isinstance(slo.sli, (Latency, Histogram))


def tier_of(written: WrittenTier, period: Duration) -> Tier:
    """The tier that is meant; a burn rate becomes the share of the period's budget that it spends, exactly."""
    share = written.share
    if written.factor is not None:
        share = written.factor * written.long / period
    return Tier(
        name=written.name or format_duration(written.long),
        share=share if share is not None else Fraction(0),
        long=written.long,
        short=written.short,
        severity=written.severity,
        allow_slow=written.allow_slow,
    )
