/** An account, a merchant or a device: its windows of time, its days, its recent transactions, and its cases. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { AccountProfile } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { count, duration, money } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Id, Raw, Time } from '../../parts/show.tsx';
import { Spark } from '../../parts/spark.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { Block } from '../lists/block.tsx';
import { PartyCases } from '../review/party-cases.tsx';
import { DeviceAccounts } from './device-accounts.tsx';
import { TransactionTable } from './transaction-table.tsx';

type Window = AccountProfile['windows'][number];
type Profile = Pick<AccountProfile, 'as_of' | 'windows' | 'days' | 'complete'>;

/** A line each currency. */
const amounts = ({ amounts: all }: Window, field: 'sum' | 'max') =>
  all.length === 0
    ? '–'
    : all.map(({ currency, [field]: amount }) => (
        <div key={currency}>{money(amount, currency)}</div>
      ));

const columnsFor = (others: string): readonly Column<Window>[] => [
  { id: 'window', header: 'Last', cell: ({ hours }) => <strong>{duration(hours * 3600)}</strong> },
  {
    id: 'transactions',
    header: 'Transactions',
    numeric: true,
    cell: (one) => count(one.transactions),
  },
  {
    id: 'others',
    header: others,
    numeric: true,
    from: 2,
    cell: (one) => count(one.counterparties),
  },
  { id: 'sum', header: 'Sum', numeric: true, cell: (one) => amounts(one, 'sum') },
  { id: 'max', header: 'Greatest', numeric: true, from: 2, cell: (one) => amounts(one, 'max') },
];
const KINDS = {
  Account: {
    listed: 'account',
    filter: 'account_id',
    others: 'Merchants',
    columns: columnsFor('Merchants'),
  },
  Merchant: {
    listed: 'merchant',
    filter: 'merchant_id',
    others: 'Accounts',
    columns: columnsFor('Accounts'),
  },
  Device: {
    listed: 'device',
    filter: 'device_id',
    others: 'Accounts',
    columns: columnsFor('Accounts'),
  },
} as const;

/** As many as the longest window has. */
const DAYS = 30;

type PartyProps = {
  readonly kind: keyof typeof KINDS;
  readonly id: string;
  readonly profile: Profile;
};

function Party({ kind, id, profile }: PartyProps) {
  const { filter, others, columns } = KINDS[kind];
  const { as_of: until, days } = profile;
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
        <div className="pair">
          <Spark
            label="Transactions a day"
            days={days.map(({ day, transactions: value }) => ({ day, value }))}
            {...{ until, length: DAYS }}
          />
          <Spark
            label={`${others} a day`}
            days={days.map(({ day, counterparties: value }) => ({ day, value }))}
            {...{ until, length: DAYS }}
          />
        </div>
        <DataTable
          label="Activity by window"
          columns={columns}
          rows={profile.windows}
          keyOf={({ hours }) => String(hours)}
        />
        {profile.complete ? null : (
          <p className="muted small">
            There are more transactions than were counted: figures are lower bounds.
          </p>
        )}
      </Part>
      <Recent filters={{ [filter]: id }} isGrouped={kind === 'Device'} />
      <PartyCases filters={{ [filter]: id }} />
      <Raw name="Profile as JSON" value={profile} />
    </>
  );
}

const RECENT_ROWS = 20;
/** So many of a device say which accounts use it. */
const GROUPED_ROWS = 100;

type RecentProps = {
  readonly filters: Readonly<Record<string, string>>;
  /** Lists the accounts of the transactions as well. */
  readonly isGrouped: boolean;
};

function Recent({ filters, isGrouped }: RecentProps) {
  const limit = isGrouped ? GROUPED_ROWS : RECENT_ROWS;
  const query = useQuery({
    queryKey: ['recent', filters],
    queryFn: ({ signal }) => ask('GET /v1/transactions', { query: { ...filters, limit } }, signal),
  });
  const search = new URLSearchParams(filters);
  const all = `/transactions?${search}`;
  const links = (
    <>
      <Link href={all}>All</Link>
      <Link href={`${all}&sort=score`}>Riskiest</Link>
    </>
  );
  return (
    <Found query={query} what="transactions">
      {({ items }) => (
        <>
          {isGrouped ? <DeviceAccounts rows={items} /> : null}
          <Part title="Recent transactions" aside={links}>
            {items.length === 0 ? (
              <Empty title="There are none" />
            ) : (
              <TransactionTable label="Recent transactions" rows={items} />
            )}
          </Part>
        </>
      )}
    </Found>
  );
}

/** Beside the title: the block key and the id. */
function Aside({ kind, id }: Pick<PartyProps, 'kind' | 'id'>) {
  return (
    <>
      <Block parties={[{ kind: KINDS[kind].listed, value: id }]} />
      <Id id={id} />
    </>
  );
}

export function DevicePage({ id }: { readonly id: string }) {
  const query = useQuery({
    queryKey: ['device', id],
    queryFn: ({ signal }) => ask('GET /v1/devices/{id}/profile', { path: { id } }, signal),
  });
  return (
    <Page title="Device" aside={query.data && <Aside kind="Device" id={id} />}>
      <Found query={query} what="the device">
        {(profile) => <Party kind="Device" id={id} profile={profile} />}
      </Found>
    </Page>
  );
}

export function AccountPage({ id }: { readonly id: string }) {
  const query = useQuery({
    queryKey: ['account', id],
    queryFn: ({ signal }) => ask('GET /v1/accounts/{id}/profile', { path: { id } }, signal),
  });
  return (
    <Page title="Account" aside={query.data && <Aside kind="Account" id={id} />}>
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
    <Page title="Merchant" aside={query.data && <Aside kind="Merchant" id={id} />}>
      <Found query={query} what="the merchant">
        {(profile) => <Party kind="Merchant" id={id} profile={profile} />}
      </Found>
    </Page>
  );
}
