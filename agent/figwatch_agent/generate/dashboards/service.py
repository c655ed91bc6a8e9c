"""One service at the edge: its golden signals, beside legacy's on the same panels."""

from typing import Final

from figwatch import contract
from figwatch_agent.generate.dashboards.board import Board, Kind, Panel, Query, Row
from figwatch_agent.generate.dashboards.words import (
    CHOSEN_ROUTES,
    JUDGED,
    RATE,
    ROUTES,
    SERVICES,
    USERS,
    WELL,
    failed_ratio,
    newest_rollbacks,
    open_incidents,
    quantile,
    rate,
)
from figwatch_agent.generate.panel_ids import SERVICE
from figwatch_agent.model.names import AlertName

_COUNT: Final = f"{contract.REQUEST_DURATION}_count"
_FAST: Final = f'{contract.REQUEST_DURATION}_bucket{{{WELL},le="0.2"}}{RATE}'
_SIDE: Final = f"{{{{{contract.SERVED_BY}}}}}"


def service() -> Board:
    """The dashboard for whoever runs a service."""
    return Board(
        uid=SERVICE,
        title="figwatch: service",
        description="What users of a service get, and what those get whom legacy still serves, on the same panels.",
        rows=(_signals(), _answers(), _inside()),
        variables=(SERVICES, ROUTES, CHOSEN_ROUTES),
        annotations=(open_incidents(), newest_rollbacks()),
        since="now-1h",
    )


def _signals() -> Row:
    return Row(
        title="Golden signals at the edge, service beside legacy",
        panels=(
            Panel(
                key="traffic",
                title="Traffic",
                description="Requests of users a second, by the side that served them. Shadow copies are left out.",
                unit="reqps",
                lowest=0,
                alerts=(AlertName.TRAFFIC_LOST,),
                queries=(Query(expr=rate(_COUNT, USERS), legend=_SIDE),),
            ),
            Panel(
                key="errors",
                title="Errors",
                description=(
                    "Failed / all requests: 5xx, failed or silent upstreams, broken answers. Who went away is left out."
                ),
                unit="percentunit",
                lowest=0,
                queries=(Query(expr=failed_ratio(), legend=_SIDE),),
            ),
            Panel(
                key="latency",
                title="Latency: P95 and P50",
                description=(
                    "From the first byte in to the last byte out, between bucket bounds. Dots are single"
                    " requests: each leads to its trace."
                ),
                unit="s",
                lowest=0,
                queries=(
                    Query(
                        expr=quantile(contract.REQUEST_DURATION, USERS, "0.95"), legend=f"{_SIDE} P95", exemplars=True
                    ),
                    Query(expr=quantile(contract.REQUEST_DURATION, USERS, "0.5"), legend=f"{_SIDE} P50"),
                ),
            ),
            Panel(
                key="within-promise",
                title="Served well within 200 ms",
                description=(
                    "Requests that succeeded within 200 ms / all requests: an exact bucket bound, so no interpolation."
                ),
                unit="percentunit",
                highest=1,
                queries=(
                    Query(
                        expr=f"sum by ({contract.SERVED_BY}) (rate({_FAST})) / ({rate(_COUNT, JUDGED)} > 0)",
                        legend=_SIDE,
                    ),
                ),
            ),
        ),
    )


def _answers() -> Row:
    return Row(
        title="Answers",
        panels=(
            Panel(
                key="statuses",
                title="Answers by status",
                description=(
                    "Requests of users a second by status and side; an empty status is a request without an answer."
                ),
                unit="reqps",
                kind=Kind.BARS,
                stacked=True,
                queries=(
                    Query(
                        expr=rate(_COUNT, USERS, f"{contract.STATUS}, {contract.SERVED_BY}"),
                        legend=f"{{{{{contract.STATUS}}}}} {_SIDE}",
                    ),
                ),
            ),
            Panel(
                key="first-byte",
                title="Time to first byte: P95",
                description="Until the first byte of the body went out: what users of a streamed answer wait for.",
                unit="s",
                lowest=0,
                queries=(Query(expr=quantile(contract.TIME_TO_FIRST_BYTE, USERS, "0.95"), legend=_SIDE),),
            ),
        ),
    )


def _inside() -> Row:
    inside = f'{contract.VANTAGE}="application",{contract.ROUTE}=~"$chosen_route"'
    return Row(
        title="As the applications see it (for diagnosis: it adds nothing to what the edge counts)",
        panels=(
            Panel(
                key="application-traffic",
                title="Requests by instance",
                description=(
                    "Requests a second that each process answered. A gap to the edge's count is lost on the way."
                ),
                unit="reqps",
                lowest=0,
                queries=(
                    Query(
                        expr=rate(_COUNT, inside, f"instance, {contract.SERVED_BY}"),
                        legend=f"{{{{instance}}}} {_SIDE}",
                    ),
                ),
            ),
            Panel(
                key="application-latency",
                title="Latency inside: P95",
                description=(
                    "As the applications measure it themselves. What the edge has on top is the network and the queue."
                ),
                unit="s",
                lowest=0,
                queries=(
                    Query(
                        expr=quantile(contract.REQUEST_DURATION, inside, "0.95"),
                        legend=f"{_SIDE} P95",
                        exemplars=True,
                    ),
                ),
            ),
        ),
    )
