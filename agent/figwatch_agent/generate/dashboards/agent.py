"""figwatch itself: whether it ticks, remembers, sees and is heard."""

from figwatch_agent.generate.dashboards.board import Board, Colour, Kind, Panel, Query, Row
from figwatch_agent.generate.dashboards.words import ALARM, RATE, or_none
from figwatch_agent.generate.panel_ids import AGENT
from figwatch_agent.model.names import AlertName

_WELL = (("0", "failing", Colour.BAD), ("1", "well", Colour.GOOD))


def agent() -> Board:
    """The dashboard for whoever runs figwatch."""
    return Board(
        uid=AGENT,
        title="figwatch: the agent itself",
        description="Whether figwatch ticks, remembers, sees what it should, and is heard by its receivers.",
        rows=(_now(), _loop(), _in_and_out(), _library()),
        since="now-6h",
    )


def _now() -> Row:
    def small(key: str, title: str, description: str, unit: str, expr: str, legend: str = "", **more: object) -> Panel:
        return Panel(
            key=key,
            title=title,
            description=description,
            unit=unit,
            kind=Kind.STAT,
            width=4,
            height=5,
            queries=(Query(expr=expr, legend=legend),),
            **more,  # type: ignore[arg-type]  # fields of Panel, named below
        )

    return Row(
        title="Now",
        panels=(
            small(
                "version",
                "Version",
                "Which version runs; more than one name is more than one agent.",
                "none",
                "sum by (version) (figwatch_agent_build_info)",
                "{{version}}",
            ),
            small(
                "store",
                "Store",
                "Whether the newest commit went through: what is not committed is not acted upon.",
                "none",
                "min(figwatch_agent_store_healthy)",
                meanings=_WELL,
            ),
            small(
                "newest-tick",
                "Newest tick was",
                "Time since the newest committed tick; beyond three minutes an alert fires.",
                "s",
                "max(time() - figwatch_agent_last_commit_timestamp_seconds)",
                steps=((None, Colour.GOOD), (60.0, Colour.WARNING), (180.0, Colour.BAD)),
            ),
            small(
                "waiting",
                "Oldest page waits",
                "Age of the oldest page that nobody has taken yet; 0 where none waits.",
                "s",
                "max(figwatch_agent_oldest_pending_page_seconds)",
                steps=((None, Colour.GOOD), (60.0, Colour.WARNING), (300.0, Colour.BAD)),
            ),
            small(
                "unmeasured",
                "Not measured",
                "SLOs on routes that the newest tick could not measure: unknown, neither good nor bad.",
                "none",
                "sum(figwatch_slo_measured == bool 0)",
                steps=ALARM,
            ),
            small(
                "silences",
                "Silences",
                "Silences in force. A silence holds back pages and hides nothing else.",
                "none",
                "sum(figwatch_silences)",
            ),
        ),
    )


def _loop() -> Row:
    buckets = f"sum by (le) (rate(figwatch_agent_tick_seconds_bucket{RATE}))"
    return Row(
        title="Loop",
        panels=(
            Panel(
                key="ticks",
                title="Ticks",
                description=(
                    "Ticks a second that were finished, that ended in an error of the agent, and that"
                    " could not be committed."
                ),
                unit="ops",
                lowest=0,
                queries=(
                    Query(expr=f"sum(rate(figwatch_agent_ticks_total{RATE}))", legend="finished"),
                    Query(expr=f"sum(rate(figwatch_agent_tick_failures_total{RATE}))", legend="failed"),
                    Query(expr=f"sum(rate(figwatch_agent_commit_failures_total{RATE}))", legend="not committed"),
                ),
            ),
            Panel(
                key="tick-seconds",
                title="A tick takes",
                description=(
                    "P95 and P50 from the start of a tick to its end, scraping included: it lasts as long"
                    " as the slowest target."
                ),
                unit="s",
                lowest=0,
                queries=tuple(
                    Query(
                        expr=(
                            f"histogram_quantile({share}, {buckets})"
                            f" and on () (sum(rate(figwatch_agent_tick_seconds_count{RATE})) > 0)"
                        ),
                        legend=legend,
                    )
                    for share, legend in (("0.95", "P95"), ("0.5", "P50"))
                ),
            ),
        ),
    )


