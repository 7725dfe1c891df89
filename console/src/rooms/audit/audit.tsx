/** The audit log: who changed what, newest first. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useSearchParams } from 'wouter';
import type { AuditEntry } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { person, recordedName } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Page } from '../../parts/page.tsx';
import { Facts, Id, Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { Changes } from './changes.tsx';

const PAGE_ROWS = 100;

export function AuditPage() {
  const [search, setSearch] = useSearchParams();
  const who = search.get('who') ?? '';
  const [opened, setOpened] = useState<AuditEntry>();
  const query = useInfiniteQuery({
    queryKey: ['audit', who],
    queryFn: ({ pageParam, signal }) =>
      ask('GET /v1/audit', { query: { who, limit: PAGE_ROWS, cursor: pageParam } }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const rows = useMemo(() => query.data?.pages.flatMap(({ items }) => items) ?? [], [query.data]);
  const columns: readonly Column<AuditEntry>[] = [
    { id: 'at', header: 'When', cell: ({ changed_at }) => <Time at={changed_at} /> },
    {
      ...{ id: 'who', header: 'Who' },
      cell: ({ who: name }) => (
        <span className="clip person" title={name}>
          {person(name)}
        </span>
      ),
    },
    {
      id: 'action',
      header: 'Action',
      cell: (entry) => (
        <button type="button" className="link" onClick={() => setOpened(entry)}>
          {entry.action}
        </button>
      ),
    },
    {
      id: 'subject',
      header: 'What',
      from: 2,
      cell: ({ subject }) => <Id id={subject} chars={24} />,
    },
    { id: 'key', header: 'Key', from: 3, cell: ({ key_id }) => key_id ?? '–' },
    {
      id: 'request',
      header: 'Request',
      from: 3,
      cell: ({ request }) => <Id id={request} chars={13} />,
    },
  ];
  return (
    <Page title="Audit">
      <Who who={who} onSet={(name) => setSearch(name === '' ? {} : { who: name })} />
      <Found query={query} what="changes">
        {() =>
          rows.length === 0 ? (
            <Empty title="No change matches" />
          ) : (
            <DataTable
              label="Changes"
              columns={columns}
              rows={rows}
              keyOf={({ audit_id }) => audit_id}
              more={query}
            />
          )
        }
      </Found>
      {opened === undefined ? null : <Entry entry={opened} onClose={() => setOpened(undefined)} />}
    </Page>
  );
}

function Who({ who, onSet }: { readonly who: string; readonly onSet: (name: string) => void }) {
  return (
    <search className="filters">
      <div className={who === '' ? 'field' : 'field active'}>
        <label htmlFor="who">Who</label>
        <input
          key={who}
          id="who"
          defaultValue={person(who)}
          data-search=""
          placeholder="Ann, engine, key of …"
          onBlur={({ target }) =>
            recordedName(target.value.trim()) !== who && onSet(recordedName(target.value.trim()))
          }
          onKeyDown={(event) => {
            if (event.key === 'Enter') onSet(recordedName(event.currentTarget.value.trim()));
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
      </div>
    </search>
  );
}

function Entry({ entry, onClose }: { readonly entry: AuditEntry; readonly onClose: () => void }) {
  return (
    <Dialog title={entry.action} onClose={onClose}>
      <Facts
        rows={[
          ['When', <Time key="at" at={entry.changed_at} />],
          ['Who', person(entry.who)],
          ['What', <Id key="subject" id={entry.subject} />],
          ['Key', entry.key_id],
          ['Request', <Id key="request" id={entry.request} />],
          ['Number', entry.audit_id],
        ]}
      />
      <Changes entry={entry} />
    </Dialog>
  );
}
