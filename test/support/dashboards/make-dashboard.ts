/** Writes a dashboard as the classic JSON that each Grafana imports; helps of the metrics become descriptions of the panels. */

import * as common from '@grafana/grafana-foundation-sdk/common';
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  StackingMode,
  VisibilityMode,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  TextBoxVariableBuilder,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { Catalogue } from '../metric-catalogue.ts';
import type { Dashboard, Panel, Variable } from './dashboard.ts';
import { readExpression } from './promql.ts';

/** The data source that a person chooses. */
const SOURCE = { type: 'prometheus', uid: '$datasource' };
const [GREEN, ORANGE, RED] = ['green', 'orange', 'red'];
/** A page has 24 columns. */
const [NUMBER_COLUMNS, LINES_COLUMNS] = [4, 8];
const [NUMBER_HEIGHT, LINES_HEIGHT] = [4, 7];

export function makeDashboard(dashboard: Dashboard, catalogue: Catalogue): string {
  const { name, title, description, variables, rows } = dashboard;
  const builder = new DashboardBuilder(`Risk engine: ${title}`)
    .uid(`risk-${name}`)
    .description(description)
    .tags(['risk-engine'])
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('utc')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Source').type('prometheus'));
  for (const variable of variables) builder.withVariable(makeVariable(variable));
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(makePanel(panel, catalogue));
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

function makeVariable(variable: Variable) {
  if ('byDefault' in variable) {
    const { name, label, byDefault } = variable;
    return new TextBoxVariableBuilder(name).label(label).defaultValue(byDefault);
  }
  const { name, of } = variable;
  const label = name[0]?.toUpperCase() + name.slice(1);
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(SOURCE)
    .query(`label_values(${of}, ${name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' });
}

function makePanel(panel: Panel, catalogue: Catalogue) {
  const made = panel.kind === 'number' ? makeNumber() : makeLines(panel);
  made
    .title(panel.title)
    .description(describe(panel, catalogue))
    .unit(panel.unit)
    .datasource(SOURCE)
    .thresholds(makeThresholds(panel));
  for (const [index, { expression, legend }] of panel.queries.entries()) {
    const refId = String.fromCharCode('A'.charCodeAt(0) + index);
    made.withTarget(new DataqueryBuilder().refId(refId).expr(expression).legendFormat(legend));
  }
  return made;
}

const makeNumber = () =>
  new stat.PanelBuilder()
    .span(NUMBER_COLUMNS)
    .height(NUMBER_HEIGHT)
    .graphMode(BigValueGraphMode.Area)
    .colorMode(BigValueColorMode.Value);

function makeLines({ kind, bounds, unit }: Panel) {
  const lines = new timeseries.PanelBuilder()
    .span(LINES_COLUMNS)
    .height(LINES_HEIGHT)
    .drawStyle(GraphDrawStyle.Line)
    .showPoints(VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    );
  // Money and rates begin at 0, so that a small change looks small.
  lines.min(0);
  if (unit === 'percentunit') lines.axisSoftMax(bounds === undefined ? 1 : bounds.warning);
  if (kind === 'stacked')
    lines.fillOpacity(30).stacking(new common.StackingConfigBuilder().mode(StackingMode.Normal));
  if (bounds !== undefined)
    lines.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed),
    );
  return lines;
}

function makeThresholds({ bounds }: Panel): ThresholdsConfigBuilder {
  const config = new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute);
  return config.steps(bounds === undefined ? [{ value: null, color: GREEN }] : stepsOf(bounds));
}

function stepsOf({ warning, critical }: NonNullable<Panel['bounds']>): Threshold[] {
  if (critical >= warning) {
    const raised = [
      { value: warning, color: ORANGE },
      { value: critical, color: RED },
    ];
    return [{ value: null, color: GREEN }, ...raised];
  }
  const raised = [
    { value: critical, color: ORANGE },
    { value: warning, color: GREEN },
  ];
  return [{ value: null, color: RED }, ...raised];
}

function describe({ note, queries }: Panel, catalogue: Catalogue): string {
  const names = queries.flatMap(({ expression }) => readExpression(expression).metrics);
  const helps = names.flatMap((name) => {
    const metric = catalogue.get(catalogue.baseOf(name));
    return metric === undefined ? [] : [`${metric.name}: ${metric.help}`];
  });
  return [...(note === undefined ? [] : [note]), ...new Set(helps)].join('\n\n');
}
