"""Grafana's dashboards: stable, complete, linked with alerts both ways, and asking for nothing that does not exist."""

from __future__ import annotations

import json
import re
from itertools import combinations
from urllib.parse import parse_qs, urlsplit

import jsonschema
import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.models import units

from figwatch_agent.generate.dashboards.board import Board, Panel, Query, Row
from figwatch_agent.generate.dashboards.business import REFERENCE, business
from figwatch_agent.generate.dashboards.files import boards as made
from figwatch_agent.generate.dashboards.files import dashboard_files
from figwatch_agent.generate.dashboards.grafana import dashboard_text
from figwatch_agent.generate.panel_ids import PANELS, panel_id
from figwatch_agent.generate.texts import Links
from figwatch_agent.model.names import AlertName
from support.dashboards import FOLDER, asked, boards, chosen, known_series, panels, queries
from support.generate import committed, rules_of
from support.parts import ROOT, shared

UIDS = ("overview", "service", "slo", "incidents", "agent", "business")
BOARDS = boards()
ALL = [(uid, panel) for uid, board in BOARDS.items() for panel in panels(board)]


def board_of(*found: Panel, uid: str = "figwatch-test") -> Board:
    """A dashboard of one row."""
    return Board(uid=uid, title="t", description="d", rows=(Row(title="r", panels=found),))


def panel(key: str, **more: object) -> Panel:
    """A panel with what every panel has."""
    fields: dict[str, object] = {
        "title": key,
        "description": "d",
        "unit": "none",
        "queries": (Query(expr="up"),),
        **more,
    }
    return Panel(key=key, **fields)  # type: ignore[arg-type]  # tests name real fields


def ids(text: str) -> dict[str, int]:
    """Title -> id of the panels of a dashboard."""
    return {each["title"]: each["id"] for each in panels(json.loads(text))}


def test_what_is_committed_is_what_is_generated() -> None:
    assert {file.name: file.read_text("utf-8") for file in FOLDER.glob("*.json")} == dashboard_files(Links())


def test_every_dashboard_has_the_uid_that_links_name() -> None:
    assert set(BOARDS) == {f"figwatch-{name}" for name in UIDS}
    assert all((FOLDER / f"{uid}.json").is_file() for uid in BOARDS)


def test_ids_are_those_that_links_of_yesterday_name() -> None:
    assert panel_id("figwatch-slo", "burn-that-pages") == 375_440
    assert panel_id("figwatch-service", "traffic") == 806_959


def test_every_panel_keeps_the_id_that_it_had_when_links_to_it_were_first_given() -> None:
    """A panel that is new gets a line; a line that changes breaks links that people keep."""
    kept = (ROOT / "tests/golden/dashboards/panels.txt").read_text("utf-8").splitlines()
    assert kept == sorted(f"{uid} {found['id']} {found['title']}" for uid, found in ALL)


def test_titles_are_written_as_sentences() -> None:
    names = {"SLO", "P95", "P50", "Alertmanager"}
    for board in BOARDS.values():
        for found in board["panels"]:
            first, *rest = re.findall(r"\w+", found["title"])
            assert first[0].isupper() or first in REFERENCE, found["title"]
            assert [word for word in rest if word[0].isupper() and word not in names] == [], found["title"]


def test_an_id_is_given_once_on_a_dashboard() -> None:
    for board in BOARDS.values():
        given = [each["id"] for each in board["panels"]]
        assert len(given) == len(set(given))


def test_the_id_of_a_panel_does_not_hang_on_where_it_stands() -> None:
    one, two = panel("one"), panel("two")
    assert ids(dashboard_text(board_of(one, two), Links())) == ids(dashboard_text(board_of(two, one), Links()))


