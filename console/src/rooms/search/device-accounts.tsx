/** The accounts that use a device, from its newest transactions: people seldom share a device. */
import type { FoundTransaction } from '../../../../src/kit/client/api-types.ts';
import { count } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { PartyId, Time, Verdict } from '../../parts/show.tsx';

type AccountRow = {
  readonly account: string;
  readonly transactions: number;
  readonly newest: string;
  /** The newest of the riskiest score. */
  readonly riskiest: FoundTransaction['score'];
};

const ACCOUNT_COLUMNS: readonly Column<AccountRow>[] = [
  {
    ...{ id: 'account', header: 'Account' },
    cell: ({ account }) => <PartyId kind="account" id={account} />,
  },
  {
    ...{ id: 'transactions', header: 'Transactions', numeric: true },
    cell: ({ transactions }) => count(transactions),
  },
  {
    ...{ id: 'score', header: 'Highest score', numeric: true, from: 2 },
    cell: ({ riskiest }) => riskiest?.score ?? '–',
  },
  {
    ...{ id: 'verdict', header: 'Its verdict' },
    cell: ({ riskiest }) => (riskiest === null ? '–' : <Verdict verdict={riskiest.verdict} />),
  },
  { id: 'newest', header: 'Newest', from: 2, cell: ({ newest }) => <Time at={newest} /> },
];

export function DeviceAccounts({ rows }: { readonly rows: readonly FoundTransaction[] }) {
  const accounts = [...Map.groupBy(rows, ({ account_id: id }) => id)].map(([account, of]) => ({
    ...{ account, transactions: of.length, newest: of[0]?.created_at ?? '' },
    riskiest: of
      .map(({ score }) => score)
      .reduce((one, other) => ((other?.score ?? -1) > (one?.score ?? -1) ? other : one), null),
  }));
  return (
    <Part
      title="Accounts on it"
      aside={
        <span className="muted small">{`of its newest ${count(rows.length)} transactions`}</span>
      }
    >
      <DataTable
        label="Accounts on it"
        columns={ACCOUNT_COLUMNS}
        rows={accounts}
        keyOf={({ account }) => account}
      />
    </Part>
  );
}
