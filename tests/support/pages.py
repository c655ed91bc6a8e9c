"""Pages in the Prometheus text format: written by hand in tests, or generated with labels nobody would wish for."""

from collections.abc import Callable

from hypothesis import strategies as st

NUMBERS = st.one_of(
    st.integers(0, 2**60).map(str),
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.sampled_from(["NaN", "+Inf", "-Inf", "-1", "1e3", "0", "-0", "1.5E+2", "00012"]),
)
NAMES = st.sampled_from(["a", "a_total", "b:c", "h_bucket", "h_count", "h_sum", "up", "_x", "z9_created", "z9_total"])
LABEL_NAMES = st.sampled_from(["le", "code", "http_route", "_p", "Q9", "a", "n"])
LABEL_VALUES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8),
    st.sampled_from(['"', "\\", "\n", '\\n"', "a b", "  ", "}", "{", "#", " # {", ",", 'x="y"', "} 5", "é", "", "0.5"]),
)
SERIES = st.tuples(NAMES, st.dictionaries(LABEL_NAMES, LABEL_VALUES, max_size=3))
COMMENTS = st.sampled_from(
    ["", "# a comment", "# HELP other Some \\n help.", "#", "# HELP up", "# EOF", "# HELP up x 5"]
)
SPACES = st.sampled_from([" ", "  ", "\t", " \t "])
OPTIONAL_SPACES = st.sampled_from(["", "", "", " ", "\t"])


def escaped(value: str) -> str:
    """A label value as it stands between its quotes."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


@st.composite
def sample_lines(draw: st.DrawFn, name: str, labels: dict[str, str]) -> str:
    """A sample line of a series, in any writing that the format allows."""
    gap = draw(OPTIONAL_SPACES)
    pairs = [
        f'{gap}{label}{gap}={gap}"{escaped(value)}"{gap}'
        for label, value in draw(st.permutations(list(labels.items())))
    ]
    trailing = draw(st.sampled_from(["", ","])) if pairs else ""
    bare = not pairs and draw(st.booleans())
    braces = "" if bare else "{" + ",".join(pairs) + trailing + "}"
    timestamp = draw(st.sampled_from(["", "", " 1700000000000", "  -5"]))
    lead = draw(OPTIONAL_SPACES)
    return f"{lead}{name}{gap if braces else ''}{braces}{draw(SPACES)}{draw(NUMBERS)}{timestamp}{draw(OPTIONAL_SPACES)}"


def _identity(series: tuple[str, dict[str, str]]) -> tuple[str, tuple[tuple[str, str], ...]]:
    return series[0], tuple(sorted(series[1].items()))


@st.composite
def text_pages(draw: st.DrawFn) -> str:
    """A well-formed page without repeated series."""
    lines: list[str] = []
    for name, labels in draw(st.lists(SERIES, max_size=8, unique_by=_identity)):
        lines += draw(st.lists(COMMENTS, max_size=2))
        lines.append(draw(sample_lines(name, labels)))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return end.join(lines) + draw(st.sampled_from(["", end]))


def of_lines(*lines: str) -> bytes:
    """A page of these lines."""
    return "".join(line + "\n" for line in lines).encode()


def everything(_name: str) -> bool:
    """Wants every sample."""
    return True


def named(*names: str) -> Callable[[str], bool]:
    """Wants these samples."""
    return frozenset(names).__contains__
