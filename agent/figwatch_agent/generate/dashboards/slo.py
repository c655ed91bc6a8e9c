"""One SLO in detail: how its budget burns down, how fast, against which thresholds, and the ledger behind it."""

from figwatch import contract
from figwatch_agent.generate.dashboards.board import Board, Column, Kind, Panel, Query, Row
from figwatch_agent.generate.dashboards.words import (
    CHOSEN_ROUTES,
    JUDGED,
    ON_SLO,
    RATE,
    ROUTES,
    SERVICES,
    SLOS,
    SPENT,
    WELL,
    YES_NO,
    newest_rollbacks,
    of,
    open_incidents,
)
from figwatch_agent.generate.panel_ids import SLO
from figwatch_agent.generate.series import BAD, EVENTS, MINUTE_OF, RATIO, REMAINING
from figwatch_agent.model.names import AlertName

_TIER = "service, slo, route, tier"


def slo() -> Board:
    """The dashboard that alerts about budgets lead to."""
    return Board(
        uid=SLO,
        title="figwatch: SLO detail",
        description=(
            "One promise: what is left of its budget, how fast it burns against each tier's threshold, and the counts."
        ),
        rows=(_budget(), _burning(), _ledger()),
        variables=(SERVICES, SLOS, ROUTES, CHOSEN_ROUTES),
        annotations=(open_incidents(), newest_rollbacks()),
        since="now-24h",
    )


def _budget() -> Row:
    return Row(
        title="Budget",
        panels=(
            Panel(
                key="objective",
                title="Promised",
                description="The objective of each SLO, as it stands in slo/.",
                unit="percentunit",
                kind=Kind.STAT,
                width=6,
                decimals=3,
                queries=(of("figwatch_slo_objective_ratio", "{{slo}}", by="slo"),),
            ),
            Panel(
                key="budget-left",
                title="Left of the budget",
                description="1 - bad events / (events x budget) over the SLO's window; below 0 it is overdrawn.",
                unit="percentunit",
                kind=Kind.STAT,
                width=6,
                steps=SPENT,
                queries=(of("figwatch_slo_budget_remaining_ratio", "{{slo}} {{route}}"),),
            ),
            Panel(
                key="burn-down",
                title="Budget burn-down",
                description=(
                    "What is left over time, as the agent counts it and as the rules do. Both count whole"
                    " events; minutes that one of them missed make the difference."
                ),
                unit="percentunit",
                highest=1,
                steps=SPENT,
                queries=(
                    of("figwatch_slo_budget_remaining_ratio", "{{slo}} {{route}}"),
                    Query(
                        expr=f'{{__name__=~"{REMAINING}_.+",{ON_SLO}}}',
                        legend="{{slo}} {{route}} by rules",
                    ),
                ),
            ),
        ),
    )


def _burning() -> Row:
    def burning(severity: str, alert: AlertName, key: str, title: str, what: str) -> Panel:
        matchers = f'{ON_SLO},severity="{severity}",tier!~"early.*"'
        return Panel(
            key=key,
            title=title,
            description=f"The burn rate of each tier's long window beside its threshold, dashed. {what}",
            unit="suffix:x",
            lowest=0,
            alerts=(alert,),
            queries=(
                of("figwatch_slo_burn_rate", "{{slo}} {{route}} {{tier}}", matchers, _TIER),
                Query(
                    expr=f"max by (tier) (figwatch_slo_burn_rate_threshold{{{matchers}}})",
                    legend="threshold {{tier}}",
                    dashed=True,
                ),
            ),
        )

    return Row(
        title="How fast it burns",
        panels=(
            burning(
                "page",
                AlertName.ERROR_BUDGET_BURN_FAST,
                "burn-that-pages",
                "Burn rates that page",
                "Above it for the long and the short window, with enough evidence, somebody is woken.",
            ),
            burning(
                "ticket",
                AlertName.ERROR_BUDGET_BURN_SLOW,
                "burn-that-opens-tickets",
                "Burn rates that open tickets",
                "Above it nobody needs to get up, and somebody has to care.",
            ),
            Panel(
                key="early-lane",
                title="Early lane",
                description=(
                    "The burn rate that the early lane sees, and whether it fires. It adds up evidence"
                    " within seconds, so there is no threshold to draw."
                ),
                unit="suffix:x",
                lowest=0,
                alerts=(AlertName.EARLY_OUTAGE,),
                queries=(
                    of(
                        "figwatch_slo_burn_rate",
                        "{{slo}} {{route}} {{tier}}",
                        f'{ON_SLO},tier=~"early.*"',
                        _TIER,
                    ),
                ),
            ),
            Panel(
                key="bad-ratio",
                title="Bad events",
                description=(
                    "Bad / all events over 5 minutes and over an hour, by the rules: failed requests, or"
                    " of a latency SLO those that were too slow as well."
                ),
                unit="percentunit",
                lowest=0,
                alerts=(AlertName.LATENCY_DEGRADED,),
                queries=(
                    Query(expr=f"{RATIO}5m{{{ON_SLO}}}", legend="{{slo}} {{route}} 5m"),
                    Query(expr=f"{RATIO}1h{{{ON_SLO}}}", legend="{{slo}} {{route}} 1h"),
                ),
            ),
            Panel(
                key="tiers",
                title="Tiers that fire",
                description="Each tier of each route over time.",
                unit="none",
                kind=Kind.TIMELINE,
                meanings=YES_NO,
                queries=(of("figwatch_slo_tier_firing", "{{slo}} {{route}} {{tier}}", by=_TIER),),
            ),
            Panel(
                key="uptime",
                title="Uptime",
                description=(
                    "By probes: up / known time, with the bounds that unknown time leaves open. It"
                    " belongs to a service, not to a route."
                ),
                unit="percentunit",
                highest=1,
                alerts=(AlertName.UPTIME_LOW,),
                queries=(
                    of(
                        "figwatch_slo_uptime_ratio",
                        "{{service}} {{bound}}",
                        'service=~"$service"',
                        "service, slo, bound",
                    ),
                ),
            ),
        ),
    )


