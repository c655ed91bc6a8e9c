"""Dashboards as Grafana reads them, made by the builders of grafana-foundation-sdk (the extra ``dashboards``)."""

import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from figwatch_agent.generate.dashboards.board import Annotation, Board, Colour, Kind, Panel, Query, Variable
from figwatch_agent.generate.panel_ids import panel_id
from figwatch_agent.generate.texts import Links

with warnings.catch_warnings():
    # It would rather build the second schema, which no Grafana before 12 reads from a file; this one all of them do.
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import (
        bargauge,
        common,
        dashboard,
        prometheus,
        stat,
        statetimeline,
        table,
        timeseries,
    )
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.common import (
        BigValueColorMode,
        BigValueGraphMode,
        DataSourceRef,
        GraphDrawStyle,
        StackingMode,
        TooltipDisplayMode,
        VisibilityMode,
    )
    from grafana_foundation_sdk.models.dashboard import (
        DashboardCursorSync,
        DashboardLinkType,
        DataTransformerConfig,
        DynamicConfigValue,
        GridPos,
        Threshold,
        ThresholdsMode,
        ValueMap,
        ValueMappingResult,
        VariableHide,
        VariableOption,
        VariableRefresh,
        VariableSort,
    )
    from grafana_foundation_sdk.models.prometheus import PromQueryFormat

WIDTH: Final = 24
"""Columns of Grafana's grid."""
DATASOURCE: Final = "prometheus"
"""Uid of the data source that is chosen at first."""
TAG: Final = "figwatch"

_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")


def dashboard_text(board: Board, links: Links) -> str:
    """The file of one dashboard; the same board gives the same bytes."""
    made = json.loads(JSONEncoder().encode(_dashboard(board, links).build()))
    return json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _dashboard(board: Board, links: Links) -> dashboard.Dashboard:
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .time(board.since, "now")
        .timezone("browser")
        .refresh("30s")
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .links(_board_links(links))
        .with_variable(_datasource())
    )
    for variable in board.variables:
        made = made.with_variable(_variable(variable))
    for annotation in board.annotations:
        made = made.annotation(_annotation(annotation))
    top = 0
    for row in board.rows:
        place = GridPos(x=0, y=top, w=WIDTH, h=1)
        made = made.with_row(dashboard.Row(row.title).id(panel_id(board.uid, f"row {row.title}")).grid_pos(place))
        places, top = _places(row.panels, top + 1)
        for panel, at in zip(row.panels, places, strict=True):
            made = made.with_panel(_panel(board, panel, at, links))
    return made


def _places(panels: Sequence[Panel], top: int) -> tuple[list[GridPos], int]:
    """Where each panel stands, side by side while there is room; and where the next row begins."""
    places, left, height = [], 0, 0
    for panel in panels:
        if left + panel.width > WIDTH:
            top, left, height = top + height, 0, 0
        places.append(GridPos(x=left, y=top, w=panel.width, h=panel.height))
        left, height = left + panel.width, max(height, panel.height)
    return places, top + height


def _board_links(links: Links) -> list[Any]:
    return [
        dashboard.DashboardLink("figwatch boards")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True),
        _link("figwatch itself", links.agent + "/", "The pages of the agent"),
        _link("Runbooks", links.runbooks, "One page per alert"),
    ]


def _link(title: str, url: str, tooltip: str) -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink(title)
        .type(DashboardLinkType.LINK)
        .url(url)
        .tooltip(tooltip)
        .icon("external link")
        .target_blank(True)
    )


def _datasource() -> dashboard.DatasourceVariable:
    return (
        dashboard.DatasourceVariable("datasource")
        .label("Data source")
        .type("prometheus")
        .current(VariableOption(text="Prometheus", value=DATASOURCE))
    )


def _variable(variable: Variable) -> dashboard.QueryVariable:
    """Several may be chosen; at first it is all of them, and whatever has no such label."""
    query = f"label_values({variable.series}, {variable.label})"
    made = (
        dashboard.QueryVariable(variable.name)
        .label(variable.title)
        .datasource(_SOURCE)
        .query(query)
        .definition(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .current(VariableOption(text="All", value="$__all"))
    )
    return made.hide(VariableHide.HIDE_VARIABLE) if variable.derived else made.all_value(".*")


def _annotation(annotation: Annotation) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name(annotation.name)
        .datasource(_SOURCE)
        .enable(True)
        .icon_color(annotation.colour.value)
        .expr(annotation.expr)
        .title_format(annotation.title)
        .text_format(annotation.text)
        .step("30s")
        .use_value_for_time(annotation.value_is_time)
    )


