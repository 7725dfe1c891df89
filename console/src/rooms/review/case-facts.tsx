/** The transaction of a case, and why somebody has to look at it. */
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { ReviewCaseDetail } from '../../../../src/kit/client/api-types.ts';
import { money } from '../../format.ts';
import { Facts, Id, Time } from '../../parts/show.tsx';
import { SOURCES, unratedOf } from './cases.ts';

type CaseFactsProps = {
  readonly one: ReviewCaseDetail;
  /** Whether the person may open accounts, merchants and transactions. */
  readonly isLinked: boolean;
};

export function CaseFacts({ one, isLinked }: CaseFactsProps) {
  const link = (href: string, text: ReactNode) =>
    isLinked ? <Link href={href}>{text}</Link> : text;
  const { account_id: account, merchant_id: merchant, transaction_id: id } = one;
  const { device_id: device } = one;
  return (
    <Facts
      rows={[
        ['Amount', <strong key="amount">{money(one.amount, one.currency)}</strong>],
        ['Converted', <Rated key="rated" one={one} />],
        ['Account', link(`/accounts/${encodeURIComponent(account)}`, account)],
        ['Merchant', link(`/merchants/${encodeURIComponent(merchant)}`, merchant)],
        ['Corridor', one.corridor],
        [
          'Device',
          device === null ? null : (
            <Id
              key="device"
              id={device}
              chars={20}
              href={isLinked ? `/devices/${encodeURIComponent(device)}` : undefined}
            />
          ),
        ],
        ['Created', <Time key="created" at={one.created_at} />],
        ['Case opened', <Time key="opened" at={one.opened_at} />],
        ['Because of', SOURCES[one.source]],
        ['Deadline', <Time key="due" at={one.due_at} />],
        ...(isLinked
          ? [['Transaction', link(`/transactions/${id}`, 'all that is known')] as const]
          : []),
      ]}
    />
  );
}

function Rated({ one }: Pick<CaseFactsProps, 'one'>) {
  const { market_amount, rate_day } = one;
  if (market_amount === null) return <span className="late">no rate of {unratedOf(one)}</span>;
  return (
    <>
      {money(market_amount, one.market_currency)}
      {rate_day === null ? null : <span className="muted small"> rate of {rate_day}</span>}
    </>
  );
}