def _ledger() -> Row:
    count = f"{contract.REQUEST_DURATION}_count"
    side = contract.SERVED_BY
    all_of_them = f"sum by ({side}) (increase({count}{{{JUDGED}}}{RATE}))"
    well = f"sum by ({side}) (increase({count}{{{WELL}}}{RATE}))"
    events = f"max by (service, slo, route) (figwatch_slo_window_events{{{ON_SLO}}})"
    objective = f"max by (service, slo, route) (figwatch_slo_objective_ratio{{{ON_SLO}}})"
    return Row(
        title="Ledger",
        panels=(
            Panel(
                key="ledger",
                title="Account of the window",
                description=(
                    "Whole events of the SLO's window: how many there were, how many were bad, how many may be."
                ),
                unit="none",
                kind=Kind.TABLE,
                width=24,
                columns=(
                    Column(source="slo", title="SLO"),
                    Column(source="route", title="Route"),
                    Column(source="#A", title="Events", unit="locale"),
                    Column(source="#B", title="Bad", unit="locale"),
                    Column(source="#C", title="May be bad", unit="locale"),
                    Column(source="#D", title="Left", unit="percentunit"),
                    Column(source="#E", title="Measured", unit="percentunit"),
                ),
                queries=(
                    Query(expr=events),
                    of("figwatch_slo_window_bad_events", ""),
                    Query(expr=f"{events} * (1 - {objective})"),
                    of("figwatch_slo_budget_remaining_ratio", ""),
                    of("figwatch_slo_coverage_ratio", ""),
                ),
            ),
            Panel(
                key="bad-by-minute",
                title="Bad events, minute by minute",
                description="What the rules wrote into the account of each minute, without extrapolation.",
                unit="none",
                kind=Kind.BARS,
                stacked=True,
                lowest=0,
                queries=(Query(expr=f"{BAD}{MINUTE_OF}{{{ON_SLO}}}", legend="{{slo}} {{route}}"),),
            ),
            Panel(
                key="events-by-minute",
                title="Events, minute by minute",
                description=(
                    "All events of the same minutes. A minute that was not measured has no bar; one"
                    " without traffic has 0."
                ),
                unit="none",
                kind=Kind.BARS,
                stacked=True,
                lowest=0,
                queries=(Query(expr=f"{EVENTS}{MINUTE_OF}{{{ON_SLO}}}", legend="{{slo}} {{route}}"),),
            ),
            Panel(
                key="failed-by-side",
                title="Failed requests by side",
                description="Who failed them: the service, or legacy. Estimated by the rate of the counters.",
                unit="none",
                kind=Kind.BARS,
                stacked=True,
                lowest=0,
                width=24,
                queries=(Query(expr=f"{all_of_them} - ({well} or 0 * {all_of_them})", legend=f"{{{{{side}}}}}"),),
            ),
        ),
    )
