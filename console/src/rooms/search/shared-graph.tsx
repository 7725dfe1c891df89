/**
 * The other accounts that were seen with the device, address or merchant of a transaction: the transaction, what it shares, and
 * these accounts, as three columns of links with lines between them. The lists below have each transaction.
 */
import { Link } from 'wouter';
import type {
  Neighbour,
  Neighbours,
  TransactionDetail,
} from '../../../../src/kit/client/api-types.ts';
import { count } from '../../format.ts';
import { Empty } from '../../parts/states.tsx';

const SHARED = ['device', 'ip', 'merchant'] as const;
type Shared = (typeof SHARED)[number];
const NAMES: Readonly<Record<Shared, string>> = {
  ...{ device: 'Device', ip: 'Address', merchant: 'Merchant' },
};
const ACCOUNTS_MAX = 20;
const ROW_PX = 34;
/** Where columns end and begin, in percent of the width: the transaction, what it shares, the accounts. */
const [FIRST_END, SHARED_BEGIN, SHARED_END, ACCOUNTS_BEGIN] = [0.5, 11, 42, 58];

type Other = {
  readonly account: string;
  readonly transactions: number;
  readonly shares: readonly Shared[];
  readonly worst: Neighbour['verdict'];
};

type GraphProps = {
  readonly transaction: TransactionDetail;
  readonly neighbours: Neighbours;
};

export function SharedGraph({ transaction, neighbours }: GraphProps) {
  const things = SHARED.filter((kind) => neighbours[kind] !== null);
  const all = othersOf(transaction, neighbours);
  if (all.length === 0) {
    return (
      <Empty title="No other account was seen with them">
        Nobody else used this device, address or merchant nearby in time.
      </Empty>
    );
  }
  const others = all.slice(0, ACCOUNTS_MAX);
  const height = ROW_PX * Math.max(things.length * 1.5, others.length);
  const middle = (index: number, of: number) => (height * (index + 0.5)) / of;
  return (
    <>
      <div className="graph" style={{ height }}>
        <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" aria-hidden="true">
          {things.map((kind, at) => (
            <path
              key={kind}
              d={curve(FIRST_END, height / 2, SHARED_BEGIN, middle(at, things.length))}
            />
          ))}
          {others.flatMap(({ account, shares, worst }, row) =>
            shares.map((kind) => (
              <path
                key={`${account} ${kind}`}
                className={worst ?? undefined}
                d={curve(
                  SHARED_END,
                  middle(things.indexOf(kind), things.length),
                  ACCOUNTS_BEGIN,
                  middle(row, others.length),
                )}
              />
            )),
          )}
        </svg>
        <span className="node this" title="This transaction" style={{ top: height / 2 }} />
        <ul aria-label="What it shares">
          {things.map((kind, at) => (
            <li key={kind} className="node thing" style={{ top: middle(at, things.length) }}>
              <span className="muted small">{NAMES[kind]}</span>
              <Link href={hrefOf(kind, transaction)}>{sharedOf(kind, transaction)}</Link>
            </li>
          ))}
        </ul>
        <ul aria-label="Other accounts seen with it">
          {others.map((other, row) => (
            <li
              key={other.account}
              className={`node other ${other.worst ?? ''}`}
              style={{ top: middle(row, others.length) }}
            >
              <Link
                href={`/accounts/${encodeURIComponent(other.account)}`}
                aria-label={describe(other)}
                title={describe(other)}
              >
                {other.account}
              </Link>
              <span className="muted small number" aria-hidden="true">
                {count(other.transactions)}
              </span>
            </li>
          ))}
        </ul>
      </div>
      {all.length > others.length ? (
        <p className="muted small">{`${count(all.length - others.length)} more accounts are in the lists below.`}</p>
      ) : null}
    </>
  );
}

/** A horizontal line that bends: from one point to another, in percent of the width and pixels of the height. */
function curve(x1 = 0, y1 = 0, x2 = 0, y2 = 0): string {
  const half = (x1 + x2) / 2;
  return `M${x1} ${y1}C${half} ${y1} ${half} ${y2} ${x2} ${y2}`;
}

const WORSE = { approve: 1, review: 2, decline: 3 } as const;
const rankOf = (verdict: Neighbour['verdict']) => (verdict === null ? 0 : WORSE[verdict]);

/** The other accounts; accounts that share most come first, then the worst. */
function othersOf(transaction: TransactionDetail, neighbours: Neighbours): Other[] {
  const items = SHARED.flatMap((kind) => neighbours[kind]?.items ?? []);
  const unique = [...new Map(items.map((item) => [item.transaction_id, item])).values()];
  const foreign = unique.filter(({ account_id: id }) => id !== transaction.account_id);
  return [...Map.groupBy(foreign, ({ account_id: id }) => id)]
    .map(([account, of]) => ({
      ...{ account, transactions: of.length },
      shares: SHARED.filter((kind) => of.some(({ relations }) => relations.includes(kind))),
      worst: of
        .map(({ verdict }) => verdict)
        .reduce((one, other) => (rankOf(other) > rankOf(one) ? other : one)),
    }))
    .sort(
      (a, b) =>
        b.shares.length - a.shares.length ||
        rankOf(b.worst) - rankOf(a.worst) ||
        (a.account < b.account ? -1 : 1),
    );
}

function describe({ account, transactions, shares, worst }: Other): string {
  const times = transactions === 1 ? 'one transaction' : `${count(transactions)} transactions`;
  const named = shares.map((kind) => NAMES[kind].toLowerCase()).join(', ');
  return `${account}: ${times} with the same ${named}${worst === null ? '' : `, at worst ${worst}`}`;
}

function sharedOf(kind: Shared, { device_id, ip, merchant_id }: TransactionDetail): string {
  return (kind === 'device' ? device_id : kind === 'ip' ? ip : merchant_id) ?? '';
}

function hrefOf(kind: Shared, transaction: TransactionDetail): string {
  const value = encodeURIComponent(sharedOf(kind, transaction));
  if (kind === 'ip') return `/transactions?ip=${value}`;
  return `/${kind}s/${value}`;
}
