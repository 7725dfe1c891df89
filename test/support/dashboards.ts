/** The dashboards of deploy/grafana, and the PromQL of their panels, read by the grammar of Prometheus itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { REPOSITORY } from './risk.ts';

export type Dashboard = {
  readonly uid: string;
  readonly templating: {
    readonly list: readonly { type: string; name: string; query: string }[];
  };
  /** A row has no targets. */
  readonly panels: readonly {
    readonly type: string;
    readonly title: string;
    readonly description?: string;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
};

const FOLDER = join(REPOSITORY, 'deploy/grafana');

export const DASHBOARDS: readonly (Dashboard & { readonly file: string })[] = readdirSync(FOLDER)
  .toSorted()
  .map((file) => ({ file, ...JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) }));

export function readExpression(promql: string) {
  /** The text around each place that is no PromQL. */
  const problems: string[] = [];
  const metrics: string[] = [];
  /** Labels that select, and labels by which it groups. */
  const labels: string[] = [];
  parser.parse(promql).iterate({
    enter: ({ type, name, from, to, node }) => {
      const text = promql.slice(from, to);
      if (type.isError) problems.push(promql.slice(Math.max(0, from - 20), to + 20));
      if (name === 'LabelName') labels.push(text);
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') metrics.push(text);
    },
  });
  return { problems, metrics, labels };
}

/** Every query of a dashboard as PromQL; variables match everything, or have their default. */
export function queriesOf({ panels, templating }: Dashboard) {
  const values = new Map(
    templating.list.map(({ type, name, query }) => [name, type === 'textbox' ? query : '.*']),
  ).set('__rate_interval', '1m');
  return panels.flatMap(({ title, description = '', targets = [] }) =>
    targets.map(({ expr, legendFormat: legend }) => {
      const text = expr.replace(
        /\$(\w+)/g,
        (variable, name: string) => values.get(name) ?? variable,
      );
      return { title, description, legend, text, ...readExpression(text) };
    }),
  );
}
