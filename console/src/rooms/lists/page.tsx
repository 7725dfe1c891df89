/** The lists of the market and those of all markets. */
import { Link } from 'wouter';
import type { ValueList } from '../../../../src/kit/client/api-types.ts';
import { count, person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Page } from '../../parts/page.tsx';
import { Badge, Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { useLists } from './lists.ts';

export const EFFECT_LEVELS = { allow: 'fine', block: 'critical', watch: 'warning' } as const;

const COLUMNS: readonly Column<ValueList>[] = [
  { id: 'name', header: 'List', cell: ({ name }) => <Link href={`/lists/${name}`}>{name}</Link> },
  {
    ...{ id: 'effect', header: 'Effect' },
    cell: ({ effect }) => <Badge level={EFFECT_LEVELS[effect]}>{effect}</Badge>,
  },
  { id: 'kind', header: 'Of', cell: ({ kind }) => kind },
  {
    ...{ id: 'open', header: 'Entries', numeric: true },
    cell: ({ open_entries }) => count(open_entries),
  },
  {
    ...{ id: 'what', header: 'What it has', from: 2 },
    cell: ({ description, source }) => <span className="wrap">{source ?? description}</span>,
  },
  { id: 'by', header: 'Made by', from: 3, cell: ({ created_by }) => person(created_by) },
  { id: 'at', header: 'Made', from: 3, cell: ({ created_at }) => <Time at={created_at} /> },
];

export function ListsPage() {
  const query = useLists();
  return (
    <Page title="Lists">
      <Found query={query} what="lists">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="There is no list yet">
              The key b on the page of a transaction, account, merchant, device or case makes one.
            </Empty>
          ) : (
            <DataTable label="Lists" columns={COLUMNS} rows={items} keyOf={({ name }) => name} />
          )
        }
      </Found>
    </Page>
  );
}
