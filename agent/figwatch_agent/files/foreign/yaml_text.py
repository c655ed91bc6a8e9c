"""Plain values as YAML that every reader reads alike."""

from typing import Any

import yaml

from figwatch_agent.files.scalars import resolve


class Number(str):
    """A number with the digits that are to be written."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Lists are indented below their key, and text is quoted where a reader could take it for anything else."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Never without indentation."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        """Values are written out."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    style = None if isinstance(resolve(text), str) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|" if "\n" in text.strip() else style)


def _number(dumper: _Dumper, number: Number) -> yaml.Node:
    kind = "float" if "." in number else "int"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", str(number))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Number, _number)


def yaml_text(body: Any, comments: tuple[str, ...] = ()) -> str:
    """One document; keys stay in their order."""
    head = "".join(f"# {comment}\n" for comment in comments)
    text: str = yaml.dump(body, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2_000)
    return head + text


def documents_text(bodies: list[Any]) -> str:
    """Several documents in one file."""
    return "---\n".join(yaml_text(body) for body in bodies)
