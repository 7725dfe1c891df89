/** The account around a transaction: what it did before and after, as a picture and as a table. */
import type { Neighbour, TransactionDetail } from '../../../../src/kit/client/api-types.ts';
import { localTime, money } from '../../format.ts';
import { Part } from '../../parts/page.tsx';
import { VERDICT_LEVEL } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { type Stem, Timeline } from '../../parts/timeline.tsx';
import { Related } from './neighbours.tsx';
import { useNeighbours } from './read-neighbours.ts';

export function AccountTimeline({ transaction }: { readonly transaction: TransactionDetail }) {
  const query = useNeighbours(transaction.transaction_id);
  return (
    <Part
      title="Account over time"
      aside={<span className="muted small">the nearest ten on each side, within 30 days</span>}
    >
      <Found query={query} what="the account around it">
        {(neighbours) =>
          neighbours === undefined || neighbours.account.items.length === 0 ? (
            <Empty title="It is alone">
              The account did nothing else within 30 days before and after.
            </Empty>
          ) : (
            <>
              <Timeline
                label={`Amounts in ${transaction.currency} of the account over time`}
                stems={toStems(transaction, neighbours.account.items)}
              />
              <Related
                related={neighbours.account}
                filter="account_id"
                name="Account"
                value={transaction.account_id}
              />
            </>
          )
        }
      </Found>
    </Part>
  );
}

/** Oldest first. Another currency has no height, as amounts of two currencies do not compare. */
function toStems(transaction: TransactionDetail, items: readonly Neighbour[]): Stem[] {
  const { transaction_id: own, currency } = transaction;
  const others = items.map((item): Stem => {
    const { transaction_id: id, verdict, score } = item;
    const judged = verdict === null ? 'not scored' : `${verdict}, score ${score}`;
    return {
      ...{ key: id, atMs: Date.parse(item.created_at), isOwn: false },
      href: `/transactions/${id}`,
      amount: item.currency === currency ? Number(item.amount) : null,
      level: verdict === null ? 'unknown' : VERDICT_LEVEL[verdict],
      text: `${textOf(item)}, ${judged}, ${item.merchant_id}`,
    };
  });
  const itself: Stem = {
    ...{ key: own, atMs: Date.parse(transaction.created_at), isOwn: true, level: 'unknown' },
    href: `/transactions/${own}`,
    amount: Number(transaction.amount),
    text: `This transaction: ${textOf(transaction)}, ${transaction.merchant_id}`,
  };
  return [...others, itself].sort((a, b) => a.atMs - b.atMs || (a.key < b.key ? -1 : 1));
}

const textOf = ({
  created_at: at,
  amount,
  currency,
}: Pick<Neighbour, 'created_at' | 'amount' | 'currency'>) =>
  `${localTime(at)}, ${money(amount, currency)}`;
