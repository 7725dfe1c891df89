/** Personal data: the declared fields, the value behind a token, and the erasure of a value. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Erasure, Me, PersonalField } from '../../../../src/kit/client/api-types.ts';
import { ask, deadline } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { person } from '../../format.ts';
import { APPROVALS, Approvals } from '../../parts/approvals.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Choice, Field } from '../../parts/field.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Facts, Id, Time } from '../../parts/show.tsx';
import { Empty, Found, Trouble } from '../../parts/states.tsx';

const COLUMNS: readonly Column<PersonalField>[] = [
  { id: 'field', header: 'Field', cell: ({ field }) => <code>{field}</code> },
  { id: 'by', header: 'Declared by', cell: ({ declared_by }) => person(declared_by) },
  { id: 'at', header: 'When', from: 2, cell: ({ declared_at }) => <Time at={declared_at} /> },
];

export function PersonalPage({ me }: { readonly me: Me }) {
  const query = useQuery({
    queryKey: ['personal-fields'],
    queryFn: ({ signal }) => ask('GET /v1/personal-fields', {}, signal),
  });
  const fields = query.data?.items ?? [];
  return (
    <Page title="Personal data">
      {has(me, 'personal_data') ? <ReadPart /> : null}
      {has(me, 'admin', 'risk_officer') && fields.length > 0 ? (
        <>
          <Approvals me={me} isShown={({ kind }) => kind === 'erasure'} />
          <ErasePart fields={fields.map(({ field }) => field)} />
        </>
      ) : null}
      <Part title="Fields">
        <Found query={query} what="fields">
          {() =>
            fields.length === 0 ? (
              <Empty title="No field is declared">
                Values are kept as clients send them. An admin declares fields of a new market.
              </Empty>
            ) : (
              <DataTable
                label="Fields"
                columns={COLUMNS}
                rows={fields}
                keyOf={({ field }) => field}
              />
            )
          }
        </Found>
      </Part>
    </Page>
  );
}

/** A header has characters of Latin-1 alone. */
const LATIN = /^[\x20-\xff]*$/;

type Wanted = { readonly token: string; readonly reason: string };

/** The value stays on the page until the next one is read or the page is left, and is kept nowhere else. */
function ReadPart() {
  const [token, setToken] = useState('');
  const [reason, setReason] = useState('');
  const read = useMutation({
    mutationFn: (wanted: Wanted) =>
      ask(
        'GET /v1/subjects/{token}',
        { path: { token: wanted.token }, reason: wanted.reason },
        deadline(),
      ),
    gcTime: 0,
  });
  const { data, error, isPending } = read;
  const isLatin = LATIN.test(reason);
  return (
    <Part title="Read a value">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          read.mutate({ token: token.trim(), reason: reason.trim() });
        }}
      >
        <div className="filters">
          <Field
            {...{ label: 'Token', value: token, onChange: setToken, isRequired: true }}
            placeholder="tok_…"
          />
          <Field
            {...{ label: 'Why you read it', value: reason, onChange: setReason, isRequired: true }}
            hint={
              isLatin
                ? 'The audit log keeps the reason: write no name.'
                : 'The reason takes Latin letters alone.'
            }
          />
          <button type="submit" className="primary" disabled={isPending || !isLatin}>
            Read
          </button>
        </div>
      </form>
      {error === null ? null : <Trouble error={error} />}
      {data === undefined ? null : (
        <Facts
          rows={[
            ['Value', <strong key="value">{sayValue(data.value)}</strong>],
            ['Field', <code key="field">{data.field}</code>],
            ['Kept since', <Time key="at" at={data.made_at} />],
          ]}
        />
      )}
    </Part>
  );
}

const sayValue = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

type Erasing = { readonly field: string; readonly value: string; readonly reason: string };

function ErasePart({ fields }: { readonly fields: readonly string[] }) {
  const [field, setField] = useState(fields[0] ?? '');
  const [value, setValue] = useState('');
  const [reason, setReason] = useState('');
  const [asked, setAsked] = useState<Erasing>();
  const client = useQueryClient();
  const erase = useMutation({
    mutationFn: (body: Erasing) => ask('POST /v1/erasures', { body }, deadline()),
    onSuccess: () => {
      setValue('');
      return client.invalidateQueries({ queryKey: [APPROVALS] });
    },
    gcTime: 0,
  });
  return (
    <Part title="Erase a value">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          setAsked({ field, value: value.trim(), reason: reason.trim() });
        }}
      >
        <div className="filters">
          <Choice label="Field" value={field} onChange={setField}>
            {fields.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </Choice>
          <Field {...{ label: 'Value or token', value, onChange: setValue, isRequired: true }} />
          <Field
            {...{ label: 'Why you erase it', value: reason, onChange: setReason, isRequired: true }}
            hint="The number of the request: write no name."
          />
          <button type="submit" className="danger" disabled={erase.isPending}>
            Erase …
          </button>
        </div>
      </form>
      {erase.error === null ? null : <Trouble error={erase.error} />}
      {erase.data === undefined ? null : 'approval_id' in erase.data ? (
        <output className="notice">
          A block list has it: another person confirms the erasure.
        </output>
      ) : (
        <Erased erasure={erase.data} />
      )}
      {asked === undefined ? null : (
        <Confirm
          title="Erase the value"
          action="Erase"
          isDangerous
          onConfirm={() => erase.mutate(asked)}
          onClose={() => setAsked(undefined)}
        >
          <p>
            Nobody can read the value again, and its token leads nowhere. With an account go the
            devices, addresses and members of metadata that it alone had. This cannot be undone.
          </p>
          <p>A value on a block list waits until another person, a risk officer, confirms.</p>
        </Confirm>
      )}
    </Part>
  );
}

function Erased({ erasure }: { readonly erasure: Erasure }) {
  const { token, asked_by, confirmed_by, also, noted_cases } = erasure;
  return (
    <output>
      <Facts
        rows={[
          ['Erased', <Id key="token" id={token} />],
          ['Asked by', person(asked_by)],
          ...(confirmed_by === null ? [] : [['Confirmed by', person(confirmed_by)] as const]),
          ...also.map(
            ({ field, erased, shared, unjudged }) =>
              [field, `${erased} erased, ${shared} shared, ${unjudged} unjudged`] as const,
          ),
          ...(noted_cases.length === 0
            ? []
            : [['Cases with notes: read them', <Cases key="cases" ids={noted_cases} />] as const]),
        ]}
      />
    </output>
  );
}

function Cases({ ids }: { readonly ids: readonly string[] }) {
  return ids.map((id) => (
    <div key={id}>
      <Link href={`/review/${id}`}>
        <Id id={id} chars={13} />
      </Link>
    </div>
  ));
}
