"""Names that stay the same however often a rollback is resumed."""

import hashlib

from figwatch_agent.model.effect import RollbackState


def step_key(rollback: str, step: str) -> str:
    """Idempotency key of a step: fit for headers and environments, whatever the ids are made of."""
    return _digest(rollback, step, "step")


def compensation_key(rollback: str, step: str) -> str:
    """Idempotency key of what undoes a step."""
    return _digest(rollback, step, "compensation")


def effect_id(rollback: str, step: str | None, state: RollbackState) -> str:
    """Written twice, it is one effect."""
    return f"{rollback}/{step or ''}/{state.value}"


def _digest(*parts: str) -> str:
    text = "\x1f".join(parts)
    return "figwatch-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
