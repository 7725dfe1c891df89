/** The transactions near a transaction in time that share its device, merchant or address. */
import { Link } from 'wouter';
import type {
  Neighbour,
  RelatedTransactions,
  TransactionDetail,
} from '../../../../src/kit/client/api-types.ts';
import { money } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge, PartyId, Time, Verdict } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { useNeighbours } from './read-neighbours.ts';
import { SharedGraph } from './shared-graph.tsx';

type Relation = Neighbour['relations'][number];

/** Relations of a transaction, each with the filter that finds all related ones. Those of the account are in its timeline. */
const RELATIONS = [
  { relation: 'device', filter: 'device_id', name: 'Device' },
  { relation: 'merchant', filter: 'merchant_id', name: 'Merchant' },
  { relation: 'ip', filter: 'ip', name: 'Address' },
] as const;

const NAMES: Readonly<Record<Relation, string>> = {
  ...{ account: 'account', device: 'device', merchant: 'merchant', ip: 'address' },
};

const COLUMNS: readonly Column<Neighbour>[] = [
  {
    ...{ id: 'created', header: 'Created' },
    cell: ({ transaction_id: id, created_at }) => (
      <Link href={`/transactions/${id}`}>
        <Time at={created_at} />
      </Link>
    ),
  },
  {
    ...{ id: 'amount', header: 'Amount', numeric: true },
    cell: ({ amount, currency }) => money(amount, currency),
  },
  {
    ...{ id: 'verdict', header: 'Verdict' },
    cell: ({ verdict }) => (verdict === null ? '–' : <Verdict verdict={verdict} />),
  },
  {
    ...{ id: 'account', header: 'Account', from: 2 },
    cell: ({ account_id: id }) => <PartyId kind="account" id={id} />,
  },
  {
    ...{ id: 'merchant', header: 'Merchant', from: 2 },
    cell: ({ merchant_id: id }) => <PartyId kind="merchant" id={id} />,
  },
  {
    ...{ id: 'relations', header: 'In common', from: 2 },
    cell: ({ relations }) => (
      <span className="row chips">
        {relations.map((relation) => (
          <Badge key={relation} level="unknown">
            {NAMES[relation]}
          </Badge>
        ))}
      </span>
    ),
  },
];

export function Neighbours({ transaction }: { readonly transaction: TransactionDetail }) {
  const query = useNeighbours(transaction.transaction_id);
  return (
    <Part
      title="Neighbours"
      aside={<span className="muted small">the nearest ten on each side, within 30 days</span>}
    >
      <Found query={query} what="neighbours">
        {(neighbours) =>
          neighbours === undefined ? null : (
            <>
              <SharedGraph transaction={transaction} neighbours={neighbours} />
              {RELATIONS.map(({ relation, filter, name }) => {
                const [related, value] = [neighbours[relation], transaction[filter]];
                return related && value !== null ? (
                  <Related key={relation} {...{ related, filter, name, value }} />
                ) : null;
              })}
            </>
          )
        }
      </Found>
    </Part>
  );
}

type RelatedProps = {
  readonly related: RelatedTransactions;
  readonly filter: (typeof RELATIONS)[number]['filter'] | 'account_id';
  readonly name: string;
  readonly value: string;
};

export function Related({ related: { items, complete }, filter, name, value }: RelatedProps) {
  const all = `/transactions?${new URLSearchParams({ [filter]: value })}`;
  return (
    <section className="related">
      <h3 className="row">
        {name} <Link href={all}>{value}</Link>
        {complete ? null : <span className="muted">There may be more than these.</span>}
      </h3>
      {items.length === 0 ? (
        <Empty title="There are none" />
      ) : (
        <DataTable
          label={`Neighbours by ${name.toLowerCase()}`}
          columns={COLUMNS}
          rows={items}
          keyOf={(one) => one.transaction_id}
        />
      )}
    </section>
  );
}
