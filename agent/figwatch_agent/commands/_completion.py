"""What the shell offers while somebody types: incidents and routes as a running agent knows them."""

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from figwatch_agent.errors import FigwatchError
from figwatch_agent.files.load import SETTINGS


def incidents(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of open incidents, each with its route, and those routes."""
    found = _open(context)
    return _fitting((*((one["id"], one["route"]) for one in found), *((one["route"], "") for one in found)), incomplete)


def routes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Routes of the files."""
    from figwatch_agent.commands._options import loaded_from

    try:
        services = loaded_from(_settings(context)).services
    except (FigwatchError, click.ClickException, OSError):
        return []
    return _fitting(((route.template, one.service) for one in services for route in one.routes), incomplete)


def subjects(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Both."""
    known = {
        item.value: item
        for item in (*incidents(context, parameter, incomplete), *routes(context, parameter, incomplete))
    }
    return list(known.values())


def _open(context: click.Context) -> list[dict[str, str]]:
    """Open incidents; none where files or state cannot be read: a completion complains about nothing."""
    from figwatch_agent.commands._kept import kept
    from figwatch_agent.commands._options import loaded_from

    try:
        found = kept(loaded_from(_settings(context)).settings).incidents
    except (FigwatchError, click.ClickException, OSError):
        return []
    return [one for one in found if one["open"]]


def _settings(context: click.Context) -> str:
    return str(context.params.get("config") or SETTINGS)


def _fitting(pairs: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(value, help=text) for value, text in pairs if value and value.startswith(incomplete)]
