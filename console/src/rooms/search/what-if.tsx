/** The score that a scored transaction would have with other fields. The API computes the score, and stores nothing. */
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import type {
  WhatIf as Answer,
  TransactionChanges,
  TransactionDetail,
} from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { number, sayMoney, words } from '../../format.ts';
import { Bars } from '../../parts/bars.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { readLocal, sayLocal, showLocal, timeLabel } from '../../parts/local-time.ts';
import { Part } from '../../parts/page.tsx';
import { Verdict } from '../../parts/show.tsx';
import { Trouble } from '../../parts/states.tsx';
import { featureText } from './features.tsx';

type FieldName = keyof TransactionChanges;
const FIELDS: readonly (readonly [FieldName, string])[] = [
  ['amount', 'Amount'],
  ['currency', 'Currency'],
  ['merchant_id', 'Merchant'],
  ['account_id', 'Account'],
  ['country', 'Country'],
  ['device_id', 'Device'],
  ['ip', 'Address'],
  ['created_at', 'Created'],
  ['corridor', 'Corridor'],
  ['channel', 'Channel'],
  ['type', 'Type'],
];
/** Fields that an empty text takes away. */
const OPTIONAL: readonly FieldName[] = ['country', 'device_id', 'ip', 'channel', 'type'];

