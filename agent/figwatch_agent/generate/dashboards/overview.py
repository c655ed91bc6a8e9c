"""How far the migration is: criteria, legacy's share with its forecast, budgets."""

from typing import Final

from figwatch_agent.generate.dashboards.board import Board, Colour, Column, Kind, Panel, Query, Row
from figwatch_agent.generate.dashboards.words import (
    ALARM,
    ON_ROUTE,
    ROUTES,
    SERVICES,
    SPENT,
    VERDICTS,
    newest_rollbacks,
    of,
    open_incidents,
)
from figwatch_agent.generate.panel_ids import OVERVIEW
from figwatch_agent.model.names import AlertName

_BY_ROUTE: Final = "service, route"
_NO_DATE: Final = (("0", "no date yet", Colour.UNKNOWN),)
_MET: Final = 'max by (criterion) (figwatch_criterion_verdict{verdict="met"})'
_OPEN: Final = 'max by (criterion) (figwatch_criterion_verdict{verdict="inconclusive"})'
_VERDICT: Final = f"2 * {_MET} + {_OPEN}"


def overview() -> Board:
    """The dashboard for whoever asks how it is going."""
    return Board(
        uid=OVERVIEW,
        title="figwatch: migration overview",
        description="How far the migration is: success criteria, legacy's share with its forecast, and error budgets.",
        rows=(_now(), _criteria(), _legacy(), _budgets()),
        variables=(SERVICES, ROUTES),
        annotations=(open_incidents(), newest_rollbacks()),
        since="now-7d",
    )


def _now() -> Row:
    zero = 'max(figwatch_legacy_zero_timestamp_seconds{bound="expected"})'
    return Row(
        title="Now",
        panels=(
            Panel(
                key="legacy-ratio",
                title="Requests that legacy serves",
                description="Legacy / all requests of users in the last hour, all routes together, from exact counts.",
                unit="percentunit",
                kind=Kind.STAT,
                width=6,
                height=5,
                lowest=0,
                highest=1,
                decimals=2,
                queries=(of("figwatch_legacy_ratio", "legacy", "", "migration"),),
            ),
            Panel(
                key="legacy-zero",
                title="Legacy serves nothing from",
                description=(
                    "The forecast for all routes together: a straight line through the complete slots of 30 days."
                ),
                unit="dateTimeAsIso",
                kind=Kind.STAT,
                width=6,
                height=5,
                meanings=_NO_DATE,
                queries=(Query(expr=f"1000 * ({zero} or on () vector(0))", legend="expected"),),
            ),
            Panel(
                key="open-incidents",
                title="Open incidents",
                description="Incidents that are not resolved, of all routes, by severity.",
                unit="none",
                kind=Kind.STAT,
                width=6,
                height=5,
                steps=ALARM,
                queries=(of("figwatch_agent_open_incidents", "{{severity}}", "", "severity"),),
            ),
            Panel(
                key="verdicts",
                title="Success criteria",
                description="How many are met, missed, or cannot be decided yet.",
                unit="none",
                kind=Kind.STAT,
                width=6,
                height=5,
                queries=(
                    Query(
                        expr="sum by (verdict) (max by (criterion, verdict) (figwatch_criterion_verdict))",
                        legend="{{verdict}}",
                    ),
                ),
            ),
        ),
    )


def _criteria() -> Row:
    return Row(
        title="Success criteria",
        panels=(
            Panel(
                key="criteria-over-time",
                title="Verdicts over time",
                description="Met, missed or inconclusive, as the agent judged at each tick.",
                unit="none",
                kind=Kind.TIMELINE,
                width=14,
                height=11,
                meanings=VERDICTS,
                queries=(Query(expr=_VERDICT, legend="{{criterion}}"),),
            ),
            Panel(
                key="criteria-figures",
                title="Figures",
                description="What is judged, in its unit. The evidence behind it stands in `figwatch report`.",
                unit="none",
                kind=Kind.TABLE,
                width=10,
                height=11,
                columns=(
                    Column(source="criterion", title="Criterion"),
                    Column(source="#A", title="Verdict", meanings=VERDICTS),
                    Column(source="#B", title="Figure", unit="short"),
                    Column(source="unit", title="Unit"),
                ),
                queries=(
                    Query(expr=_VERDICT),
                    Query(expr="max by (criterion, unit) (figwatch_criterion_value)"),
                ),
            ),
        ),
    )