def test_every_panel_has_title_description_unit_and_queries() -> None:
    known = {value for name, value in vars(units).items() if name[0].isupper() and isinstance(value, str)}
    for uid, found in ALL:
        assert found["title"], uid
        assert found["description"].endswith("."), found["title"]
        unit = found["fieldConfig"]["defaults"]["unit"]
        assert unit in known or unit.startswith("suffix:"), (found["title"], unit)
        refs = {target["refId"] for target in found["targets"]}
        assert len(refs) == len(found["targets"]) > 0
        assert all(target["datasource"]["uid"] == "${datasource}" for target in found["targets"])


def test_no_title_stands_twice_on_a_dashboard() -> None:
    for board in BOARDS.values():
        titles = [each["title"] for each in panels(board)]
        assert len(titles) == len(set(titles))


@pytest.mark.parametrize("uid", BOARDS)
def test_panels_fill_the_grid_and_do_not_overlap(uid: str) -> None:
    places = [each["gridPos"] for each in BOARDS[uid]["panels"]]
    for place in places:
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
    for one, two in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= two["x"]
            or two["x"] + two["w"] <= one["x"]
            or one["y"] + one["h"] <= two["y"]
            or two["y"] + two["h"] <= one["y"]
        )
        assert apart, (one, two)
    area = sum(place["w"] * place["h"] for place in places)
    assert area == 24 * max(place["y"] + place["h"] for place in places), "there is a gap"


def test_every_query_is_promql_and_asks_for_series_that_exist() -> None:
    known = known_series()
    for where, query in queries():
        assert "$" not in query, f"{where}: a variable that is none"
        promql_parser.parse(query)
        for name in asked(query):
            assert name in known or any(re.fullmatch(name, each) for each in known), f"{where} asks for {name}"


def test_a_series_that_does_not_exist_is_noticed() -> None:
    assert asked('sum(rate(a_total{b="c"}[5m])) / on () max(e) or {__name__=~"f_.+"}') == {"a_total", "e", "f_.+"}
    assert not {"a_total", "e", "f_.+"} & known_series()


def test_every_variable_that_a_query_names_is_a_choice_of_its_dashboard() -> None:
    for board in BOARDS.values():
        choices = {variable["name"] for variable in board["templating"]["list"]}
        named = set(re.findall(r"\$\{?(\w+)", json.dumps(board))) - {"__rate_interval", "__all"}
        assert named <= choices


@pytest.mark.parametrize("uid", BOARDS)
def test_every_choice_changes_what_panels_show(uid: str) -> None:
    shown = " ".join(target["expr"] for found in panels(BOARDS[uid]) for target in found["targets"])
    choices = {
        each["name"]: str(each["query"]) for each in BOARDS[uid]["templating"]["list"] if each["type"] == "query"
    }
    for name in choices:
        by_another = [each for each in choices if each in shown and f"${name}" in choices[each]]
        assert f"${name}" in shown or by_another, f"${name} changes nothing"


NOT_OF_A_SERVICE = {
    "figwatch-overview: Requests that legacy serves",
    "figwatch-overview: Legacy serves nothing from",
    "figwatch-overview: Open incidents",
    "figwatch-overview: Success criteria",
    "figwatch-overview: Verdicts over time",
    "figwatch-overview: Figures",
    "figwatch-incidents: Mean time to mitigate",
    "figwatch-incidents: Alerts of the rules",
}
"""About the whole migration, whatever is chosen."""


def test_whoever_chooses_a_service_sees_that_service_on_every_panel_that_is_not_about_all() -> None:
    of_all = set()
    for uid, found in ALL:
        if "service" in {each["name"] for each in BOARDS[uid]["templating"]["list"]}:
            by_service = [re.search(r"\$(service|chosen_route)\b", each["expr"]) for each in found["targets"]]
            of_all |= set() if all(by_service) else {f"{uid}: {found['title']}"}
    assert of_all == NOT_OF_A_SERVICE


@pytest.mark.parametrize("uid", BOARDS)
def test_all_of_a_choice_is_whatever_there_is_but_for_routes_that_follow_from_it(uid: str) -> None:
    for each in BOARDS[uid]["templating"]["list"][1:]:
        derived = each["name"] == "chosen_route"
        assert (each["current"]["value"], each["includeAll"], each["multi"]) == ("$__all", True, True)
        assert (each.get("allValue"), each.get("hide", 0)) == ((None, 2) if derived else (".*", 0))


