/** A transaction: what was decided and why, what was known of the account, and what became of it. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { StoredLabel, TransactionDetail } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { money, person } from '../../format.ts';
import { Page, Part } from '../../parts/page.tsx';
import { Facts, Id, Label, Raw, Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { Block, partiesOf } from '../lists/block.tsx';
import { CaseLink } from '../review/case-link.tsx';
import { AccountTimeline } from './account-timeline.tsx';
import { Explained } from './explanation.tsx';
import { Mark } from './mark.tsx';
import { Neighbours } from './neighbours.tsx';
import { WhatIf } from './what-if.tsx';

export function TransactionPage({ id }: { readonly id: string }) {
  const transaction = useQuery({
    queryKey: ['transaction', id],
    queryFn: ({ signal }) =>
      ask('GET /v1/transactions/{id}', { path: { id }, query: { expand: 'labels' } }, signal),
  });
  return (
    <Page
      title="Transaction"
      aside={
        transaction.data === undefined ? undefined : (
          <>
            <CaseLink id={id} />
            <Block parties={partiesOf(transaction.data)} />
            <Id id={id} />
          </>
        )
      }
    >
      <Found query={transaction} what="the transaction">
        {(found) => (
          <>
            <Summary transaction={found} />
            {found.status === 'scored' ? (
              <>
                <Explained transaction={found} />
                <WhatIf transaction={found} />
              </>
            ) : (
              <Unscored status={found.status} />
            )}
            <Labels transaction={found} />
            <AccountTimeline transaction={found} />
            <Neighbours transaction={found} />
            <Raw name="Transaction as JSON" value={found} />
          </>
        )}
      </Found>
    </Page>
  );
}

function Unscored({ status }: { readonly status: TransactionDetail['status'] }) {
  return status === 'accepted' ? (
    <Empty title="Not scored yet">
      It waits for a worker; this is usually a matter of moments.
    </Empty>
  ) : (
    <Empty title="Scoring was given up">
      It is a dead letter: <Link href="/dead-letters">an operator replays it</Link>.
    </Empty>
  );
}

function Summary({ transaction: one }: { readonly transaction: TransactionDetail }) {
  const accountLink = `/accounts/${encodeURIComponent(one.account_id)}`;
  const merchantLink = `/merchants/${encodeURIComponent(one.merchant_id)}`;
  return (
    <Facts
      rows={[
        ['Amount', <strong key="amount">{money(one.amount, one.currency)}</strong>],
        [
          'Account',
          <Link key="account" href={accountLink}>
            {one.account_id}
          </Link>,
        ],
        [
          'Merchant',
          <Link key="merchant" href={merchantLink}>
            {one.merchant_id}
          </Link>,
        ],
        ['Corridor', one.corridor],
        ['Created', <Time key="created" at={one.created_at} />],
        ['Received', <Time key="received" at={one.received_at} />],
        ['Country', one.country],
        ['Channel', one.channel],
        ['Type', one.type],
        [
          'Device',
          one.device_id === null ? null : (
            <Link key="device" href={`/devices/${encodeURIComponent(one.device_id)}`}>
              {one.device_id}
            </Link>
          ),
        ],
        [
          'Address',
          one.ip === null ? null : (
            <span key="ip" className="mono">
              {one.ip}
            </span>
          ),
        ],
        ['Client', one.client],
        [
          'Final decision',
          one.final_decision === null ? null : (
            <span key="final">
              <strong>{one.final_decision.disposition}</strong>,{' '}
              <Time at={one.final_decision.final_at} />
            </span>
          ),
        ],
      ]}
    />
  );
}

/** A label of a key that belongs to no person names the client of the key. */
function reporterOf({ identity, client }: StoredLabel): string {
  if (identity !== null) return `, by ${person(identity)}`;
  return client === null ? '' : `, by a key of the client ${client}, which belongs to no person`;
}

function Labels({ transaction }: { readonly transaction: TransactionDetail }) {
  const { labels } = transaction;
  return (
    <Part title="Labels" aside={<Mark transaction={transaction} />}>
      {labels === undefined || labels.items.length === 0 ? (
        <Empty title="Nobody has labelled it" />
      ) : (
        <ul className="labels">
          {labels.items.map((label) => (
            <li key={`${label.labelled_at} ${label.source} ${label.label}`}>
              <Label label={label.label} />
              <span>
                {label.source}, <Time at={label.labelled_at} />
                {reporterOf(label)}
              </span>
              {label.note === null ? null : <q>{label.note}</q>}
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}
