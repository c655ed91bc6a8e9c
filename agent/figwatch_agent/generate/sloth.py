"""The names under which Sloth records the same, so that dashboards made for it go on working.

One series per SLO, over all of its routes, as Sloth would record it; from counts, so that a quiet minute weighs
nothing. Names and labels are those of slok/sloth, pkg/common/conventions.
"""

from figwatch_agent.durations import DAY, Duration, format_duration
from figwatch_agent.generate.promql import number
from figwatch_agent.generate.rule import Recording
from figwatch_agent.generate.series import BAD, EVENTS, of, over
from figwatch_agent.model.slo import ServiceSlos, Slo

ERROR_RATIO = "slo:sli_error:ratio_rate"


def identity(service: ServiceSlos, slo: Slo) -> dict[str, str]:
    """Labels by which dashboards find an SLO."""
    return {
        "sloth_id": f"{service.service}-{slo.name}",
        "sloth_service": service.service,
        "sloth_slo": slo.name,
    }


def error_ratios(service: ServiceSlos, slo: Slo, windows: tuple[Duration, ...]) -> tuple[Recording, ...]:
    """One ratio of sums for every window."""
    return tuple(
        Recording(
            record=over(ERROR_RATIO, window),
            expr=f"sum({of(over(BAD, window), slo=slo.name)})\n/ (sum({of(over(EVENTS, window), slo=slo.name)}) > 0)",
            labels=identity(service, slo) | {"sloth_window": format_duration(window)},
        )
        for window in windows
    )


def about(service: ServiceSlos, slo: Slo, current: Duration) -> tuple[Recording, ...]:
    """What Sloth records beside the ratios; ``current`` is the shortest window."""
    labels = identity(service, slo)
    whose = " on (sloth_id, sloth_slo, sloth_service) group_left "
    budget = of("slo:error_budget:ratio", **labels)
    burned = of("slo:period_burn_rate:ratio", **labels)
    info = labels | {
        "sloth_mode": "figwatch-generate",
        "sloth_objective": number(100 * slo.objective),
        "sloth_spec": "figwatch/v1",
        "sloth_version": "figwatch",
    }

    def burning(window: Duration) -> str:
        return f"{of(over(ERROR_RATIO, window), **labels)}\n/{whose}{budget}"

    return (
        Recording(record="slo:objective:ratio", expr=f"vector({number(slo.objective)})", labels=labels),
        Recording(record="slo:error_budget:ratio", expr=f"vector({number(1 - slo.objective)})", labels=labels),
        Recording(record="slo:time_period:days", expr=f"vector({_days(service.window)})", labels=labels),
        Recording(record="slo:current_burn_rate:ratio", expr=burning(current), labels=labels),
        Recording(record="slo:period_burn_rate:ratio", expr=burning(service.window), labels=labels),
        Recording(record="slo:period_error_budget_remaining:ratio", expr=f"1 - {burned}", labels=labels),
        Recording(record="sloth_slo_info", expr="vector(1)", labels=info),
    )


def _days(window: Duration) -> str:
    whole, rest = divmod(window, DAY)
    return str(whole) if not rest else repr(window / DAY)
