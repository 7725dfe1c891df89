/** The cases whose deadlines come first, those among them that have passed included. */
import { Link } from 'wouter';
import type { ReviewStatus } from '../../../../../src/kit/client/api-types.ts';
import { duration, person, shortId } from '../../../format.ts';
import { type Column, DataTable } from '../../../parts/data-table.tsx';
import { Badge, Id, type Level, Time } from '../../../parts/show.tsx';
import { Empty } from '../../../parts/states.tsx';

type Case = ReviewStatus['due_next'][number];

/** Cases that are shown however far their deadlines are. */
const SHOWN_MIN = 8;
/** As the API counts what is near. */
const NEAR_SECONDS = 1800;

type DueNextProps = {
  readonly cases: readonly Case[];
  /** When the figures were read, by the clock of the API. */
  readonly at: string;
  readonly isLinked: boolean;
};

function levelOf(left: number): Level {
  if (left < 0) return 'critical';
  return left < NEAR_SECONDS ? 'warning' : 'unknown';
}

/** The words that say whose turn a case is. */
function turnOf({ locked_by, decided_by, escalated_by }: Case): string {
  if (decided_by !== null) {
    return `to be confirmed; ${person(decided_by)} proposed`;
  }
  if (locked_by !== null) return `claimed by ${person(locked_by)}`;
  return escalated_by === null ? 'claimed by nobody' : 'escalated, claimed by nobody';
}

export function DueNext({ cases, at, isLinked }: DueNextProps) {
  if (cases.length === 0) return <Empty title="No case waits" />;
  const leftSeconds = ({ due_at }: Case) => (Date.parse(due_at) - Date.parse(at)) / 1000;
  const shown = cases.filter((one, index) => index < SHOWN_MIN || leftSeconds(one) < NEAR_SECONDS);
  const columns: readonly Column<Case>[] = [
    {
      ...{ id: 'due', header: 'Due' },
      cell: (one) => {
        const left = leftSeconds(one);
        return (
          <Badge level={levelOf(left)}>
            {left < 0 ? `${duration(-left)} late` : `in ${duration(left)}`}
          </Badge>
        );
      },
    },
    { id: 'priority', header: 'Priority', cell: ({ priority }) => <strong>{priority}</strong> },
    { id: 'corridor', header: 'Corridor', cell: ({ corridor }) => corridor },
    { id: 'opened', header: 'Opened', from: 3, cell: ({ opened_at }) => <Time at={opened_at} /> },
    {
      ...{ id: 'turn', header: 'State', from: 2 },
      cell: (one) => <span className="wrap">{turnOf(one)}</span>,
    },
    {
      ...{ id: 'case', header: 'Case' },
      cell: ({ transaction_id: id }) =>
        isLinked ? (
          <Link href={`/review/${id}`} className="mono" title={id}>
            {shortId(id)}
          </Link>
        ) : (
          <Id id={id} chars={13} />
        ),
    },
  ];
  return (
    <DataTable
      label="Due next"
      columns={columns}
      rows={shown}
      keyOf={({ transaction_id }) => transaction_id}
    />
  );
}
