"""Is the service side worse than its control? A test that stays valid however often it is looked at.

Looking at every tick multiplies false alarms. So the k-th look of one incident has only the level
alpha_k = 0.1 / ((k + 9) (k + 10)), and all of them together sum to 1 %. A look splits its level evenly over the windows
the caller fixed beforehand, and a window evenly between the bound of the service and the bound of the control. Whatever
the looks and windows have in common, the probability of one false `worse` in an incident is at most 1 %, as long as
failures are independent of each other.

The margin. A difference below one error budget could not break the objective by itself, and a difference below half of
what the control fails leaves at least two thirds of the failures where they are: sending traffic to the control would
not help by anything worth the risk. So "worse" means worse by more than max(budget, half the control's error ratio).

Shared cause. Where both sides surely exceed the threshold that fired, and the service is not worse by that margin, both
fail alike, and the control is no refuge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from figwatch_agent.durations import Duration
from figwatch_agent.evaluate.evidence import proportion_bounds

LEVEL = Fraction(1, 100)  # of a false answer in one incident, over all looks and windows
_FIRST_LOOKS = 10  # the levels sum to 1 / this x _SPENDING; ten keeps the first minute's looks sharp
_SPENDING = LEVEL * _FIRST_LOOKS

MARGIN_OF_CONTROL = Fraction(1, 2)
MINIMUM_SERVICE_BAD = 2  # one failure is never evidence
MINIMUM_CONTROL_TOTAL = 10  # a control that hardly answered is no control


class Outcome(StrEnum):
    """What one look says about the service side."""

    WORSE = "worse"  # surely worse than its control, by more than the margin
    SHARED = "shared"  # both sides surely fail beyond the threshold, and the service not by a margin more
    NOT_WORSE = "not_worse"  # surely not worse by the margin, in every window with enough evidence
    UNDECIDED = "undecided"  # the counts allow either; unknown, never good and never bad


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Events of one side in one window; for a recorded baseline, the events of the recording."""

    bad: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.bad <= self.total:
            raise ValueError(f"counts need 0 <= bad <= total, got {self.bad} bad of {self.total}")

    @property
    def ratio(self) -> Fraction | None:
        """Error ratio; None without events."""
        return Fraction(self.bad, self.total) if self.total else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """Both sides over one window of the fixed set."""

    window: Duration
    service: Counts
    control: Counts


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowFigures:
    """What one window shows; bounds are exact (Clopper-Pearson) at this look's level."""

    sides: Sides
    service_low: float
    service_high: float
    control_low: float
    control_high: float
    margin: Fraction  # by how much worse is worse
    enough: bool  # the minimum evidence for `worse` and `not_worse` is there

    @property
    def effect(self) -> Fraction | None:
        """Error ratio of the service less that of the control, as counted; None where a side has no events."""
        service, control = self.sides.service.ratio, self.sides.control.ratio
        return None if service is None or control is None else service - control

    @property
    def worse(self) -> bool:
        """Surely worse by more than the margin."""
        bad_enough = self.sides.service.bad >= MINIMUM_SERVICE_BAD
        return self.enough and bad_enough and self.service_low > self.control_high + self.margin

    @property
    def not_worse(self) -> bool:
        """Surely not worse by the margin. A side that served nobody is not known to be as good as a bad one."""
        measured = self.enough and self.sides.service.total > 0
        return measured and self.service_high < self.control_low + self.margin


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One look, with everything a person needs to follow it."""

    outcome: Outcome
    look: int  # 1 is the first of the incident
    level: Fraction  # of this look, over all its windows
    decisive: WindowFigures | None  # the window that decided; the shortest where several did
    windows: tuple[WindowFigures, ...]  # from the shortest to the longest


def level_of_look(look: int) -> Fraction:
    """The level of the look-th look at one incident, counted from 1."""
    if look < 1:
        raise ValueError(f"looks are counted from 1, got {look}")
    return _SPENDING / ((look + _FIRST_LOOKS - 1) * (look + _FIRST_LOOKS))


def margin(control: Counts, budget: Fraction) -> Fraction:
    """By how much the service must exceed its control: max(budget, half of the control's error ratio)."""
    return max(budget, MARGIN_OF_CONTROL * (control.ratio or 0))


def compare(sides: Sequence[Sides], look: int, objective: Fraction, factor: Fraction) -> Comparison:
    """Look once at an incident whose tier fired at `factor` budgets of `objective`.

    `sides` holds the same windows at every look; `look` grows by one each time somebody looks. Windows without events
    stay in the list: dropping them would change the set. The control is legacy now, or its recorded baseline. For a
    tier that fires at a ratio of its own, such as the early lane's p1, `factor` is that ratio / budget.
    """
    if not sides:
        raise ValueError("a comparison needs at least one window")
    budget = 1 - objective
    level = level_of_look(look)
    windows = tuple(_figures(s, level / len(sides), budget) for s in sorted(sides, key=lambda s: s.window))
    outcome, decisive = _judge(windows, factor * budget)
    return Comparison(outcome=outcome, look=look, level=level, decisive=decisive, windows=windows)


def _figures(sides: Sides, level: Fraction, budget: Fraction) -> WindowFigures:
    service_low, service_high = proportion_bounds(sides.service.bad, sides.service.total, level)
    control_low, control_high = proportion_bounds(sides.control.bad, sides.control.total, level)
    return WindowFigures(
        sides=sides,
        service_low=service_low,
        service_high=service_high,
        control_low=control_low,
        control_high=control_high,
        margin=margin(sides.control, budget),
        enough=sides.control.total >= MINIMUM_CONTROL_TOTAL,
    )


def _judge(windows: tuple[WindowFigures, ...], threshold: Fraction) -> tuple[Outcome, WindowFigures | None]:
    worse = [w for w in windows if w.worse]
    if worse:
        return Outcome.WORSE, worse[0]
    shared = [w for w in windows if w.enough and w.service_low > threshold and w.control_low > threshold]
    if shared:
        return Outcome.SHARED, shared[0]
    # A long window dilutes a fault that has just begun, so one window alone never clears the service.
    telling = [w for w in windows if w.enough]
    if telling and all(w.not_worse for w in telling):
        return Outcome.NOT_WORSE, telling[0]
    return Outcome.UNDECIDED, None
