"""The report as Markdown, for a wiki or a pull request."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from figwatch_agent.report.lines_of_text import evidence_of, rests_on, sections, value_of, verdict_line
from figwatch_agent.report.words import visible

Json = Mapping[str, Any]

_MARKS: Final = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def report_markdown(document: Json) -> str:
    """CommonMark with tables; texts of others are escaped."""
    parts = [
        f"# {_said(document['migration'] or 'Migration')}",
        f"At {document['at']}, rollback mode {document['mode']}. Measured since {document['started_at']}.",
        f"**{verdict_line(document)}**",
        "## Success criteria",
        _table(
            ("Criterion", "Target", "Verdict", "Value", "Evidence"),
            [
                (visible(each["name"]), visible(each["target"]), each["verdict"], value_of(each), evidence_of(each))
                for each in document["criteria"]
            ],
            "No criterion is declared.",
        ),
    ]
    for each in document["criteria"]:
        parts.append(f"### {_said(visible(each['name']))}: {each['verdict']}")
        parts.append("\n".join(f"- {_said(what)}: {_said(said)}" for what, said in rests_on(each)))
    for title, line, columns, rows, empty in sections(document):
        parts += [f"## {title}", *([_said(line)] if line else []), _table(columns, rows, empty)]
    return "\n\n".join(parts) + "\n"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> str:
    lines = [_row(row) for row in rows]
    return "\n".join([_row(columns), "|" + "---|" * len(columns), *lines]) if lines else empty


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_said(cell) for cell in cells) + " |"


def _said(text: str) -> str:
    return _MARKS.sub(r"\\\1", visible(text))
