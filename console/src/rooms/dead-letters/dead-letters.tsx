/** Transactions whose scoring was given up: by error and corridor, replayed or purged one by one or by the group. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import type { DeadLetter, DeadLetterGroup } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { count } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Id, Time } from '../../parts/show.tsx';
import { Empty, Found, Trouble } from '../../parts/states.tsx';
import { Letter } from './dead-letter.tsx';

const PAGE_ROWS = 100;
/** Dead letters of one request; a larger group takes several. */
const COMMAND_ROWS = 1000;

type What = { readonly action: 'replay' | 'purge'; readonly group: DeadLetterGroup };

export function DeadLettersPage() {
  const groups = useQuery({
    queryKey: ['dead-letters', 'groups'],
    queryFn: ({ signal }) => ask('GET /v1/dead-letters/groups', {}, signal),
  });
  const [search, setSearch] = useSearchParams();
  const [asked, setAsked] = useState<What>();
  const command = useGroupCommand();
  const selected = search.get('id');
  return (
    <Page title="Dead letters">
      {command.error === null ? null : <Trouble error={command.error} />}
      {command.data === undefined ? null : <output className="notice">{command.data}</output>}
      {command.isPending ? (
        <output className="notice">Working: {count(command.done)} so far …</output>
      ) : null}
      <Part title="Open, by error">
        <Found query={groups} what="groups">
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="There are no open dead letters">
                Every transaction was scored, or waits for its next attempt.
              </Empty>
            ) : (
              <Groups items={items} isBusy={command.isPending} onAsk={setAsked} />
            )
          }
        </Found>
      </Part>
      <Letters onSelect={(id) => setSearch(id === null ? {} : { id })} />
      {selected === null ? null : <Letter id={selected} onClose={() => setSearch({})} />}
      {asked === undefined ? null : (
        <Ask
          what={asked}
          onConfirm={() => command.run(asked)}
          onClose={() => setAsked(undefined)}
        />
      )}
    </Page>
  );
}

/** Runs a command on all of a group, a bounded number a request. */
function useGroupCommand() {
  const client = useQueryClient();
  const [done, setDone] = useState(0);
  const mutation = useMutation({
    mutationFn: async ({ action, group: { error_code, corridor } }: What) => {
      let [changed, refused, remaining] = [0, 0, 0];
      let failed_before: string | undefined;
      do {
        const body = { error_code, corridor, limit: COMMAND_ROWS, failed_before };
        const result =
          action === 'replay'
            ? await ask('POST /v1/dead-letters/replay', { body })
            : await ask('POST /v1/dead-letters/purge', { body });
        const now = 'replayed' in result ? result.replayed : result.purged;
        changed += now;
        refused += result.refused.length;
        remaining = result.remaining;
        failed_before = result.failed_before ?? undefined;
        setDone(changed);
        if (now === 0) break;
      } while (remaining > 0);
      const left = refused === 0 ? '' : ` ${count(refused)} were refused.`;
      return `${count(changed)} ${action === 'replay' ? 'replayed' : 'purged'}.${left}`;
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['dead-letters'] }),
  });
  const run = (what: What) => {
    setDone(0);
    mutation.mutate(what);
  };
  return { ...mutation, done, run };
}

function Ask({
  what: { action, group },
  onConfirm,
  onClose,
}: {
  readonly what: What;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}) {
  const what = `${count(group.dead_letters)} of ${group.error_code} in ${group.corridor}`;
  return action === 'replay' ? (
    <Confirm title="Replay a group" action="Replay" onConfirm={onConfirm} onClose={onClose}>
      <p>{what} are tried again, as if they had just been accepted.</p>
      {group.unreadable === 0 ? null : <p>{count(group.unreadable)} cannot be read, and stay.</p>}
    </Confirm>
  ) : (
    <Confirm
      title="Purge a group"
      action="Purge"
      isDangerous
      onConfirm={onConfirm}
      onClose={onClose}
    >
      <p>
        {what} are given up for good: <strong>their transactions are never scored.</strong> The
        audit log keeps who did it.
      </p>
    </Confirm>
  );
}

