"""``figwatch completion``: what makes a shell complete verbs, options, incidents and routes."""

import click
from click.shell_completion import get_completion_class

from figwatch_agent.commands._options import examples

PROGRAM = "figwatch"
VARIABLE = "_FIGWATCH_COMPLETE"


@click.command(
    name="completion",
    epilog=examples(
        'eval "$(figwatch completion bash)"                        # in ~/.bashrc',
        'eval "$(figwatch completion zsh)"                         # in ~/.zshrc',
        "figwatch completion fish > ~/.config/fish/completions/figwatch.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete verbs, options, open incidents and routes."""
    complete = get_completion_class(shell)
    if complete is None:
        raise click.ClickException(f"this click knows no completion for {shell}; install click 8.1 or newer")
    click.echo(complete(context.find_root().command, {}, PROGRAM, VARIABLE).source())