export function WhatIf({ transaction }: { readonly transaction: TransactionDetail }) {
  const [values, setValues] = useState<TransactionChanges>({});
  const changes = changesOf(transaction, values);
  const { transaction_id: id } = transaction;
  const asked = useMutation({
    mutationFn: (body: TransactionChanges) =>
      ask('POST /v1/transactions/{id}/what-if', { path: { id }, body }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    asked.mutate(changes);
  };
  const reset = () => {
    setValues({});
    asked.reset();
  };
  const isChanged = Object.keys(changes).length > 0;
  return (
    <Part
      title="What if"
      aside={
        <span className="muted small">
          by the rule set and model of its score; nothing is stored
        </span>
      }
    >
      <form className="what-if" onSubmit={submit}>
        <div className="filters">
          {FIELDS.map(([name, label]) => (
            <Field
              key={name}
              label={label}
              value={values[name] ?? storedText(transaction, name)}
              isChanged={name in changes}
              isTime={name === 'created_at'}
              onChange={(value) => setValues((before) => ({ ...before, [name]: value }))}
            />
          ))}
        </div>
        <div className="row">
          <button type="submit" className="primary" disabled={!isChanged || asked.isPending}>
            {asked.isPending ? 'Scoring …' : 'What would it score?'}
          </button>
          <button type="button" onClick={reset} disabled={!isChanged && asked.isIdle}>
            Reset
          </button>
          {isChanged ? null : <span className="muted small">Change a field first.</span>}
        </div>
      </form>
      {asked.error === null ? null : <Trouble error={asked.error} />}
      <div role="status">
        {asked.data === undefined ? null : (
          <Answered
            answer={asked.data}
            currency={asked.variables.currency ?? transaction.currency}
            amount={asked.variables.amount ?? transaction.amount}
          />
        )}
      </div>
    </Part>
  );
}

/** A field as people read and type it: a time is in their zone. */
const storedText = (transaction: TransactionDetail, name: FieldName) =>
  name === 'created_at' ? showLocal(transaction.created_at) : (transaction[name] ?? '');

/** The fields that differ from what is stored. */
function changesOf(transaction: TransactionDetail, values: TransactionChanges): TransactionChanges {
  const changed = FIELDS.flatMap(([name]) => {
    const value = values[name]?.trim();
    if (value === undefined || value === storedText(transaction, name)) return [];
    const given = name === 'created_at' ? readLocal(value) : value;
    return [[name, given === '' && OPTIONAL.includes(name) ? null : given] as const];
  });
  return Object.fromEntries(changed);
}

type FieldProps = {
  readonly label: string;
  readonly value: string;
  readonly isChanged: boolean;
  readonly isTime: boolean;
  readonly onChange: (value: string) => void;
};

function Field({ label, value, isChanged, isTime, onChange }: FieldProps) {
  const id = useId();
  return (
    <div className={`field ${isChanged ? 'active' : ''} ${isTime ? 'long' : ''}`}>
      <label htmlFor={id}>{isTime ? timeLabel(label, value) : label}</label>
      <input
        id={id}
        value={value}
        spellCheck={false}
        autoComplete="off"
        aria-describedby={isTime ? `${id}-sent` : undefined}
        onChange={({ target }) => onChange(target.value)}
      />
      {isTime ? (
        <span id={`${id}-sent`} className="muted small">
          {sayLocal(value)}
        </span>
      ) : null}
    </div>
  );
}

type AnsweredProps = {
  readonly answer: Answer;
  readonly currency: string;
  readonly amount: string;
};

function Answered({ answer, currency, amount }: AnsweredProps) {
  const { stored, features, reasons, known_later: later } = answer;
  const moved = features.filter(({ name }) => later.includes(name)).map(({ name }) => name);
  return (
    <div className="what-if">
      <p className={`verdict ${answer.verdict} compared`}>
        <span className="score">
          <strong>{answer.score}</strong>
          <span className="muted">{differenceOf(answer.score - stored.score)}</span>
        </span>
        <Verdict verdict={answer.verdict} />
        <span className="muted">
          {`It scored ${stored.score}, ${stored.verdict}. Changed: ${answer.changed.map(words).join(', ') || 'nothing'}.`}
        </span>
      </p>
      {reasons.length === 0 ? (
        <p>No rule fires, and no model sees a risk.</p>
      ) : (
        <Bars
          rows={reasons.map(({ code, detail, contribution }) => ({
            key: code,
            name: sayMoney(detail, currency, amount),
            value: contribution,
            text: number(contribution),
            note: noteOf(code, stored),
          }))}
        />
      )}
      <Gone answer={answer} />
      {features.length === 0 ? (
        <p className="muted small">
          No rule and no model reads what was changed: no feature moves.
        </p>
      ) : (
        <DataTable
          label="Features that move"
          columns={COLUMNS}
          rows={features}
          keyOf={({ name }) => name}
        />
      )}
      {moved.length === 0 ? null : (
        <p className="muted small">
          {`More is known today than when it was scored, of: ${moved.join(', ')}. A part of their difference is due to that.`}
        </p>
      )}
    </div>
  );
}

function differenceOf(points: number): string {
  if (points === 0) return 'as before';
  return points > 0 ? `${points} more` : `${-points} less`;
}

function noteOf(code: string, { reasons }: Answer['stored']): string {
  const before = reasons.find((reason) => reason.code === code);
  return `${words(code)}, ${before === undefined ? 'new' : `was ${number(before.contribution)}`}`;
}

/** Reasons that the stored score has and this one lacks. */
function Gone({ answer: { stored, reasons } }: { readonly answer: Answer }) {
  const gone = stored.reasons.filter(({ code }) => !reasons.some((one) => one.code === code));
  if (gone.length === 0) return null;
  return (
    <p>
      {'No longer: '}
      {gone.map(({ code }) => words(code)).join(', ')}.
    </p>
  );
}

const shown = (value: number | null, unit: string) =>
  value === null ? 'missing' : featureText(value, unit);

const COLUMNS: readonly Column<Answer['features'][number]>[] = [
  {
    ...{ id: 'name', header: 'Feature' },
    cell: ({ name, description }) => (
      <span className="mono" title={description}>
        {name}
      </span>
    ),
  },
  {
    ...{ id: 'description', header: 'Meaning', from: 2 },
    cell: ({ description }) => <span className="wrap">{description}</span>,
  },
  { id: 'stored', header: 'Was', numeric: true, cell: ({ stored, unit }) => shown(stored, unit) },
  { id: 'value', header: 'Would be', numeric: true, cell: ({ value, unit }) => shown(value, unit) },
  {
    id: 'unit',
    header: 'Unit',
    from: 2,
    cell: ({ unit }) => <span className="muted">{unit}</span>,
  },
];
