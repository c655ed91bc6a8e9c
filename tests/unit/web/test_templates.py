"""Templates and assets travel with the package, and templates forgive nothing."""

from __future__ import annotations

from importlib.resources import files

import jinja2
import pytest

from figwatch_agent.web.pages import STATIC, Assets
from figwatch_agent.web.pages_rendering import Templates, digest_of


def test_every_template_is_in_the_package_and_compiles() -> None:
    environment = jinja2.Environment(loader=jinja2.PackageLoader("figwatch_agent.web"), autoescape=True)
    environment.filters.update(Templates()._environment.filters)
    names = environment.list_templates()
    assert {"layout.html", "overview.html", "route.html", "incident.html", "agent.html", "runbook.html"} <= set(names)
    for name in names:
        environment.get_template(name)


def test_every_asset_is_in_the_package_and_has_a_path_that_changes_with_it() -> None:
    assets = Assets()
    for name in STATIC:
        assert (files("figwatch_agent.web") / "static" / name).is_file()
        assert assets.path(name) == f"/static/{assets.digest}/{name}"


def test_the_script_is_smaller_than_three_kilobytes_and_the_style_sheet_a_few() -> None:
    sizes = {name: len(text) for name, text in Assets()._texts.items()}
    assert sizes["figwatch.js"] < 3 * 1024
    assert sizes["figwatch.css"] < 17 * 1024


def test_a_name_that_nobody_gave_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        Templates().fragments("missing.html", {"sentence": "x"})


def test_what_is_given_is_escaped() -> None:
    (fragment,) = Templates().fragments("missing.html", {"sentence": "<script>", "more": "'\"&"})
    assert "<script>" not in fragment.html
    assert "&lt;script&gt;" in fragment.html


def test_a_fragment_does_not_change_because_time_went_by() -> None:
    was = '<p><time class="age" datetime="x">3 s ago</time> <time datetime="y">20:00:00 UTC</time></p>'
    assert digest_of(was) == digest_of(was.replace("3 s ago", "4 s ago"))
    assert digest_of(was) != digest_of(was.replace("20:00:00", "20:00:01"))
