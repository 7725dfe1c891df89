/** Dashboards of deploy/grafana ask in PromQL for metrics that exist, and say what each of them is. */
import { describe, expect, it } from 'vitest';
import { DASHBOARDS, queriesOf, readExpression } from '../../support/dashboards.ts';
import { readCatalogue } from '../../support/metric-catalogue.ts';

const catalogue = readCatalogue();
/** Labels that a scrape adds, and that of a histogram's lines. */
const OF_SCRAPE = ['market', 'instance', 'job', 'le'];

describe.each(DASHBOARDS)('deploy/grafana/$file', (dashboard) => {
  const queries = queriesOf(dashboard);

  it('has the address of its file', () => {
    expect(`${dashboard.uid}.json`).toBe(`risk-${dashboard.file}`);
  });

  it('asks in PromQL, with variables that it declares', () => {
    const wrong = queries.filter(({ problems, text }) => problems.length > 0 || text.includes('$'));
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('asks for metrics and labels that exist, for at least one in each panel', () => {
    const silent = dashboard.panels.filter(
      ({ type, targets = [] }) => type !== 'row' && targets.length === 0,
    );
    expect(silent.map(({ title }) => title)).toEqual([]);
    const wrong = queries.flatMap(({ title, metrics, labels, legend }) => {
      const known = metrics.map((name) => catalogue.get(catalogue.baseOf(name)));
      const own = [...OF_SCRAPE, ...known.flatMap((metric) => metric?.labels ?? [])];
      const told = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      return [
        ...(metrics.length === 0 ? [`${title}: nothing`] : []),
        ...metrics.filter((_, index) => known[index] === undefined),
        ...labels.filter((label) => !own.includes(label)),
        ...told.filter((label) => !labels.includes(label)),
      ];
    });
    expect(wrong).toEqual([]);
  });

  it('has the help of each metric in the description of its panel', () => {
    for (const { title, description, metrics } of queries)
      for (const name of metrics) {
        const metric = catalogue.get(catalogue.baseOf(name));
        expect(description, title).toContain(`${metric?.name}: ${metric?.help}`);
      }
  });
});

it('finds what is no PromQL', () => {
  expect(readExpression('sum by (corridor) (rate(a_total{b="c"}[5m])').problems).not.toEqual([]);
});