def _legacy() -> Row:
    moved = f'max by ({_BY_ROUTE}) (figwatch_route_stage{{{ON_ROUTE},stage=~"migrated|retired"}})'
    served = f'max by ({_BY_ROUTE}) (figwatch_route_requests{{{ON_ROUTE},side="legacy"}})'
    zero = f'max by ({_BY_ROUTE}) (figwatch_route_legacy_zero_timestamp_seconds{{{ON_ROUTE},bound="expected"}})'
    ratio = f"max by ({_BY_ROUTE}) (figwatch_route_legacy_ratio{{{ON_ROUTE}}})"
    return Row(
        title="Legacy, route by route",
        panels=(
            Panel(
                key="legacy-ratio-by-route",
                title="Requests that legacy serves, by route",
                description=(
                    "Legacy / all requests of users in the last hour. The migration is done when every line is at 0."
                ),
                unit="percentunit",
                lowest=0,
                highest=1,
                height=10,
                queries=(Query(expr=ratio, legend="{{route}}"),),
            ),
            Panel(
                key="legacy-by-route",
                title="Stage and forecast, by route",
                description=(
                    "How far each route is, and when legacy serves nothing on it any more at this pace,"
                    " or why no date can be given."
                ),
                unit="none",
                kind=Kind.TABLE,
                height=10,
                columns=(
                    Column(source="route", title="Route"),
                    Column(source="stage", title="Stage"),
                    Column(source="#A", title="Legacy", unit="percentunit"),
                    Column(source="#B", title="Zero on", unit="dateTimeAsIso", meanings=_NO_DATE),
                    Column(source="outcome", title="Forecast"),
                ),
                queries=(
                    Query(expr=ratio),
                    Query(expr=f"1000 * ({zero} or 0 * {ratio})"),
                    Query(expr=f"max by (service, route, stage) (figwatch_route_stage{{{ON_ROUTE}}})"),
                    Query(expr=f"max by (service, route, outcome) (figwatch_route_legacy_forecast{{{ON_ROUTE}}})"),
                ),
            ),
            Panel(
                key="legacy-leak",
                title="Requests to legacy on routes that have moved",
                description="Of the last hour, on routes whose stage is migrated or retired: none should be left.",
                unit="none",
                width=24,
                height=7,
                lowest=0,
                alerts=(AlertName.LEGACY_LEAK,),
                queries=(Query(expr=f"{served} and on ({_BY_ROUTE}) {moved}", legend="{{route}}"),),
            ),
        ),
    )


def _budgets() -> Row:
    return Row(
        title="Error budgets",
        panels=(
            Panel(
                key="budgets",
                title="What is left of each budget",
                description="Of the route that has the least left: 100% is untouched, 0% spent, below that overdrawn.",
                unit="percentunit",
                kind=Kind.GAUGES,
                height=10,
                lowest=0,
                highest=1,
                steps=SPENT,
                queries=(
                    Query(
                        expr=f"min by (service, slo) (figwatch_slo_budget_remaining_ratio{{{ON_ROUTE}}})",
                        legend="{{slo}}",
                    ),
                ),
            ),
            Panel(
                key="budgets-over-time",
                title="Budgets over time",
                description="The same as it developed. A line that falls faster than its window passes will not last.",
                unit="percentunit",
                height=10,
                highest=1,
                queries=(
                    Query(
                        expr=f"min by (service, slo) (figwatch_slo_budget_remaining_ratio{{{ON_ROUTE}}})",
                        legend="{{slo}}",
                    ),
                ),
            ),
        ),
    )
