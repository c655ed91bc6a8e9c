"""Error ratio, burn rate and what is left of an error budget, in exact arithmetic over event counts."""

from dataclasses import dataclass
from fractions import Fraction


def error_ratio(bad: int, total: int) -> Fraction | None:
    """Bad events / all events; None without traffic, which is neither good nor bad.

    A source that counts more good events than events gives a negative ratio: it is shown, not clipped.
    """
    if total < 0:
        raise ValueError(f"a total of events cannot be negative, got {total}: pass increases of counters")
    return Fraction(bad, total) if total else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """The error budget of one objective; a share of the events may be bad."""

    objective: Fraction  # good events / all events, between 0 and 1, both excluded

    def __post_init__(self) -> None:
        if not 0 < self.objective < 1:
            raise ValueError(f"an objective lies between 0 and 1, both excluded, got {self.objective}")

    @property
    def ratio(self) -> Fraction:
        """The error ratio that spends exactly the budget: 1 - objective."""
        return 1 - self.objective

    def burn_rate(self, bad: int, total: int) -> Fraction | None:
        """Error ratio / error budget; 1 spends the budget in exactly one period. None without traffic."""
        ratio = error_ratio(bad, total)
        return None if ratio is None else ratio / self.ratio

    def remaining(self, bad: int, total: int) -> Fraction | None:
        """The share of the period's budget that is left; negative once overspent. None without traffic."""
        burnt = self.burn_rate(bad, total)
        return None if burnt is None else 1 - burnt


def budget_remaining(bad: int, total: int, objective: Fraction) -> Fraction | None:
    """1 - bad / (total * (1 - objective)); negative once overspent, None without traffic."""
    return Budget(objective=objective).remaining(bad, total)


def time_to_exhaustion(remaining: Fraction | None, burn_rate: Fraction | None, period: int) -> int | None:
    """Milliseconds until the budget is spent if errors and traffic go on as now, rounded down.

    `remaining` is the share of the budget left, `burn_rate` the current one, `period` the SLO's window in milliseconds.
    0 when it is spent already; None when nothing burns or either figure is unknown. Old errors that leave the rolling
    window meanwhile are not counted back, so this is the earliest time.
    """
    if remaining is None or burn_rate is None:
        return None
    if remaining <= 0:
        return 0
    if burn_rate <= 0:
        return None
    return int(remaining * period / burn_rate)
