/** An account or a merchant: its windows of time, and its recent transactions. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { AccountProfile } from '../../../src/client/api-types.ts';
import { ask } from '../api/ask.ts';
import { count, duration, money } from '../format.ts';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Page, Part } from '../parts/page.tsx';
import { Id, Raw, Time } from '../parts/show.tsx';
import { Empty, Found } from '../parts/states.tsx';
import { TransactionTable } from './transaction-table.tsx';

type Window = AccountProfile['windows'][number];
type Profile = Pick<AccountProfile, 'as_of' | 'windows' | 'complete'>;

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
      <Recent filters={kind === 'Account' ? { account_id: id } : { merchant_id: id }} />
      <Raw name="Profile as JSON" value={profile} />
    </>
  );
}

const RECENT_ROWS = 20;

function Recent({ filters }: { readonly filters: Readonly<Record<string, string>> }) {
  const query = useQuery({
    queryKey: ['recent', filters],
    queryFn: ({ signal }) =>
      ask('GET /v1/transactions', { query: { ...filters, limit: RECENT_ROWS } }, signal),
  });
  const all = `/transactions?${new URLSearchParams(filters)}`;
  return (
    <Part
      title="Recent transactions"
      aside={
        <>
          <Link href={all}>All</Link>
          <Link href={`${all}&sort=score`}>Riskiest</Link>
        </>
      }
    >
      <Found query={query} what="transactions">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="There are none" />
          ) : (
            <TransactionTable label="Recent transactions" rows={items} />
          )
        }
      </Found>
    </Part>
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