def _in_and_out() -> Row:
    return Row(
        title="What it sees, and who hears it",
        panels=(
            Panel(
                key="targets",
                title="Scrape targets",
                description="How many answered the newest tick. What does not answer is unknown until it does.",
                unit="none",
                lowest=0,
                width=8,
                stacked=True,
                alerts=(AlertName.TELEMETRY_LOST,),
                queries=(Query(expr="max by (state) (figwatch_targets)", legend="{{state}}"),),
            ),
            Panel(
                key="scrape-failures",
                title="Scrapes without an answer",
                description="A second, by the reason.",
                unit="ops",
                lowest=0,
                width=8,
                queries=(
                    Query(
                        expr=or_none(f"sum by (reason) (rate(figwatch_agent_scrape_failures_total{RATE}))", "reason"),
                        legend="{{reason}}",
                    ),
                ),
            ),
            Panel(
                key="deliveries",
                title="Deliveries",
                description="Attempts to deliver a page a second, by receiver and what became of them.",
                unit="ops",
                lowest=0,
                width=8,
                alerts=(AlertName.DELIVERY_FAILING,),
                queries=(
                    Query(
                        expr=or_none(
                            f"sum by (receiver, result) (rate(figwatch_agent_deliveries_total{RATE}))", "receiver"
                        ),
                        legend="{{receiver}} {{result}}",
                    ),
                ),
            ),
            Panel(
                key="alertmanager-members",
                title="Members of an Alertmanager",
                description=(
                    "Requests a second to each, resends included, by what became of them: a page counts as"
                    " delivered where one has it, so a member that fails shows only here and in the log."
                ),
                unit="ops",
                lowest=0,
                width=8,
                queries=(
                    Query(
                        expr=or_none(
                            "sum by (receiver, member, result)"
                            f" (rate(figwatch_agent_alertmanager_requests_total{RATE}))",
                            "receiver",
                        ),
                        legend="{{receiver}} {{member}} {{result}}",
                    ),
                ),
            ),
            Panel(
                key="wall-clock",
                title="Step of the wall clock",
                description=(
                    "How far the wall clock moved away from the agent's own since its start; it is"
                    " recorded and never counted."
                ),
                unit="s",
                width=8,
                queries=(
                    Query(expr="max by (instance) (figwatch_agent_wall_clock_step_seconds)", legend="{{instance}}"),
                ),
            ),
            Panel(
                key="coverage",
                title="Measured time",
                description="Measured time / window, of the SLO that is covered least; what is missing is unknown.",
                unit="percentunit",
                lowest=0,
                highest=1,
                width=8,
                queries=(Query(expr="min by (service) (figwatch_slo_coverage_ratio)", legend="{{service}}"),),
            ),
        ),
    )


def _library() -> Row:
    return Row(
        title="The library inside the services",
        panels=(
            Panel(
                key="dropped-spans",
                title="Dropped spans",
                description="Spans a second that no longer fitted the queue or could not be sent, by process.",
                unit="ops",
                lowest=0,
                queries=(
                    Query(expr=f"sum by (instance) (rate(figwatch_dropped_spans_total{RATE}))", legend="{{instance}}"),
                ),
            ),
            Panel(
                key="library-faults",
                title="Faults that were swallowed",
                description=(
                    "A second: faults inside the instrumentation, exports that failed, migration headers"
                    " not believed, labels folded. Requests do not suffer from any of them."
                ),
                unit="ops",
                lowest=0,
                queries=tuple(
                    Query(expr=f"sum(rate({series}{RATE})) or vector(0)", legend=legend)
                    for series, legend in (
                        ("figwatch_internal_errors_total", "faults inside"),
                        ("figwatch_export_failures_total", "exports failed"),
                        ("figwatch_untrusted_migration_headers_total", "headers not believed"),
                        ("figwatch_folded_label_values_total", "labels folded"),
                    )
                ),
            ),
        ),
    )
