"""The command line: a table of verbs, each loaded when it is called.

Imports click and the standard library alone, so that ``figwatch check`` never pays for what ``figwatch run`` needs.

Exit codes: 0 ok, 1 error, 2 usage, 3 findings in the files checked, 4 criteria or gate not met or the demo's story
differed, 5 not enough data.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NamedTuple

import click
from click.shell_completion import CompletionItem

from figwatch.contract import __version__
from figwatch_agent.errors import FigwatchError, FilesInvalid, NotEnoughData

ERROR: Final = 1
FINDINGS: Final = 3
NOT_ENOUGH_DATA: Final = 5
COMMANDS: Final = "figwatch_agent.commands"


class Verb(NamedTuple):
    """A line of the help, and the module that carries it out."""

    name: str
    help: str
    module: str


class Section(NamedTuple):
    """Verbs that belong together, in the order in which they are needed."""

    title: str
    verbs: tuple[Verb, ...]


def _verb(name: str, text: str) -> Verb:
    return Verb(name, text, f"{COMMANDS}.{name}")


SECTIONS: Final = (
    Section(
        "Begin",
        (
            _verb("demo", "Watch a whole migration break, page, roll back and recover, here, in 90 seconds."),
            _verb("init", "Write a figwatch.yaml, a slo/ file and runbooks to start from."),
            _verb("check", "Find everything that is wrong with the files, with line and caret."),
            _verb("schema", "Print the JSON Schema of the files, for your editor."),
            _verb("completion", "Print the script that makes your shell complete what you type."),
            Verb("import", "Make slo/ of files of Sloth, Pyrra, OpenSLO or slo-generator.", f"{COMMANDS}.import_"),
            _verb("export", "Write slo/ as files of OpenSLO or Sloth."),
            _verb("generate", "Write what is made from the files: the index of the runbooks."),
        ),
    ),
    Section("Run", (_verb("run", "Measure, decide, page, roll back and report until told to stop."),)),
    Section(
        "Look",
        (
            _verb("status", "Show incidents, routes, SLOs and success criteria now."),
            _verb("explain", "Say why it pages, why it does not, why a rollback is withheld."),
            _verb("notify", "Send a test message to the receivers."),
        ),
    ),
    Section(
        "Act",
        (
            _verb("ack", "Say that you are on it."),
            _verb("silence", "Keep a route or an incident quiet for a while; it is watched on."),
            _verb("resolve", "Close an incident by hand."),
            _verb("exclude", "Set maintenance aside: it counts neither for nor against a promise."),
            _verb("rollback", "List, show and approve rollbacks; re-arm a route after one."),
        ),
    ),
    Section(
        "Prove",
        (
            _verb("events", "Tell of deployments, samples of data and other figures; list them."),
            _verb("baseline", "Record what criteria are compared with, once."),
            _verb("report", "Write the criteria with verdicts and evidence, and all that they rest on."),
            _verb("gate", "Ask whether a route may move on, with an exit code for CI."),
            _verb("replay", "Tell what would have alerted over a history; or run a recording again."),
            _verb("backtest", "Compare what two versions of slo/ would have paged over a history."),
            _verb("audit", "Show who asked for what, and verify that nobody changed that account."),
        ),
    ),
)

VERBS: Final = {verb.name: verb for section in SECTIONS for verb in section.verbs}


class Table(click.Group):
    """Knows the verbs by name and help, and loads only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all verbs in the order of the help."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a verb; None where there is no such verb."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        command: click.Command = import_module(verb.module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest verb where there is none of that name."""
        if args and args[0] not in VERBS:
            ctx.fail(_unknown(args[0]))
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer verbs with their help, and load none of them."""
        verbs = [
            CompletionItem(verb.name, help=verb.help) for verb in VERBS.values() if verb.name.startswith(incomplete)
        ]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Sections instead of one long list; nothing is loaded for it."""
        width = max(len(name) for name in VERBS)
        for section in SECTIONS:
            with formatter.section(section.title):
                formatter.write_dl([(verb.name.ljust(width), verb.help) for verb in section.verbs])


@click.command(cls=Table, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="figwatch", message="%(prog)s %(version)s")
@click.pass_context
def figwatch(context: click.Context) -> None:
    """Is each migrated route as good as legacy was? figwatch measures it, pages people when it is not, and sends a
    route back to legacy when that would help.

    \b
    To see it:   figwatch demo
    To begin:    figwatch init, then figwatch check, then figwatch run
    When paged:  figwatch status, then figwatch ack INCIDENT

    Each verb explains itself: figwatch VERB --help
    """
    if os.environ.get("NO_COLOR"):
        context.color = False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code. Errors that were expected are a message, never a traceback."""
    try:
        ended = figwatch.main(args=arguments, prog_name="figwatch", standalone_mode=False)
    except click.Abort:
        click.echo("figwatch: stopped", err=True)
        return ERROR
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except FigwatchError as error:
        return _failed(error)
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at exit
        return ERROR
    return ended if isinstance(ended, int) else 0


def _failed(error: FigwatchError) -> int:
    if isinstance(error, FilesInvalid):
        click.echo(error.rendered, err=True)
        return FINDINGS
    click.echo(f"figwatch: {str(error) or type(error).__doc__}", err=True)
    return NOT_ENOUGH_DATA if isinstance(error, NotEnoughData) else ERROR


def _unknown(name: str) -> str:
    from difflib import get_close_matches  # on the way of those who mistype

    near = get_close_matches(name, VERBS, n=1, cutoff=0.5)
    hint = f"did you mean `figwatch {near[0]}`?" if near else f"there are {', '.join(VERBS)}"
    return f"there is no verb {name!r}: {hint}"
