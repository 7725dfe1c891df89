/** Expressions in PromQL, read by the grammar of Prometheus itself. */
import { parser } from '@prometheus-io/lezer-promql';
import type { Dashboard } from './dashboard.ts';

/** PromQL of an expression with Grafana's variables: intervals, and variables of the dashboard by their values. */
export const withVariables = (
  expression: string,
  values: Readonly<Record<string, string>>,
  interval = '1m',
): string =>
  expression.replace(/\$(\w+)/g, (variable, name: string) =>
    name === '__rate_interval' ? interval : (values[name] ?? variable),
  );

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
export function queriesOf({ rows, variables }: Dashboard) {
  const values = Object.fromEntries(
    variables.map((one) => [one.name, 'byDefault' in one ? one.byDefault : '.*']),
  );
  return rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(({ expression, legend }) => {
        const text = withVariables(expression, values);
        return { title, legend, text, ...readExpression(text) };
      }),
    ),
  );
}