def test_choices_are_escaped_as_grafana_does_it() -> None:
    assert chosen("/api/{id}") == "/api/\\\\{id\\\\}"
    assert chosen("a", "b.c") == "(a|b\\\\.c)"


def test_every_alert_leads_to_a_panel_of_its_own_and_that_panel_back_to_its_runbook() -> None:
    assert set(PANELS) == set(AlertName)
    assert len(set(PANELS.values())) == len(PANELS)
    for name, (uid, key) in PANELS.items():
        (found,) = [each for each in panels(BOARDS[uid]) if each["id"] == panel_id(uid, key)]
        assert [urlsplit(link["url"]).path for link in found["links"]] == [f"/runbooks/{name.value}"]


def test_only_panels_that_an_alert_leads_to_name_a_runbook() -> None:
    linked = {(uid, found["id"]) for uid, found in ALL if found["links"]}
    assert linked == {(uid, panel_id(uid, key)) for uid, key in PANELS.values()}


def test_links_of_the_generated_alerts_name_a_panel_and_variables_of_its_dashboard() -> None:
    seen = set()
    for text in committed("*/*.rules.yml").values():
        for rule in rules_of(text):
            if "alert" not in rule:
                continue
            link = urlsplit(rule["annotations"]["dashboard_url"])
            asked_for = parse_qs(link.query)
            uid, key = PANELS[AlertName(rule["alert"])]
            assert link.path == f"/d/{uid}"
            assert asked_for.pop("viewPanel") == [str(panel_id(uid, key))]
            choices = {variable["name"] for variable in BOARDS[uid]["templating"]["list"]}
            assert {name.removeprefix("var-") for name in asked_for} <= choices
            seen.add(uid)
    assert seen == {"figwatch-slo", "figwatch-service", "figwatch-overview", "figwatch-agent"}


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_leads_to_the_others_and_to_figwatch(uid: str) -> None:
    to_boards, agent, runbooks = BOARDS[uid]["links"]
    assert to_boards["type"] == "dashboards"
    assert set(to_boards["tags"]) <= set(BOARDS[uid]["tags"])
    assert to_boards["includeVars"]
    assert to_boards["keepTime"]
    assert (agent["url"], runbooks["url"]) == ("http://127.0.0.1:9464/", "http://127.0.0.1:9464/runbooks/")


@pytest.mark.parametrize("uid", BOARDS)
def test_the_data_source_may_be_chosen_and_is_prometheus_at_first(uid: str) -> None:
    source = BOARDS[uid]["templating"]["list"][0]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    provisioned = yaml.safe_load((ROOT / "deploy/compose/grafana/datasources/prometheus.yaml").read_text("utf-8"))
    assert source["current"]["value"] in {each["uid"] for each in provisioned["datasources"]}


def test_grafana_is_provisioned_with_the_folder_that_holds_them() -> None:
    provider = yaml.safe_load((ROOT / "deploy/compose/grafana/dashboards/figwatch.yaml").read_text("utf-8"))
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text("utf-8"))
    (where,) = [each["options"]["path"] for each in provider["providers"]]
    mounts = {mount["target"]: mount["source"] for mount in compose["services"]["grafana"]["volumes"]}
    assert (ROOT / "deploy/compose" / mounts[where]).resolve() == FOLDER


def test_exemplars_lead_to_traces() -> None:
    sources = yaml.safe_load((ROOT / "deploy/compose/grafana/datasources/prometheus.yaml").read_text("utf-8"))
    (reader,) = [each for each in sources["datasources"] if each["uid"] == "prometheus"]
    (destination,) = reader["jsonData"]["exemplarTraceIdDestinations"]
    assert destination["name"] == "trace_id"  # the label of the library's exemplars
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text("utf-8"))
    assert "--enable-feature=exemplar-storage" in compose["services"]["prometheus"]["command"]
    with_dots = [found["title"] for uid, found in ALL if any(target.get("exemplar") for target in found["targets"])]
    assert with_dots == ["Latency: P95 and P50", "Latency inside: P95"]