type GroupsProps = {
  readonly items: readonly DeadLetterGroup[];
  readonly isBusy: boolean;
  readonly onAsk: (what: What) => void;
};

function Groups({ items, isBusy, onAsk }: GroupsProps) {
  const columns: readonly Column<DeadLetterGroup>[] = [
    {
      id: 'code',
      header: 'Error',
      cell: ({ error_code }) => <span className="mono">{error_code}</span>,
    },
    { id: 'corridor', header: 'Corridor', cell: ({ corridor }) => corridor },
    { id: 'letters', header: 'Open', numeric: true, cell: (row) => count(row.dead_letters) },
    { id: 'first', header: 'First', from: 3, cell: (row) => <Time at={row.first_failed_at} /> },
    { id: 'last', header: 'Last', from: 2, cell: (row) => <Time at={row.last_failed_at} /> },
    {
      id: 'cure',
      header: 'Cure',
      from: 2,
      cell: ({ cure }) => (
        <span className="clip" title={cure}>
          {cure}
        </span>
      ),
    },
    {
      id: 'actions',
      header: 'Actions',
      cell: (group) => (
        <span className="row">
          {(['replay', 'purge'] as const).map((action) => (
            <button
              key={action}
              type="button"
              disabled={isBusy}
              aria-label={`${action} ${group.error_code} in ${group.corridor}`}
              onClick={() => onAsk({ action, group })}
            >
              {action === 'replay' ? 'Replay' : 'Purge'}
            </button>
          ))}
        </span>
      ),
    },
  ];
  return (
    <DataTable
      label="Groups of dead letters"
      columns={columns}
      rows={items}
      keyOf={({ error_code, corridor }) => `${error_code} ${corridor}`}
    />
  );
}

function stateOf({ replayed_at, purged_at }: DeadLetter): string {
  if (purged_at !== null) return 'purged';
  return replayed_at === null ? 'open' : 'replayed';
}

function Letters({ onSelect }: { readonly onSelect: (id: string | null) => void }) {
  const query = useInfiniteQuery({
    queryKey: ['dead-letters', 'list'],
    queryFn: ({ pageParam, signal }) =>
      ask('GET /v1/dead-letters', { query: { limit: PAGE_ROWS, cursor: pageParam } }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const rows = useMemo(() => query.data?.pages.flatMap(({ items }) => items) ?? [], [query.data]);
  const columns: readonly Column<DeadLetter>[] = [
    { id: 'failed', header: 'Failed', cell: ({ failed_at }) => <Time at={failed_at} /> },
    {
      id: 'error',
      header: 'Error',
      cell: ({ dead_letter_id: id, error_code }) => (
        <Link className="mono" href={`/dead-letters?id=${id}`} onClick={() => onSelect(id)}>
          {error_code}
        </Link>
      ),
    },
    {
      id: 'detail',
      header: 'Detail',
      from: 2,
      cell: ({ error }) => <span className="clip">{error}</span>,
    },
    { id: 'corridor', header: 'Corridor', from: 2, cell: ({ corridor }) => corridor },
    {
      ...{ id: 'transaction', header: 'Transaction', from: 3 },
      cell: ({ message: { transaction_id } }) =>
        transaction_id === null ? 'unreadable' : <Id id={transaction_id} chars={13} />,
    },
    { id: 'state', header: 'State', cell: stateOf },
  ];
  return (
    <Part title="Newest failures">
      <Found query={query} what="dead letters">
        {() =>
          rows.length === 0 ? (
            <Empty title="Nothing was ever given up" />
          ) : (
            <DataTable
              label="Dead letters"
              columns={columns}
              rows={rows}
              keyOf={({ dead_letter_id }) => dead_letter_id}
              more={query}
            />
          )
        }
      </Found>
    </Part>
  );
}
