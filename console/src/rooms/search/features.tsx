/** Every feature that a score saw, against what was usual for the account. */
import { useQuery } from '@tanstack/react-query';
import type { Explanation, Habit } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { count, number } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge, Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';

type Usual = Habit['features'][number];
type Row = Explanation['features'][number] & {
  readonly usual: Usual | undefined;
  readonly unusual: 'above' | 'below' | null;
};

/** Below so many, a range says little. */
const KNOWN_MIN = 5;

export function Features({ explanation }: { readonly explanation: Explanation }) {
  const id = explanation.score.transaction_id;
  const query = useQuery({
    queryKey: ['habit', id],
    queryFn: ({ signal }) => ask('GET /v1/scores/{id}/habit', { path: { id } }, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Part title="Against the account's habit">
      <Found query={query} what="the account's habit">
        {(habit) => <Compared explanation={explanation} habit={habit} />}
      </Found>
    </Part>
  );
}

function Compared({ explanation, habit }: { explanation: Explanation; habit: Habit }) {
  const usual = new Map(habit.features.map((one) => [one.name, one]));
  const rows = explanation.features.map((feature): Row => {
    const known = usual.get(feature.name);
    return { ...feature, usual: known, unusual: placeOf(feature.value, known) };
  });
  const unusual = rows.filter((row) => row.unusual !== null);
  return (
    <>
      <Basis habit={habit} />
      {unusual.length === 0 ? null : (
        <DataTable
          label="Unusual features"
          columns={COLUMNS}
          rows={unusual}
          keyOf={({ name }) => name}
        />
      )}
      <details className="fold">
        <summary>
          All features{' '}
          <span className="muted">{`${rows.length}, schema ${explanation.feature_schema}, as logged with the score`}</span>
        </summary>
        <DataTable label="Features" columns={COLUMNS} rows={rows} keyOf={({ name }) => name} />
      </details>
    </>
  );
}

/** What the habit rests on, and what it does not say. */
function Basis({ habit: { transactions, from } }: { readonly habit: Habit }) {
  if (transactions === 0) {
    return (
      <Empty title="No habit is known">
        The account has no scored transaction before this one, within 180 days.
      </Empty>
    );
  }
  const least = transactions < KNOWN_MIN ? `; too few to call anything unusual` : '';
  return (
    <p className="muted small">
      {`Usual is the median of the account's ${count(transactions)} scored transactions before this one, since `}
      <Time at={from} />
      {`; unusual is what lies outside of all of them${least}.`}
    </p>
  );
}

function placeOf(value: number | null, usual: Usual | undefined): Row['unusual'] {
  if (value === null || usual === undefined || usual.known < KNOWN_MIN) return null;
  if (usual.max !== null && value > usual.max) return 'above';
  return usual.min !== null && value < usual.min ? 'below' : null;
}

const shown = (value: number | null | undefined) =>
  value === null || value === undefined ? '–' : number(value);

const COLUMNS: readonly Column<Row>[] = [
  {
    ...{ id: 'name', header: 'Feature' },
    cell: ({ name, description }) => (
      <span className="mono" title={description}>
        {name}
      </span>
    ),
  },
  {
    ...{ id: 'description', header: 'Meaning', from: 2 },
    cell: ({ description }) => <span className="wrap">{description}</span>,
  },
  {
    ...{ id: 'value', header: 'Value', numeric: true },
    cell: ({ value }) => (value === null ? 'missing' : number(value)),
  },
  {
    ...{ id: 'usual', header: 'Usual', numeric: true },
    cell: ({ usual }) => shown(usual?.median),
  },
  {
    ...{ id: 'range', header: 'Least to most', numeric: true, from: 2 },
    cell: ({ usual }) =>
      usual === undefined || usual.known === 0 ? '–' : `${shown(usual.min)} to ${shown(usual.max)}`,
  },
  {
    id: 'unit',
    header: 'Unit',
    from: 2,
    cell: ({ unit }) => <span className="muted">{unit}</span>,
  },
  {
    ...{ id: 'unusual', header: 'Unusual' },
    cell: ({ unusual }) => (unusual === null ? null : <Badge level="warning">{unusual}</Badge>),
  },
];
