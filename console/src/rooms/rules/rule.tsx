/** The numbers of one rule: its conditions, and what each band adds. */
import type { RuleSet } from '../../../../src/kit/client/api-types.ts';
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
  rule: { code, description, policy, features, bounds, bands },
  onClose,
}: {
  readonly rule: Rule;
  readonly onClose: () => void;
}) {
  const rows = bands.map((band, at) => ({ ...band, next: bands[at + 1]?.from }));
  return (
    <Dialog title={words(code)} onClose={onClose}>
      <p>{description}</p>
      <Facts
        rows={[
          ['Reason code', <code key="code">{code}</code>],
          ['Where a model decides', policy ? 'adds to its risk: a policy' : 'does not fire'],
          ['Reads', <code key="features">{features.join(', ')}</code>],
          ...bounds.map(
            ({ bound, value, meaning }) => [`Needs: ${meaning || bound}`, number(value)] as const,
          ),
        ]}
      />
      <DataTable label="Bands" columns={COLUMNS} rows={rows} keyOf={({ from }) => String(from)} />
      <p className="muted small">
        Between two bands the points rise in a straight line. Rules combine as independent chances:
        one more never lowers the score.
      </p>
    </Dialog>
  );
}
