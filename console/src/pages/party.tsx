/** An account or a merchant: its windows of time, and its recent transactions. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { AccountProfile } from '../../../src/client/api-types.ts';
import { ask } from '../api/ask.ts';
import { count, duration, money } from '../format.ts';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Page, Part } from '../parts/page.tsx';
import { Id, Raw, Time } from '../parts/show.tsx';
import { Found } from '../parts/states.tsx';
import { TransactionTable } from './transactions.tsx';

type Window = AccountProfile['windows'][number];
type Profile = Pick<AccountProfile, 'as_of' | 'windows' | 'complete' | 'recent'>;

const amounts = (window: Window, field: 'sum' | 'max') =>
  window.amounts.length === 0
    ? '–'
    : window.amounts.map((one) => `${money(one[field])} ${one.currency}`).join(', ');

const columnsFor = (others: string): readonly Column<Window>[] => [
  { id: 'window', header: 'Last', cell: ({ hours }) => <strong>{duration(hours * 3600)}</strong> },
  {
    id: 'transactions',
    header: 'Transactions',
    numeric: true,
    cell: (one) => count(one.transactions),
  },
  { id: 'others', header: others, numeric: true, cell: (one) => count(one.counterparties) },
  { id: 'sum', header: 'Sum', numeric: true, cell: (one) => amounts(one, 'sum') },
  { id: 'max', header: 'Greatest', numeric: true, from: 2, cell: (one) => amounts(one, 'max') },
];
const ACCOUNT_COLUMNS = columnsFor('Merchants');
const MERCHANT_COLUMNS = columnsFor('Accounts');

type PartyProps = {
  readonly kind: 'Account' | 'Merchant';
  readonly id: string;
  readonly profile: Profile;
};

function Party({ kind, id, profile }: PartyProps) {
  const parameter = kind === 'Account' ? 'account_id' : 'merchant_id';
  const all = `/transactions?${parameter}=${encodeURIComponent(id)}`;
  const listed = `${profile.recent.length} newest`;
  return (
    <>
      <Part
        title="Activity"
        aside={
          <span className="muted small">
            as of <Time at={profile.as_of} />
          </span>
        }
      >
        <DataTable
          label="Activity by window"
          columns={kind === 'Account' ? ACCOUNT_COLUMNS : MERCHANT_COLUMNS}
          rows={profile.windows}
          keyOf={({ hours }) => String(hours)}
        />
        {profile.complete ? null : (
          <p className="muted small">
            There are more transactions than were counted: figures are lower bounds.
          </p>
        )}
      </Part>
      <Part
        title="Recent transactions"
        aside={
          <>
            <span className="muted small">{listed}</span>
            <Link href={all}>Scored</Link>
            <Link href={`${all}&list=transactions`}>All</Link>
          </>
        }
      >
        <TransactionTable rows={profile.recent} label="Recent transactions" />
      </Part>
      <Raw name="Profile as JSON" value={profile} />
    </>
  );
}

export function AccountPage({ id }: { readonly id: string }) {
  const query = useQuery({
    queryKey: ['account', id],
    queryFn: ({ signal }) => ask('GET /v1/accounts/{id}/profile', { path: { id } }, signal),
  });
  return (
    <Page title="Account" aside={<Id id={id} />}>
      <Found query={query} what="the account">
        {(profile) => <Party kind="Account" id={id} profile={profile} />}
      </Found>
    </Page>
  );
}

export function MerchantPage({ id }: { readonly id: string }) {
  const query = useQuery({
    queryKey: ['merchant', id],
    queryFn: ({ signal }) => ask('GET /v1/merchants/{id}/profile', { path: { id } }, signal),
  });
  return (
    <Page title="Merchant" aside={<Id id={id} />}>
      <Found query={query} what="the merchant">
        {(profile) => <Party kind="Merchant" id={id} profile={profile} />}
      </Found>
    </Page>
  );
}
