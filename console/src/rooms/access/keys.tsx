/** API keys, and the sessions that were begun with them. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Key, Me, Session } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has, isApart, ME, sees } from '../../api/me.ts';
import { serverMs } from '../../api/server-time.ts';
import { person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Badge, Facts, Id, Time } from '../../parts/show.tsx';
import { Empty, Found, Trouble } from '../../parts/states.tsx';
import { NewKeyDialog } from './new-key.tsx';

export function KeysPage({ me }: { readonly me: Me }) {
  return (
    <Page title="Keys and sessions">
      <Facts
        rows={[
          ['You are', person(me.identity ?? me.owner)],
          [
            'With the key',
            <span key="key" className="mono">
              {me.key_id}
            </span>,
          ],
          ['Roles', me.roles.map((role) => role.replace('_', ' ')).join(', ')],
          ['Client', me.client],
        ]}
      />
      <Sessions isAll={has(me, 'admin')} />
      {sees(me, 'admin', 'risk_officer') ? <Keys me={me} /> : null}
    </Page>
  );
}

function Sessions({ isAll }: { readonly isAll: boolean }) {
  const client = useQueryClient();
  const query = useQuery({
    queryKey: ['sessions'],
    queryFn: ({ signal }) => ask('GET /v1/sessions', {}, signal),
  });
  const [asked, setAsked] = useState<Session>();
  const end = useMutation({
    mutationFn: ({ session_id: id }: Session) => ask('DELETE /v1/sessions/{id}', { path: { id } }),
    onSuccess: (_, { current }) =>
      client.invalidateQueries({ queryKey: current ? ME : ['sessions'] }),
  });
  const columns: readonly Column<Session>[] = [
    { id: 'id', header: 'Session', cell: (one) => <Id id={one.session_id} /> },
    { id: 'who', header: 'Who', cell: (one) => person(one.identity ?? one.owner) },
    {
      id: 'key',
      header: 'Key',
      from: 3,
      cell: (one) => <span className="mono">{one.key_id}</span>,
    },
    { id: 'began', header: 'Began', from: 2, cell: (one) => <Time at={one.created_at} /> },
    { id: 'used', header: 'Last used', from: 3, cell: (one) => <Time at={one.used_at} /> },
    {
      id: 'ends',
      header: 'Ends at the latest',
      from: 2,
      cell: (one) => <Time at={one.expires_at} />,
    },
    {
      id: 'end',
      header: 'Actions',
      cell: (one) =>
        one.current ? (
          <Badge level="fine">this one</Badge>
        ) : (
          <button type="button" onClick={() => setAsked(one)} aria-label={`End ${one.session_id}`}>
            End
          </button>
        ),
    },
  ];
  return (
    <Part title={isAll ? 'Open sessions' : 'Open sessions of your key'}>
      {end.error === null ? null : <Trouble error={end.error} />}
      <Found query={query} what="sessions">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nobody is logged in" />
          ) : (
            <DataTable
              label="Sessions"
              columns={columns}
              rows={items}
              keyOf={(one) => one.session_id}
            />
          )
        }
      </Found>
      {asked === undefined ? null : (
        <Confirm
          title="End a session"
          action="End it"
          isDangerous
          onConfirm={() => end.mutate(asked)}
          onClose={() => setAsked(undefined)}
        >
          <p>
            The browser of {person(asked.identity ?? asked.owner)} is logged out within a second.
            Its key stays in force.
          </p>
        </Confirm>
      )}
    </Part>
  );
}

function stateOf({ revoked_at, expires_at, roles, confirmed_at }: Key) {
  if (revoked_at !== null) return <Badge level="unknown">revoked</Badge>;
  if (expires_at !== null && Date.parse(expires_at) < serverMs())
    return <Badge level="unknown">expired</Badge>;
  const isPending = roles.some(isApart) && confirmed_at === null;
  return isPending ? (
    <Badge level="warning">unconfirmed</Badge>
  ) : (
    <Badge level="fine">in force</Badge>
  );
}

function Keys({ me }: { readonly me: Me }) {
  const mayRevoke = has(me, 'admin');
  const [isMaking, setMaking] = useState(false);
  const client = useQueryClient();
  const query = useInfiniteQuery({
    queryKey: ['keys'],
    queryFn: ({ pageParam, signal }) =>
      ask('GET /v1/keys', { query: { cursor: pageParam } }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const rows = useMemo(() => query.data?.pages.flatMap(({ items }) => items) ?? [], [query.data]);
  const [asked, setAsked] = useState<Key>();
  const revoke = useMutation({
    mutationFn: ({ key_id: id }: Key) => ask('DELETE /v1/keys/{id}', { path: { id } }),
    onSuccess: () => client.invalidateQueries(),
  });
  const columns: readonly Column<Key>[] = [
    { id: 'id', header: 'Key', cell: ({ key_id }) => <Id id={key_id} chars={17} /> },
    { id: 'who', header: 'Who', cell: ({ identity, owner }) => person(identity ?? owner) },
    {
      id: 'roles',
      header: 'Roles',
      from: 2,
      cell: ({ roles }) => <span className="wrap">{roles.join(', ')}</span>,
    },
    { id: 'client', header: 'Client', from: 3, cell: (key) => key.client },
    { id: 'made', header: 'Made', from: 3, cell: ({ created_at }) => <Time at={created_at} /> },
    {
      id: 'expires',
      header: 'Expires',
      from: 3,
      cell: ({ expires_at }) => <Time at={expires_at} />,
    },
    { id: 'state', header: 'State', cell: stateOf },
    {
      id: 'revoke',
      header: 'Actions',
      cell: (key) =>
        mayRevoke && key.revoked_at === null ? (
          <button type="button" onClick={() => setAsked(key)} aria-label={`Revoke ${key.key_id}`}>
            Revoke
          </button>
        ) : (
          '–'
        ),
    },
  ];
  return (
    <Part
      title="API keys"
      aside={
        has(me, 'admin', 'risk_officer') ? (
          <button type="button" onClick={() => setMaking(true)}>
            Make a key
          </button>
        ) : null
      }
    >
      {isMaking ? <NewKeyDialog me={me} onClose={() => setMaking(false)} /> : null}
      {revoke.error === null ? null : <Trouble error={revoke.error} />}
      <Found query={query} what="keys">
        {() => (
          <DataTable
            label="API keys"
            columns={columns}
            rows={rows}
            keyOf={({ key_id }) => key_id}
            more={query}
          />
        )}
      </Found>
      {asked === undefined ? null : (
        <Confirm
          title="Revoke a key"
          action="Revoke"
          isDangerous
          onConfirm={() => revoke.mutate(asked)}
          onClose={() => setAsked(undefined)}
        >
          <p>
            The key {asked.key_id} of {asked.identity ?? asked.owner} and its sessions stop working
            within a second, for good.
          </p>
        </Confirm>
      )}
    </Part>
  );
}
