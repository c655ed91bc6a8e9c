"""What a span may carry of a request beyond its shape: only what is allowed by name.

    figwatch.instrument(app, service="chat", capture=("path", "query.page", "header.x-tenant"))

Without a name nothing is recorded: query strings, paths with their ids, and headers stay with the request. Values reach
spans alone, never a label of a metric.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

from figwatch.errors import DefinitionError

VALUE_LENGTH: Final = 256
"""Characters of a captured value that are kept."""

# Compiled when first used, not at import: a service pays for that in every process it starts.
_FORM: Final = r"path|query\.[^\s=&]+|header\.[A-Za-z0-9!#$%&'*+.^_`|~-]+"


class Capture:
    """The allowed names, parsed once."""

    def __init__(self, names: Sequence[str]) -> None:
        """Raises DefinitionError for what is no `path`, `query.NAME` or `header.NAME`."""
        for name in [names] if isinstance(names, str) else names:
            if isinstance(names, str) or not re.fullmatch(_FORM, name):
                raise DefinitionError(
                    f"capture {names!r}: write a sequence of 'path', 'query.NAME' and 'header.NAME', not {name!r}"
                )
        self.path = "path" in names
        """Whether the path may be recorded as the client sent it, ids included."""
        self._query = tuple(name.removeprefix("query.") for name in names if name.startswith("query."))
        self._headers = tuple(name.removeprefix("header.").lower() for name in names if name.startswith("header."))
        self.any = bool(self.path or self._query or self._headers)

    def read(
        self, carrier: Any, query: Callable[[Any], str], header: Callable[[Any, str], str | None]
    ) -> dict[str, str]:
        """The allowed values as attributes of a span; absent ones are left out."""
        found: dict[str, str] = {}
        if self._query:
            sent = parse_qs(query(carrier), keep_blank_values=True)
            found = {
                f"figwatch.query.{name}": ",".join(sent[name])[:VALUE_LENGTH] for name in self._query if name in sent
            }
        for name in self._headers:
            value = header(carrier, name)
            if value is not None:
                found[f"http.request.header.{name}"] = value[:VALUE_LENGTH]
        return found


NOTHING: Final = Capture(())
