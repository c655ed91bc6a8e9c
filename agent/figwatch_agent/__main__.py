"""``figwatch`` and ``python -m figwatch_agent``: name the missing extra, else hand over to the command line.

Standard library only. The parts are looked for, not imported: an import that fails late would slip through, and one
that succeeds would cost every command the time of loading it.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Final

AGENT: Final = {
    "aiohttp": "aiohttp",
    "click": "click",
    "jinja2": "jinja2",
    "numpy": "numpy",
    "prometheus_api_client": "prometheus-api-client",
    "promql_parser": "promql-parser",
    "pydantic": "pydantic",
    "requests": "requests",
    "rich": "rich",
    "slack_sdk": "slack-sdk",
    "stamina": "stamina",
    "structlog": "structlog",
    "urllib3": "urllib3",
    "yaml": "PyYAML",
}
"""Import name -> distribution, for everything in the extra ``agent``."""

DEMO: Final = {"httptools": "httptools", "uvicorn": "uvicorn", "waitress": "waitress"}
"""What ``figwatch demo`` needs on top: the extra ``demo``."""

USAGE: Final = 2


def missing(parts: dict[str, str]) -> list[str]:
    """The distributions of ``parts`` that are not installed."""
    return [distribution for module, distribution in parts.items() if find_spec(module) is None]


def complaint(arguments: list[str]) -> str | None:
    """What to install before ``figwatch ARGUMENTS`` can run, or None."""
    wanted = [("agent", AGENT)]
    if arguments[:1] == ["demo"]:
        wanted = [("demo", AGENT | DEMO)]
    for extra, parts in wanted:
        absent = missing(parts)
        if absent:
            return (
                f"figwatch: the extra '{extra}' is not installed (missing: {', '.join(absent)}).\n"
                f"Install it with: {sys.executable} -m pip install 'figwatch[{extra}]'"
            )
    return None


def main() -> int:
    """Run the command line; exit 2 if its extra is missing."""
    problem = complaint(sys.argv[1:])
    if problem is not None:
        print(problem, file=sys.stderr)
        return USAGE
    from figwatch_agent.cli import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
