"""Stories about what no budget sees: telemetry that is lost, traffic that stops, legacy that still serves."""

from collections.abc import Iterator

from figwatch import contract
from figwatch_agent.durations import MINUTE
from figwatch_agent.generate.promtool import Check, Input, Scenario, counter, named
from figwatch_agent.generate.scenarios import GOOD, IDLE, SIGNALS, Stage
from figwatch_agent.generate.series import NONE
from figwatch_agent.generate.signal_alerts import watched
from figwatch_agent.generate.slicing import countable, routes_of
from figwatch_agent.generate.traffic import TARGET, inputs, requests
from figwatch_agent.model.names import AlertName
from figwatch_agent.model.names import Stage as RouteStage
from figwatch_agent.model.slo import ServiceSlos, Slo

Told = list[tuple[str, str, str]]


def lost(stage: Stage) -> Iterator[Scenario]:
    """The edge's page is gone: told after two minutes, and until it is back."""
    telemetry = _told(stage, AlertName.TELEMETRY_LOST)
    if not telemetry:
        return
    gone, back = 5, 75
    seen = tuple(
        Input(series=each.series, values=_broken(each.values, gone, back) if _is_counter(each) else each.values)
        for each in inputs(stage.service.slos, (IDLE,) * (back + 2))
    )
    expected = {gone: [], gone + 1: [], gone + 2: telemetry, back - 1: telemetry, back + 1: []}
    yield Scenario(name="telemetry lost", inputs=seen, checks=tuple(_said(at, told) for at, told in expected.items()))


def silent(stage: Stage) -> Iterator[Scenario]:
    """Requests stop coming while the edge answers: told after five minutes, and until one comes."""
    traffic = _told(stage, AlertName.TRAFFIC_LOST)
    if not traffic:
        return

    def said(minute: int) -> Told:
        return traffic if 7 <= minute < 71 else []

    yield stage.play("traffic lost", (GOOD,) * 2 + (IDLE,) * 68 + (GOOD,), [2, 6, 7, 70, 71], signals=said)


def leaking(stage: Stage) -> Iterator[Scenario]:
    """One request of a migrated route goes to legacy: told for an hour."""
    moved = [
        (file, route.template)
        for file in stage.service.files
        for route in file.routes
        if route.stage in (RouteStage.MIGRATED, RouteStage.RETIRED)
    ]
    if not moved:
        return
    series = tuple(
        Input(
            series=named(contract.REQUEST_DURATION + "_count", _legacy(file, route)),
            values="_x5 " + counter([0] * 70, 1),
        )
        for file, route in moved
    )
    told: Told = [(AlertName.LEGACY_LEAK.value, NONE, route) for _, route in moved]
    up = Input(series=named("up", TARGET), values="1x80")
    expected: dict[int, Told] = {4: [], 5: told, 64: told, 65: []}
    yield Scenario(
        name="legacy leak", inputs=(up, *series), checks=tuple(_said(at, said) for at, said in expected.items())
    )


def _told(stage: Stage, name: AlertName) -> Told:
    """The alert for every stream that is watched and that the stories have raw series for."""
    pairs: list[tuple[ServiceSlos, Slo]] = [
        (file, slo) for file in stage.service.files for slo in watched(file) if countable(slo) and requests(slo)
    ]
    return [(name.value, slo.name, route) for file, slo in pairs for route in routes_of(file, slo)]


def _said(minute: int, told: Told) -> Check:
    samples = tuple((named("", {"alertname": name, "slo": slo, "route": route}), 1.0) for name, slo, route in told)
    return Check(at=minute * MINUTE, expr=SIGNALS, samples=samples)


def _is_counter(each: Input) -> bool:
    return each.series.startswith("http_server_")


def _broken(values: str, gone: int, back: int) -> str:
    """A counter that stands still, and is not there for a while."""
    start = values.split(" ", 1)[0]
    return f"{start}x{gone - 1} stale _x{back - gone - 1} {start}x2"


def _legacy(file: ServiceSlos, route: str) -> dict[str, str]:
    return {
        **TARGET,
        contract.ROUTE: route,
        contract.VANTAGE: file.vantage,
        contract.STATUS: "200",
        contract.ERROR_TYPE: "",
        contract.SERVED_BY: "legacy",
        contract.METHOD: "GET",
    }
