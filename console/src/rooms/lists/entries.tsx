/** A list with its entries, which people end; what is proposed for an allow list waits for another person. */
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useMemo, useState } from 'react';
import { useSearchParams } from 'wouter';
import type { ListEntry, Me } from '../../../../src/kit/client/api-types.ts';
import { ask, deadline } from '../../api/ask.ts';
import { count, person } from '../../format.ts';
import { Approvals } from '../../parts/approvals.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Field, Segments } from '../../parts/field.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Badge, Facts, Time } from '../../parts/show.tsx';
import { Empty, Found, Trouble } from '../../parts/states.tsx';
import { LISTS, useIsAsked, useLists } from './lists.ts';
import { EFFECT_LEVELS } from './page.tsx';

const STATES = [
  ['in_force', 'In force'],
  ['proposed', 'Proposed'],
  ['all', 'History'],
] as const;
type State = (typeof STATES)[number][0];
const LEVELS = {
  in_force: 'fine',
  proposed: 'warning',
  expired: 'unknown',
  ended: 'unknown',
} as const;
const ASKED = { yes: 'ask it', no: 'do not ask it: it stops nothing' } as const;
const PAGE_ROWS = 100;

type Props = { readonly name: string; readonly me: Me };

export function ListPage({ name, me }: Props) {
  const lists = useLists();
  const isAsked = useIsAsked(name);
  return (
    <Page title={name}>
      <Found query={lists} what="the list">
        {({ items }) => {
          const list = items.find((one) => one.name === name);
          if (list === undefined) return <Empty title="There is no such list" />;
          const { effect, kind, open_entries, description, source, created_by } = list;
          return (
            <>
              <Facts
                rows={[
                  [
                    'Effect',
                    <Badge key="effect" level={EFFECT_LEVELS[effect]}>
                      {effect}
                    </Badge>,
                  ],
                  ['Of', kind],
                  ['Entries', count(open_entries)],
                  ['What it has', description],
                  source === null ? ['Made by', person(created_by)] : ['Source', source],
                  ['Rules in force', isAsked === undefined ? '' : ASKED[isAsked ? 'yes' : 'no']],
                ]}
              />
              <Approvals me={me} isShown={({ detail }) => detail['list'] === name} />
              <Entries name={name} isShared={source !== null} />
            </>
          );
        }}
      </Found>
    </Page>
  );
}

function Entries({ name, isShared }: { readonly name: string; readonly isShared: boolean }) {
  const [search, setSearch] = useSearchParams();
  const [state, setState] = useState<State>('in_force');
  const value = search.get('value') ?? '';
  const query = useInfiniteQuery({
    queryKey: [LISTS, 'entries', name, state, value],
    queryFn: ({ pageParam, signal }) => {
      const wanted = { state, limit: PAGE_ROWS, cursor: pageParam };
      const narrowed = value === '' ? wanted : { ...wanted, value };
      return ask('GET /v1/lists/{name}/entries', { path: { name }, query: narrowed }, signal);
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const rows = useMemo(() => query.data?.pages.flatMap(({ items }) => items) ?? [], [query.data]);
  const { columns, dialog } = useEnd(name, isShared);
  return (
    <Part
      title="Entries"
      aside={<Segments label="State" choices={STATES} chosen={state} onChoose={setState} />}
    >
      <Search
        key={value}
        value={value}
        onSet={(next) => setSearch(next === '' ? {} : { value: next })}
      />
      {dialog}
      <Found query={query} what="entries">
        {() =>
          rows.length === 0 ? (
            <Empty title={value === '' ? 'There are none' : `${value} is not among them`} />
          ) : (
            <DataTable
              label="Entries"
              columns={columns}
              rows={rows}
              keyOf={({ entry_id }) => entry_id}
              more={query}
            />
          )
        }
      </Found>
    </Part>
  );
}

type SearchProps = { readonly value: string; readonly onSet: (value: string) => void };

function Search({ value, onSet }: SearchProps) {
  const [typed, setTyped] = useState(value);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSet(typed.trim());
  };
  return (
    <form className="filters" onSubmit={submit} aria-label="Search the list">
      <Field label="Search a whole value" value={typed} onChange={setTyped} placeholder="Enter" />
    </form>
  );
}

const COLUMNS: readonly Column<ListEntry>[] = [
  { id: 'value', header: 'Value', cell: ({ value }) => <span className="wrap mono">{value}</span> },
  {
    ...{ id: 'state', header: 'State', from: 2 },
    cell: ({ state }) => <Badge level={LEVELS[state]}>{state.replace('_', ' ')}</Badge>,
  },
  { id: 'why', header: 'Reason', cell: ({ reason }) => <span className="wrap">{reason}</span> },
  { id: 'by', header: 'Added by', from: 2, cell: ({ added_by }) => person(added_by) },
  { id: 'at', header: 'Added', from: 3, cell: ({ added_at }) => <Time at={added_at} /> },
  {
    id: 'until',
    header: 'Until',
    from: 2,
    cell: (row) => <Time at={row.valid_to ?? row.expires_at} />,
  },
  { id: 'ended', header: 'Ended by', from: 3, cell: ({ ended_by }) => person(ended_by ?? '–') },
];

/** People end an entry of a list of the market. */
function useEnd(name: string, isShared: boolean) {
  const [asked, setAsked] = useState<ListEntry>();
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: ({ entry_id: id }: ListEntry) =>
      ask('DELETE /v1/lists/{name}/entries/{id}', { path: { name, id } }, deadline()),
    onSettled: () => client.invalidateQueries({ queryKey: [LISTS] }),
  });
  const actions: Column<ListEntry> = {
    ...{ id: 'actions', header: 'Actions' },
    cell: (entry) =>
      entry.state === 'in_force' || entry.state === 'proposed' ? (
        <button
          type="button"
          disabled={end.isPending}
          aria-label={`End ${entry.value}`}
          onClick={() => setAsked(entry)}
        >
          End
        </button>
      ) : null,
  };
  const dialog = (
    <>
      {end.error === null ? null : <Trouble error={end.error} />}
      {asked === undefined ? null : (
        <Confirm
          title="End an entry"
          action="End"
          isDangerous
          onConfirm={() => end.mutate(asked)}
          onClose={() => setAsked(undefined)}
        >
          <p>
            {asked.value}: the list has it no more, in every worker within 1.5 seconds. The history
            and the audit log keep the entry.
          </p>
        </Confirm>
      )}
    </>
  );
  return { columns: isShared ? COLUMNS : [...COLUMNS, actions], dialog };
}
