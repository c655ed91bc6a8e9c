"""The grammar of targets."""

from fractions import Fraction

import pytest

from figwatch_agent.model.target import Form, Target, TargetError, Unit, parse_target


@pytest.mark.parametrize(
    ("text", "form", "unit", "value"),
    [
        ("< 15m", Form.BELOW, Unit.MILLISECONDS, "900000"),
        ("<200ms", Form.BELOW, Unit.MILLISECONDS, "200"),
        ("> 99.9%", Form.ABOVE, Unit.RATIO, "0.999"),
        (">= 99.9%", Form.AT_LEAST, Unit.RATIO, "0.999"),
        ("<= 0", Form.AT_MOST, Unit.NUMBER, "0"),
        ("> 4.5", Form.ABOVE, Unit.NUMBER, "4.5"),
        ("x5", Form.TIMES, Unit.BASELINE, "5"),
        ("x1.5", Form.TIMES, Unit.BASELINE, "1.5"),
        ("+40%", Form.GROWN, Unit.BASELINE, "1.4"),
        ("-30%", Form.SHRUNK, Unit.BASELINE, "0.7"),
        ("-100%", Form.SHRUNK, Unit.BASELINE, "0"),
        ("kept", Form.KEPT, Unit.BASELINE, "1"),
        ("up", Form.UP, Unit.BASELINE, "1"),
    ],
)
def test_a_target_is_read_exactly(text: str, form: Form, unit: Unit, value: str) -> None:
    assert parse_target(text) == Target(text=text, form=form, unit=unit, value=Fraction(value))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "starts with none of"),
        (" kept", "starts with none of"),
        ("kept\n", "starts with none of"),
        ("15m", "starts with none of"),
        ("= 3", "starts with none of"),
        ("Kept", "starts with none of"),
        ("<", "neither a percentage, a duration nor a number"),
        ("< 15 m", "neither a percentage, a duration nor a number"),
        ("< fast", "neither a percentage, a duration nor a number"),
        ("< -1", "neither a percentage, a duration nor a number"),
        ("< 1e3", "neither a percentage, a duration nor a number"),
        ("> 99,9%", "is not a number"),
        ("> %", "is not a number"),
        ("< ٣m", "neither a percentage, a duration nor a number"),
        ("x" + "9" * 5000, "longer than 40 characters"),
        ("< 1m\n", "neither a percentage, a duration nor a number"),
        ("> ٩%", "is not a number"),
        ("x", "is not a number"),
        ("x-5", "is not a number"),
        ("x1", "must be above x1"),
        ("x0.5", "must be above x1"),
        ("+40", "the % is missing"),
        ("+0%", "is none"),
        ("-0.0%", "is none"),
        ("-101%", "more than 100 %"),
        ("-nan%", "is not a number"),
    ],
)
def test_what_is_no_target_is_named_with_the_valid_forms(text: str, wrong: str) -> None:
    with pytest.raises(TargetError, match=wrong) as raised:
        parse_target(text)
    assert "`< 15m`" in str(raised.value)
