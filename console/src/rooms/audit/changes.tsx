/** The difference that a change made to its subject, field by field. */
import type { ReactNode } from 'react';
import type { AuditEntry } from '../../../../src/kit/client/api-types.ts';
import { exact, person, words } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Raw, Time } from '../../parts/show.tsx';

type Row = { readonly field: string; readonly before: unknown; readonly after: unknown };

type ChangesProps = { readonly entry: AuditEntry };

export function Changes({ entry: { before, after } }: ChangesProps) {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  const rows = [...new Set([...old.keys(), ...now.keys()])]
    .map((field): Row => ({ field, before: old.get(field), after: now.get(field) }))
    .filter((row) => JSON.stringify(row.before ?? null) !== JSON.stringify(row.after ?? null));
  return (
    <>
      {rows.length === 0 ? (
        <p className="muted">No field differs.</p>
      ) : (
        <DataTable
          label="Changed fields"
          columns={COLUMNS}
          rows={rows}
          keyOf={({ field }) => field}
        />
      )}
      <Raw name="Before and after as JSON" value={{ before, after }} />
    </>
  );
}

/** Fields by their words; those of a nested object and of the objects of a list stand behind the name of their own. */
function fieldsOf(value: unknown, name = ''): Map<string, unknown> {
  const isList = Array.isArray(value) && value.some((one) => typeof one === 'object');
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isList && !isObject) return new Map(name === '' ? [] : [[name, value]]);
  const named = Object.entries(value as object).map(([key, one]) => {
    const own = isList ? String(Number(key) + 1) : words(key);
    return fieldsOf(one, name === '' ? own : `${name}, ${own}`);
  });
  return new Map(named.flatMap((fields) => [...fields]));
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function textOf(value: unknown): ReactNode {
  if (value === undefined || value === null || value === '') return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return exact(value);
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  const text = String(value);
  return ISO_TIME.test(text) ? <Time at={text} /> : person(text);
}

const cellOf = (value: unknown) => <span className="wrap anywhere">{textOf(value)}</span>;

const COLUMNS: readonly Column<Row>[] = [
  {
    id: 'field',
    header: 'Field',
    cell: ({ field }) => <span className="wrap anywhere">{field}</span>,
  },
  { id: 'before', header: 'Before', cell: ({ before }) => cellOf(before) },
  { id: 'after', header: 'After', cell: ({ after }) => cellOf(after) },
];
