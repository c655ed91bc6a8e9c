"""What the files must agree on with each other: names, migrations, routes, plans, receivers."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from figwatch_agent.durations import format_duration
from figwatch_agent.files.diagnostics import Diagnostic, did_you_mean, quoted
from figwatch_agent.files.document import Document, Path
from figwatch_agent.files.promises import measures
from figwatch_agent.files.settings_file import LOOPBACK
from figwatch_agent.files.targets import TAKES_SLO
from figwatch_agent.model.names import DataPlan, Mode, Severity, Stage
from figwatch_agent.model.plan import RollbackPlan
from figwatch_agent.model.settings import PrometheusServer, Receiver, Settings
from figwatch_agent.model.slo import Promql, Route, ServiceSlos, Slo, Uptime


class ReadSettings(NamedTuple):
    """figwatch.yaml with its text."""

    settings: Settings
    document: Document


class ReadService(NamedTuple):
    """A file of slo/ with its text."""

    service: ServiceSlos
    document: Document


def agreement(
    services: Sequence[ReadService], settings: ReadSettings | None, *, complete: bool
) -> Iterator[Diagnostic]:
    """Problems and notices about all files together.

    ``complete``: every file could be read; otherwise a name that is not found may stand in one that could not.
    """
    yield from _unique(services)
    yield from _one_migration(services)
    if complete:
        yield from _criteria(services)
    if settings is not None:
        yield from _receivers(settings)
        yield from _web(settings)
        yield from _keep(services, settings)
        yield from _steps(settings)
        yield from _plans(services, settings, complete)
        yield from _source(services, settings)


def _unique(services: Sequence[ReadService]) -> Iterator[Diagnostic]:
    seen: dict[tuple[str, str], tuple[Document, Path]] = {}
    for document, path, what, name in _names(services):
        if (what, name) in seen:
            first, place = seen[what, name]
            hint = f"it stands at {first.path}:{first.value_spot(place).line} already"
            yield document.problem(path, f"the {what} {quoted(name)} is named twice", hint)
        else:
            seen[what, name] = document, path


def _names(services: Sequence[ReadService]) -> Iterator[tuple[Document, Path, str, str]]:
    for read in services:
        service, document = read.service, read.document
        if service.service:
            yield document, ("service",), "service", service.service
        for index, route in enumerate(service.routes):
            yield document, ("routes", index, "route"), "route", route.template
        for index, slo in enumerate(service.slos):
            yield document, ("slos", index, "name"), "SLO", slo.name
        for index, criterion in enumerate(service.criteria):
            yield document, ("criteria", index, "name"), "criterion", criterion.name


def _one_migration(services: Sequence[ReadService]) -> Iterator[Diagnostic]:
    for read in services[1:]:
        first = services[0]
        if read.service.migration != first.service.migration:
            message = f"this file belongs to another migration than {first.service.path}"
            hint = f"write {first.service.migration}, or give the other migration a folder and a figwatch of its own"
            yield read.document.problem(("migration",), message, hint)


def _criteria(services: Sequence[ReadService]) -> Iterator[Diagnostic]:
    slos = {slo.name: slo for read in services for slo in read.service.slos}
    routes = [route.template for read in services for route in read.service.routes]
    for read in services:
        for index, criterion in enumerate(read.service.criteria):
            here: Path = ("criteria", index)
            if criterion.slo is not None and criterion.slo not in slos:
                hint = did_you_mean(criterion.slo, slos, "SLOs")
                yield read.document.problem((*here, "slo"), f"there is no SLO {quoted(criterion.slo)}", hint)
            elif (
                criterion.slo in slos
                and criterion.measure in TAKES_SLO
                and not measures(criterion, slos[criterion.slo])
            ):
                hint = "uptime takes an uptime or availability SLO, latency_p95 a latency or histogram SLO"
                message = f"the SLO {quoted(criterion.slo)} does not measure {criterion.measure}"
                yield read.document.problem((*here, "slo"), message, hint)
            if criterion.route is not None and criterion.route not in routes:
                hint = did_you_mean(criterion.route, routes, "routes")
                yield read.document.problem((*here, "route"), f"there is no route {quoted(criterion.route)}", hint)


def _receivers(read: ReadSettings) -> Iterator[Diagnostic]:
    receivers = read.settings.receivers
    document = read.document
    by_name = {receiver.name: receiver for receiver in receivers}
    if not any(Severity.PAGE in receiver.severities for receiver in receivers):
        yield document.notice(
            ("receivers",), "no receiver takes pages: nobody will be woken", "add one under receivers"
        )
    for index, receiver in enumerate(receivers):
        here: Path = ("receivers", index)
        if by_name[receiver.name] is not receiver:
            yield document.problem((*here, "name"), f"the receiver {quoted(receiver.name)} is named twice")
        if receiver.fallback is None:
            continue
        if receiver.fallback not in by_name:
            hint = did_you_mean(receiver.fallback, by_name, "receivers")
            yield document.problem((*here, "fallback"), f"there is no receiver {quoted(receiver.fallback)}", hint)
        elif _in_ring(receiver, by_name):
            message = "the fallbacks lead round in a circle: a page that all refuse would never end"
            yield document.problem((*here, "fallback"), message, "let the last one have no fallback")
        elif not receiver.severities <= by_name[receiver.fallback].severities:
            message = f"{receiver.fallback} will also get what {receiver.name} refuses, whatever its own for says"
            yield document.notice((*here, "fallback"), message)


def _in_ring(start: Receiver, by_name: dict[str, Receiver]) -> bool:
    seen = {start.name}
    current = by_name.get(start.fallback or "")
    while current is not None and current.name not in seen:
        seen.add(current.name)
        current = by_name.get(current.fallback or "")
    return current is not None and current.name == start.name


def _web(read: ReadSettings) -> Iterator[Diagnostic]:
    if read.settings.web.host not in LOOPBACK and read.settings.web.access == "public":
        message = "everybody who reaches this address can read the status; what changes state still needs a token"
        yield read.document.notice(("web", "listen"), message)


def _keep(services: Sequence[ReadService], read: ReadSettings) -> Iterator[Diagnostic]:
    windows = [(each.service.window, each.service.service) for each in services]
    longest, name = max(windows, default=(0, ""))
    if read.settings.keep < longest:
        message = f"the state would forget incidents that lie within the window of {name} ({format_duration(longest)})"
        yield read.document.problem(("state", "keep"), message, "keep at least the longest window")


def _steps(read: ReadSettings) -> Iterator[Diagnostic]:
    for plan in read.settings.rollback.plans:
        ids: set[str] = set()
        for index, step in enumerate(plan.steps):
            if step.id in ids:
                here: Path = ("rollback", "plans", plan.name, "steps", index, "id")
                yield read.document.problem(
                    here, f"the step {quoted(step.id)} is named twice", "ids tell steps apart after a crash"
                )
            ids.add(step.id)


def _plans(services: Sequence[ReadService], settings: ReadSettings, complete: bool) -> Iterator[Diagnostic]:
    plans = {plan.name: plan for plan in settings.settings.rollback.plans}
    used: set[str] = set()
    for read in services:
        for index, route in enumerate(read.service.routes):
            if route.rollback is None:
                continue
            here: Path = ("routes", index, "rollback")
            used.add(route.rollback)
            if route.rollback in plans:
                yield from _fits(read, here, route, plans[route.rollback], settings)
                continue
            hint = did_you_mean(route.rollback, plans, "plans") or "add it there: rollback: {plans: {NAME: ...}}"
            message = f"{settings.document.path} has no rollback plan {quoted(route.rollback)}"
            yield read.document.problem(here, message, hint)
    if complete:
        yield from _verified(services, settings, used)


def _fits(
    read: ReadService, here: Path, route: Route, plan: RollbackPlan, settings: ReadSettings
) -> Iterator[Diagnostic]:
    why = None
    if plan.data is DataPlan.FORWARD_ONLY:
        why = "the plan's data is forward_only"
    elif plan.data is DataPlan.DUAL_WRITE and plan.lag is None:
        why = "the plan's data is dual_write, and it reads no lag"
    elif route.stage is Stage.RETIRED:
        why = "legacy cannot serve a retired route"
    elif route.stage is Stage.LEGACY:
        why = "the route is served by legacy"
    if why is not None:
        yield read.document.notice(here, f"{route.template} will never be rolled back without a person: {why}")
    if plan.gateway is None and settings.settings.rollback.mode is Mode.AUTO:
        message = f"the plan {plan.name} does not read the gateway: a newer change by a person cannot be seen"
        yield read.document.notice(here, message, "add gateway: {read: URL} to the plan")


def _verified(services: Sequence[ReadService], settings: ReadSettings, used: set[str]) -> Iterator[Diagnostic]:
    slos = {slo.name: (read.service, slo) for read in services for slo in read.service.slos}
    for plan in settings.settings.rollback.plans:
        here: Path = ("rollback", "plans", plan.name)
        if plan.name not in used:
            yield settings.document.notice(
                here, f"no route names the plan {plan.name}", "name it: routes: [{rollback: ...}]"
            )
        if plan.verify.slo not in slos:
            hint = did_you_mean(plan.verify.slo, slos, "SLOs")
            message = f"there is no SLO {quoted(plan.verify.slo)}"
            yield settings.document.problem((*here, "verify", "slo"), message, hint)
            continue
        service, slo = slos[plan.verify.slo]
        yield from _can_verify((*here, "verify", "slo"), plan, service, slo, services, settings.document)


def _can_verify(
    here: Path,
    plan: RollbackPlan,
    service: ServiceSlos,
    slo: Slo,
    services: Sequence[ReadService],
    document: Document,
) -> Iterator[Diagnostic]:
    if isinstance(slo.sli, Uptime):
        message = "an uptime SLO probes the service, and says nothing about a route that legacy serves"
        yield document.problem(here, message, "choose an SLO that counts requests of the route")
        return
    watched = slo.routes or tuple(route.template for route in service.routes)
    for read in services:
        for route in read.service.routes:
            if route.rollback == plan.name and route.template not in watched:
                message = f"{slo.name} does not watch {route.template}, which this plan sends back to legacy"
                yield document.problem(
                    here, message, "choose an SLO of that route, or give the route a plan of its own"
                )


def _source(services: Sequence[ReadService], settings: ReadSettings) -> Iterator[Diagnostic]:
    if isinstance(settings.settings.source, PrometheusServer):
        return
    for read in services:
        for index, slo in enumerate(read.service.slos):
            if isinstance(slo.sli, Promql):
                message = "PromQL needs a Prometheus source, and figwatch.yaml scrapes by itself"
                hint = "use events or histogram, or write source: {prometheus: {url: ...}}"
                yield read.document.problem(("slos", index, "sli"), message, hint)