def _panel(board: Board, panel: Panel, place: GridPos, links: Links) -> Any:
    made = (
        _KINDS[panel.kind](panel)
        .id(panel_id(board.uid, panel.key))
        .title(panel.title)
        .description(panel.description)
        .datasource(_SOURCE)
        .grid_pos(place)
        .unit(panel.unit)
        .thresholds(
            dashboard.ThresholdsConfig()
            .mode(ThresholdsMode.ABSOLUTE)
            .steps([Threshold(value=value, color=colour.value) for value, colour in panel.steps])
        )
        .links(
            [
                _link(f"Runbook {name.value}", f"{links.runbooks}{name.value}", "Of the alert that leads here")
                for name in panel.alerts
            ]
        )
    )
    for index, query in enumerate(panel.queries):
        made = made.with_target(_query(panel, query, chr(ord("A") + index)))
    if panel.lowest is not None:
        made = made.min(panel.lowest)
    if panel.highest is not None:
        made = made.max(panel.highest)
    if panel.decimals is not None:
        made = made.decimals(panel.decimals)
    if panel.meanings:
        made = made.mappings([_meanings(panel.meanings)])
    return made


def _query(panel: Panel, query: Query, ref: str) -> prometheus.Dataquery:
    made = prometheus.Dataquery().ref_id(ref).expr(query.expr).datasource(_SOURCE).exemplar(query.exemplars)
    if query.legend:
        made = made.legend_format(query.legend)
    if panel.kind is Kind.TABLE:
        return made.instant().format(PromQueryFormat.TABLE)
    return made.instant() if panel.kind in (Kind.STAT, Kind.GAUGES) else made.range()


def _meanings(meanings: Iterable[tuple[str, str, Colour]]) -> ValueMap:
    return ValueMap(
        options={
            value: ValueMappingResult(text=text, color=colour.value, index=index)
            for index, (value, text, colour) in enumerate(meanings)
        }
    )


def _graph(panel: Panel) -> timeseries.Panel:
    made = (
        timeseries.Panel()
        .line_width(2)
        .fill_opacity(10)
        .show_points(VisibilityMode.NEVER)
        .span_nulls(False)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .legend(common.VizLegendOptions().show_legend(True))
    )
    if panel.stacked:
        made = made.stacking(common.StackingConfig().mode(StackingMode.NORMAL)).fill_opacity(40)
    if any(query.dashed for query in panel.queries):
        dashes = {"fill": "dash", "dash": [8, 6]}
        made = made.override_by_regexp(
            "^threshold",
            [
                DynamicConfigValue(id_val="custom.lineStyle", value=dashes),
                DynamicConfigValue(id_val="custom.fillOpacity", value=0),
            ],
        )
    return made


def _bars(panel: Panel) -> timeseries.Panel:
    return _graph(panel).draw_style(GraphDrawStyle.BARS).line_width(0).fill_opacity(80)


def _stat(panel: Panel) -> stat.Panel:
    made = stat.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    return made.color_mode(BigValueColorMode.VALUE).graph_mode(BigValueGraphMode.NONE)


def _gauges(panel: Panel) -> bargauge.Panel:
    return bargauge.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])).show_unfilled(True)


def _timeline(panel: Panel) -> statetimeline.Panel:
    return statetimeline.Panel().merge_values(True).row_height(0.8).fill_opacity(80)


def _table(panel: Panel) -> table.Panel:
    """Rows with the same labels become one; columns that are not named are hidden."""
    value = "Value {}" if len(panel.queries) > 1 else "Value"  # so Grafana calls them
    names = [value.format(each.source) if each.source[0] == "#" else each.source for each in panel.columns]
    titles = {name: column.title for name, column in zip(names, panel.columns, strict=True)}
    options = {"include": {"names": names}}
    made = (
        table.Panel()
        .with_transformation(DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(DataTransformerConfig(id_val="filterFieldsByName", options=options))
        .with_transformation(
            DataTransformerConfig(
                id_val="organize",
                options={
                    "indexByName": {name: index for index, name in enumerate(names)},
                    "renameByName": titles,
                },
            )
        )
    )
    for column in panel.columns:
        values = [DynamicConfigValue(id_val="unit", value=column.unit)] if column.source[0] == "#" else []
        if column.meanings:
            values.append(DynamicConfigValue(id_val="mappings", value=[_meanings(column.meanings).to_json()]))
        if values:
            made = made.override_by_name(column.title, values)
    return made


_KINDS: Final[Mapping[Kind, Callable[[Panel], Any]]] = {
    Kind.GRAPH: _graph,
    Kind.BARS: _bars,
    Kind.STAT: _stat,
    Kind.GAUGES: _gauges,
    Kind.TIMELINE: _timeline,
    Kind.TABLE: _table,
}
