/** Rows of the search, alike wherever transactions are listed. */
import type { FoundTransaction } from '../../../../src/kit/client/api-types.ts';
import { money, sayMoney, words } from '../../format.ts';
import { type Column, DataTable, type More, RowLink } from '../../parts/data-table.tsx';
import { Badge, Label, PartyId, Time, Verdict } from '../../parts/show.tsx';

const STATUS_LEVELS = { accepted: 'unknown', scored: 'fine', dead_lettered: 'critical' } as const;

const COLUMNS: readonly Column<FoundTransaction>[] = [
  {
    ...{ id: 'score', header: 'Score', numeric: true },
    cell: ({ transaction_id: id, score }) => (
      <RowLink href={`/transactions/${id}`} label={`${score?.score ?? '–'}, transaction ${id}`}>
        <strong>{score?.score ?? '–'}</strong>
      </RowLink>
    ),
  },
  {
    // The verdict says that it is scored.
    ...{ id: 'status', header: 'Status' },
    cell: ({ status, score }) =>
      score === null ? (
        <Badge level={STATUS_LEVELS[status]}>{words(status)}</Badge>
      ) : (
        <Verdict verdict={score.verdict} />
      ),
  },
  {
    ...{ id: 'account', header: 'Account' },
    cell: ({ account_id: id }) => <PartyId kind="account" id={id} />,
  },
  {
    ...{ id: 'amount', header: 'Amount', numeric: true },
    cell: ({ amount, currency }) => money(amount, currency),
  },
  { id: 'created', header: 'Created', from: 2, cell: ({ created_at }) => <Time at={created_at} /> },
  {
    ...{ id: 'merchant', header: 'Merchant', from: 2 },
    cell: ({ merchant_id: id }) => <PartyId kind="merchant" id={id} />,
  },
  { id: 'corridor', header: 'Corridor', from: 2, cell: ({ corridor }) => corridor },
  { id: 'country', header: 'Country', from: 3, cell: ({ country }) => country ?? '–' },
  {
    ...{ id: 'device', header: 'Device', from: 3 },
    cell: ({ device_id: id }) => <PartyId kind="device" id={id} />,
  },
  {
    ...{ id: 'label', header: 'Label', from: 2 },
    cell: ({ label }) => (label === null ? '–' : <Label label={label} />),
  },
  {
    ...{ id: 'reason', header: 'Reason', from: 2, isRest: true },
    cell: ({ score, currency, amount }) => {
      const reason = sayMoney(score?.reasons[0]?.detail ?? '–', currency, amount);
      return (
        <span className="clip" title={reason}>
          {reason}
        </span>
      );
    },
  },
];

type TransactionTableProps = {
  readonly rows: readonly FoundTransaction[];
  readonly label: string;
  readonly more?: More;
};

export function TransactionTable(props: TransactionTableProps) {
  return <DataTable columns={COLUMNS} keyOf={({ transaction_id: id }) => id} {...props} />;
}
