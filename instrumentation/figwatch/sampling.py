"""Whether a span is recorded: OpenTelemetry's samplers, compiled to one comparison each.

Without a sampler the caller decides and a trace that begins here is recorded: `parentbased_always_on`, OpenTelemetry's
default. A ratio compares the lower 64 bits of the trace id with its bound, as every SDK does, so that all services of
one trace agree.
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from figwatch.tracing import SAMPLED, LightSpan

Sampler = Callable[[LightSpan, str, Callable[[Any], str], Any], None]
"""Sets the sampled flag of a span that is as the caller's trace left it; knows method, path (a reader) and carrier."""

Decide = Callable[[str], bool]
"""Whether a trace of this id (hex) is recorded, no matter what the caller decided."""

SAMPLER_VARIABLE: Final = "OTEL_TRACES_SAMPLER"
ARGUMENT_VARIABLE: Final = "OTEL_TRACES_SAMPLER_ARG"
_PARENT_BASED: Final = "parentbased_"
_DEFAULT: Final = "parentbased_always_on"
_RANGE: Final = 2**64
# Compiled when first used, not at import: a service pays for that in every process it starts.
_RATIO: Final = r"TraceIdRatioBased\{([0-9.e+-]+)\}"
_PARENT: Final = (
    r"ParentBased\{root:(.*),remoteParentSampled:AlwaysOnSampler,remoteParentNotSampled:AlwaysOffSampler,"
    r"localParentSampled:AlwaysOnSampler,localParentNotSampled:AlwaysOffSampler\}"
)

_logger = logging.getLogger("figwatch")


def from_environment(environment: Mapping[str, str]) -> Sampler | None:
    """The sampler that OTEL_TRACES_SAMPLER names; None for the default, and with a warning for what cannot be read."""
    name = environment.get(SAMPLER_VARIABLE, "").strip().lower() or _DEFAULT
    kind = name.removeprefix(_PARENT_BASED)
    if kind not in ("always_on", "always_off", "traceidratio"):
        _logger.warning("%s=%r is not known: %s is used", SAMPLER_VARIABLE, name, _DEFAULT)
        return None
    if name == _DEFAULT:
        return None
    decide = _ratio(_rate(environment)) if kind == "traceidratio" else _always if kind == "always_on" else _never
    return _sampler(decide, parent_based=name.startswith(_PARENT_BASED))


def from_description(description: str) -> Sampler | None:
    """The sampler that an SDK's own one describes itself as; None where it is not one of OpenTelemetry's plain ones."""
    parent = re.fullmatch(_PARENT, description)
    decide = _described(parent[1] if parent is not None else description)
    return None if decide is None else _sampler(decide, parent_based=parent is not None)


def never(span: LightSpan, _method: str, _path: Callable[[Any], str], _carrier: Any) -> None:
    """Record nothing, whatever the caller says."""
    span.flags &= ~SAMPLED


def _sampler(decide: Decide, *, parent_based: bool) -> Sampler:
    def sample(span: LightSpan, _method: str, _path: Callable[[Any], str], _carrier: Any) -> None:
        if parent_based and span.parent_id:
            return
        span.flags = span.flags | SAMPLED if decide(span.trace_id) else span.flags & ~SAMPLED

    return sample


def _described(description: str) -> Decide | None:
    ratio = re.fullmatch(_RATIO, description)
    if ratio is not None:
        return _ratio(float(ratio[1]))
    return {"AlwaysOnSampler": _always, "AlwaysOffSampler": _never}.get(description)


def _rate(environment: Mapping[str, str]) -> float:
    text = environment.get(ARGUMENT_VARIABLE, "1.0")
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        _logger.warning("%s=%r is no ratio from 0 to 1: 1.0 is used", ARGUMENT_VARIABLE, text)
        return 1.0
    return rate


def _ratio(rate: float) -> Decide:
    bound = round(rate * _RANGE)

    def decide(trace_id: str) -> bool:
        return int(trace_id[16:], 16) < bound

    return decide


def _always(_trace_id: str) -> bool:
    return True


def _never(_trace_id: str) -> bool:
    return False
