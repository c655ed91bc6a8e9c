"""YAML as text: keys in the order given, many lines as a block, the same bytes for the same value."""

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Without aliases, which readers of generated files would have to follow."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(header: str, value: object) -> str:
    """``header`` and the document."""
    body = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)
    return f"{header}{body}"
