"""Incidents and rollbacks: what happened, what was decided, whether it helped."""

from figwatch import contract
from figwatch_agent.generate.dashboards.board import Board, Colour, Column, Kind, Panel, Query, Row
from figwatch_agent.generate.dashboards.words import (
    ALARM,
    CHOSEN_ROUTES,
    ON_ROUTE,
    ROUTES,
    SERVICES,
    USERS,
    failed_ratio,
    newest_rollbacks,
    of,
    open_incidents,
    or_none,
    rate,
)
from figwatch_agent.generate.panel_ids import INCIDENTS as UID
from figwatch_agent.model.names import AlertName

_DECIDED = "figwatch_rollback_decided_timestamp_seconds"
_ARMED = (("0", "latched", Colour.WARNING), ("1", "armed", Colour.GOOD))
_COUNTS = (
    ("0", "none", Colour.GOOD),
    ("1", "one", Colour.BAD),
    ("2", "two", Colour.BAD),
)


def incidents() -> Board:
    """The dashboard for the middle of it, and for the talk afterwards."""
    return Board(
        uid=UID,
        title="figwatch: incidents and rollbacks",
        description="What users suffered, what was decided about it, and whether a rollback helped.",
        rows=(_now(), _what_users_saw(), _rollbacks()),
        variables=(SERVICES, ROUTES, CHOSEN_ROUTES),
        annotations=(open_incidents(), newest_rollbacks()),
        since="now-6h",
    )


def _now() -> Row:
    began = "figwatch_incident_impact_start_timestamp_seconds"
    ended = "figwatch_incident_mitigated_timestamp_seconds"
    by = "service, route"
    return Row(
        title="Incidents",
        panels=(
            Panel(
                key="open-over-time",
                title="Open incidents over time",
                description="How many incidents each route has open, pages and tickets together.",
                unit="none",
                kind=Kind.TIMELINE,
                width=14,
                meanings=_COUNTS,
                queries=(
                    Query(
                        expr=(
                            "sum by (service, route) (max by (service, route, severity)"
                            f" (figwatch_route_open_incidents{{{ON_ROUTE}}}))"
                        ),
                        legend="{{route}}",
                    ),
                ),
            ),
            Panel(
                key="mttr",
                title="Mean time to mitigate",
                description=(
                    "From the first bad tick to the end of the last, as the criterion counts it; open"
                    " incidents are in its bounds."
                ),
                unit="ms",
                kind=Kind.STAT,
                width=5,
                queries=(of("figwatch_criterion_value", "{{criterion}}", 'measure="mttr",unit="ms"', "criterion"),),
            ),
            Panel(
                key="prometheus-alerts",
                title="Alerts of the rules",
                alerts=(AlertName.EXTERNAL_ALERT,),
                description="Alerts that fire in Prometheus now; the agent's own are the incidents beside.",
                unit="none",
                kind=Kind.STAT,
                width=5,
                steps=ALARM,
                queries=(
                    Query(
                        expr=or_none('count by (alertname) (ALERTS{alertstate="firing"})', "alertname"),
                        legend="{{alertname}}",
                    ),
                ),
            ),
            Panel(
                key="newest",
                title="Newest incident of each route",
                description=(
                    "When it began and ended for users, and what the guard decided about a rollback, with its reason."
                ),
                unit="none",
                kind=Kind.TABLE,
                width=24,
                height=7,
                columns=(
                    Column(source="service", title="Service"),
                    Column(source="route", title="Route"),
                    Column(source="#A", title="Began", unit="dateTimeAsIso"),
                    Column(source="#B", title="Mitigated", unit="dateTimeAsIso"),
                    Column(source="outcome", title="Decided"),
                    Column(source="reason", title="Because"),
                ),
                queries=(
                    Query(expr=f"1000 * max by ({by}) ({began}{{{ON_ROUTE}}})"),
                    Query(expr=f"1000 * max by ({by}) ({ended}{{{ON_ROUTE}}})"),
                    Query(expr=f"max by ({by}, outcome, reason) (figwatch_rollback_decision{{{ON_ROUTE}}})"),
                ),
            ),
        ),
    )


def _what_users_saw() -> Row:
    side = f"{{{{{contract.SERVED_BY}}}}}"
    return Row(
        title="What users saw",
        panels=(
            Panel(
                key="errors-by-side",
                title="Errors by side",
                description=(
                    "Failed / all requests at the edge. Both sides failing alike is a shared cause, which"
                    " no rollback mends."
                ),
                unit="percentunit",
                lowest=0,
                queries=(Query(expr=failed_ratio(), legend=side),),
            ),
            Panel(
                key="traffic-by-side",
                title="Traffic by side",
                description="Requests of users a second, by the side that served them: a rollback shows as a swap.",
                unit="reqps",
                lowest=0,
                stacked=True,
                queries=(Query(expr=rate(f"{contract.REQUEST_DURATION}_count", USERS), legend=side),),
            ),
        ),
    )


def _rollbacks() -> Row:
    def counted(key: str, title: str, label: str, value: str, description: str, alert: AlertName) -> Panel:
        newest = f'{_DECIDED}{{{ON_ROUTE},{label}="{value}"}}'
        return Panel(
            key=key,
            title=title,
            description=description,
            unit="none",
            kind=Kind.STAT,
            width=4,
            steps=ALARM,
            alerts=(alert,),
            queries=(Query(expr=f"count(max by (service, route) ({newest})) or vector(0)", legend=title),),
        )

    return Row(
        title="Rollbacks",
        panels=(
            Panel(
                key="rollbacks",
                title="Newest rollback of each route",
                description="What became of it, and whether the edge showed that it helped.",
                unit="none",
                kind=Kind.TABLE,
                width=12,
                columns=(
                    Column(source="route", title="Route"),
                    Column(source="#A", title="Decided", unit="dateTimeAsIso"),
                    Column(source="state", title="State"),
                    Column(source="verdict", title="Verdict"),
                ),
                queries=(Query(expr=f"1000 * max by (service, route, state, verdict) ({_DECIDED}{{{ON_ROUTE}}})"),),
            ),
            counted(
                "rollbacks-ineffective",
                "Did not help",
                "verdict",
                "ineffective",
                "Routes that are back on legacy and still fail: the cause is elsewhere.",
                AlertName.ROLLBACK_INEFFECTIVE,
            ),
            counted(
                "rollbacks-unverified",
                "Not verified",
                "verdict",
                "unverified",
                "Routes with too few requests since the rollback to tell whether it helped.",
                AlertName.ROLLBACK_UNVERIFIED,
            ),
            counted(
                "rollbacks-need-a-person",
                "Need a person",
                "state",
                "needs_human",
                "Rollbacks that stopped half-way and must not go on by themselves.",
                AlertName.ROLLBACK_NEEDS_HUMAN,
            ),
            Panel(
                key="armed",
                title="Whether a rollback may run by itself",
                description="One automatic rollback a route; then it is latched until a person re-arms it.",
                unit="none",
                kind=Kind.TIMELINE,
                width=24,
                height=6,
                meanings=_ARMED,
                queries=(of("figwatch_route_rollback_armed", "{{route}}", ON_ROUTE, "service, route"),),
            ),
        ),
    )
