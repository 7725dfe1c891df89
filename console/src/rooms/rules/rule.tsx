/** The numbers of one rule: its conditions, and what each band adds. */
import { useQuery } from '@tanstack/react-query';
import type { RuleSet } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { count, number, words } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Facts } from '../../parts/show.tsx';
import { pointsOf } from './rule-table.tsx';

type Rule = RuleSet['rules'][number];
type Band = Rule['bands'][number] & { readonly next: number | undefined };

const COLUMNS: readonly Column<Band>[] = [
  { id: 'from', header: 'Value from', numeric: true, cell: ({ from }) => number(from) },
  {
    ...{ id: 'to', header: 'Below', numeric: true },
    cell: ({ next }) => (next === undefined ? '–' : number(next)),
  },
  {
    ...{ id: 'points', header: 'Points alone', numeric: true },
    cell: ({ weight }) => count(pointsOf(weight)),
  },
];

export function RuleDialog({
  rule: { code, description, policy, features, when, measure, bounds, bands },
  onClose,
}: {
  readonly rule: Rule;
  readonly onClose: () => void;
}) {
  const rows = bands.map((band, at) => ({ ...band, next: bands[at + 1]?.from }));
  const { data: known } = useQuery({
    queryKey: ['features'],
    queryFn: ({ signal }) => ask('GET /v1/features', {}, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const read = known?.items.filter(({ name }) => features.includes(name)) ?? [];
  return (
    <Dialog title={words(code)} onClose={onClose}>
      <p>{description}</p>
      <Facts
        rows={[
          ['Reason code', <code key="code">{code}</code>],
          ['Where a model decides', policy ? 'adds to its risk: a policy' : 'does not fire'],
          ['Reads', <code key="features">{features.join(', ')}</code>],
          ...(when === null ? [] : [['Fires only where', <code key="when">{when}</code>] as const]),
          ...(measure === null
            ? []
            : [['Measures', <code key="measure">{measure}</code>] as const]),
          ...bounds.map(
            ({ bound, value, meaning }) => [`Needs: ${meaning || bound}`, number(value)] as const,
          ),
        ]}
      />
      <DataTable label="Bands" columns={COLUMNS} rows={rows} keyOf={({ from }) => String(from)} />
      <p className="muted small">
        The value is what the rule computes from the features that it reads; the higher the value,
        the more points. {features.length === 1 ? 'The feature' : 'The features'}:{' '}
        {read.map(({ name, unit, description }) => `${name} (${unit}): ${description}`).join(' ')}
      </p>
      <p className="muted small">
        Between two bands the points rise in a straight line. Rules combine as independent chances:
        one more never lowers the score.
      </p>
    </Dialog>
  );
}
