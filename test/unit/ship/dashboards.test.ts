/**
 * Dashboards are what test/support/dashboards says, in PromQL of metrics that exist. After a change there
 * `npx vitest run test/unit/ship/dashboards.test.ts --update` writes deploy/grafana anew.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DASHBOARDS } from '../../support/dashboards/dashboards.ts';
import { makeDashboard } from '../../support/dashboards/make-dashboard.ts';
import { queriesOf, readExpression } from '../../support/dashboards/promql.ts';
import { readCatalogue } from '../../support/metric-catalogue.ts';
import { REPOSITORY } from '../../support/risk.ts';

const catalogue = readCatalogue();
/** Labels that a scrape adds, and that of a histogram's lines. */
const OF_SCRAPE = ['market', 'instance', 'job', 'le'];

describe.each(DASHBOARDS)('deploy/grafana/$name.json', (dashboard) => {
  const queries = queriesOf(dashboard);

  it('is what its data says', async () => {
    await expect(makeDashboard(dashboard, catalogue)).toMatchFileSnapshot(
      `../../../deploy/grafana/${dashboard.name}.json`,
    );
  });

  it('asks in PromQL, with variables that it declares', () => {
    const wrong = queries.filter(({ problems, text }) => problems.length > 0 || text.includes('$'));
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('asks for metrics and labels that exist, for at least one in each panel', () => {
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
});

it('has no other file, and no dashboard twice', () => {
  const files = readdirSync(join(REPOSITORY, 'deploy/grafana')).toSorted();
  expect(files).toEqual(DASHBOARDS.map(({ name }) => `${name}.json`).toSorted());
});

it('finds what is no PromQL', () => {
  expect(readExpression('sum by (corridor) (rate(a_total{b="c"}[5m])').problems).not.toEqual([]);
});