def test_the_service_stands_beside_legacy_on_every_golden_signal() -> None:
    for found in panels(BOARDS["figwatch-service"]):
        assert all("served_by" in target["expr"] for target in found["targets"])
        assert all("{{served_by}}" in target["legendFormat"] for target in found["targets"])


def test_incidents_and_rollbacks_are_drawn_over_the_graphs() -> None:
    for uid in set(BOARDS) - {"figwatch-agent"}:
        names = {each["name"]: each for each in BOARDS[uid]["annotations"]["list"]}
        assert set(names) == {"Incidents", "Rollbacks"}
        assert names["Rollbacks"]["useValueForTime"] is True


@pytest.mark.parametrize("uid", BOARDS)
def test_grafanas_own_models_read_everything_that_was_written(uid: str) -> None:
    from grafana_foundation_sdk.models.dashboard import Dashboard  # read already, without its warning

    kept = json.loads(json.dumps(Dashboard.from_json(BOARDS[uid]), default=lambda each: each.to_json()))
    assert kept == BOARDS[uid]


ANYTHING = (("MatcherConfig", "options"), ("DynamicConfigValue", "value"))
"""What may be anything in Grafana; the JSON Schema that is made from it says ``object`` for that."""


@pytest.mark.needs("shared:grafana-jsonschema")
@pytest.mark.parametrize("uid", BOARDS)
def test_it_is_valid_by_the_published_schemas(uid: str) -> None:
    folder = shared("grafana-jsonschema")
    schema = json.loads((folder / "dashboard.jsonschema.json").read_text("utf-8"))
    for definition, name in ANYTHING:
        assert schema["definitions"][definition]["properties"][name]["type"] == "object"
        schema["definitions"][definition]["properties"][name] = {}
    jsonschema.Draft7Validator(schema).validate(BOARDS[uid])
    query = json.loads((folder / "prometheus.jsonschema.json").read_text("utf-8"))
    for found in panels(BOARDS[uid]):
        own = json.loads((folder / f"{found['type'].replace('-', '')}.jsonschema.json").read_text("utf-8"))
        parts = {"Options": found["options"], "FieldConfig": found["fieldConfig"]["defaults"].get("custom")}
        for definition, value in parts.items():
            if value is not None:
                jsonschema.Draft7Validator({**own, "$ref": f"#/definitions/{definition}"}).validate(value)
        for target in found["targets"]:
            jsonschema.Draft7Validator(query).validate(target)


def test_business_metrics_are_those_that_were_named() -> None:
    titles = [each.title for each in business(("orders_total", "cart_size_bytes")).panels]
    assert titles == [
        "orders_total: a second",
        "orders_total: in the last hour",
        "cart_size_bytes: a second",
        "cart_size_bytes: P95 and P50",
    ]
    assert business(("cart_size_bytes",)).panels[1].unit == "bytes"
    with pytest.raises(ValueError, match="needs the name of one"):
        business(())


def test_without_business_metrics_there_is_no_dashboard_of_them() -> None:
    assert "figwatch-business" not in {board.uid for board in made(())}


def test_a_table_shows_its_columns_in_their_order_and_hides_the_rest() -> None:
    for uid, found in ALL:
        if found["type"] != "table":
            continue
        merge, chosen, ordered = found["transformations"]
        assert (merge["id"], chosen["id"], ordered["id"]) == ("merge", "filterFieldsByName", "organize")
        names = chosen["options"]["include"]["names"]
        assert [ordered["options"]["indexByName"][name] for name in names] == list(range(len(names)))
        values = {name for name in names if name.startswith("Value #")}
        refs = {f"Value #{target['refId']}" for target in found["targets"]}
        alone = len(found["targets"]) == 1
        assert values <= ({"Value"} if alone else refs), f"{uid}: {found['title']}"
