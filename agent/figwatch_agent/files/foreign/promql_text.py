"""Selectors and numbers as text."""

from fractions import Fraction

from figwatch_agent.model.selector import Matcher, Selector


def selector_text(selector: Selector, suffix: str = "", more: tuple[Matcher, ...] = ()) -> str:
    """A selector in PromQL, its metric continued by ``suffix`` and narrowed by ``more``."""
    matchers = (*selector.matchers, *more)
    inside = ",".join(f"{one.label}{one.operator}{_quoted(one.value)}" for one in matchers)
    return f"{selector.metric}{suffix}{{{inside}}}" if inside else selector.metric + suffix


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def decimal_text(number: Fraction) -> str | None:
    """The number with all its digits; None where they never end."""
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return None
    digits = next(count for count in range(10_000) if (number * 10**count).denominator == 1)
    whole = str(abs(number.numerator) * 10**digits // number.denominator).rjust(digits + 1, "0")
    sign = "-" if number < 0 else ""
    return sign + (f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole)


def percent_text(ratio: Fraction) -> str | None:
    """A ratio as a percentage; None where its digits never end."""
    text = decimal_text(ratio * 100)
    return None if text is None else f"{text}%"
