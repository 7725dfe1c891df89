/** The filters of the search, one entry each. */
import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { ask } from '../api/ask.ts';

export type Filter = {
  /** The parameter of the API. */
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'number' | 'time' | 'choice';
  readonly choices?: readonly string[] | 'corridors' | 'reasons';
  readonly placeholder?: string;
  /** `/` moves here. */
  readonly isFirst?: boolean;
};

const OFTEN: readonly Filter[] = [
  { name: 'account_id', label: 'Account', kind: 'text', placeholder: 'acc_17', isFirst: true },
  { name: 'merchant_id', label: 'Merchant', kind: 'text', placeholder: 'm_9' },
  { name: 'corridor', label: 'Corridor', kind: 'choice', choices: 'corridors' },
  {
    ...{ name: 'verdict', label: 'Verdict', kind: 'choice' },
    choices: ['approve', 'review', 'decline'],
  },
  { name: 'min_score', label: 'Score from', kind: 'number', placeholder: '0 to 1000' },
  { name: 'reason', label: 'Reason', kind: 'choice', choices: 'reasons' },
  { name: 'from', label: 'From', kind: 'time' },
  { name: 'to', label: 'Until', kind: 'time' },
];

const SELDOM: readonly Filter[] = [
  { name: 'device_id', label: 'Device', kind: 'text', placeholder: 'device-4f2a' },
  { name: 'ip', label: 'Address', kind: 'text', placeholder: '203.0.113.7' },
  { name: 'currency', label: 'Currency', kind: 'text', placeholder: 'USD' },
  { name: 'min_amount', label: 'Amount from', kind: 'number', placeholder: 'with a currency' },
  { name: 'max_amount', label: 'Amount up to', kind: 'number', placeholder: 'with a currency' },
  { name: 'max_score', label: 'Score up to', kind: 'number', placeholder: '0 to 1000' },
  {
    ...{ name: 'label', label: 'Label', kind: 'choice' },
    choices: ['fraud', 'legitimate', 'none'],
  },
  {
    ...{ name: 'status', label: 'Status', kind: 'choice' },
    choices: ['accepted', 'scored', 'dead_lettered'],
  },
  { name: 'rule_set', label: 'Rule set', kind: 'text', placeholder: 'default@2' },
  { name: 'model', label: 'Model', kind: 'text', placeholder: 'fraud@3, or none' },
  { name: 'received_from', label: 'Received from', kind: 'time' },
  { name: 'received_to', label: 'Received until', kind: 'time' },
  { name: 'scored_from', label: 'Scored from', kind: 'time' },
  { name: 'scored_to', label: 'Scored until', kind: 'time' },
];

const FILTERS = [...OFTEN, ...SELDOM];

/** Parameters of the search by name. */
export type FilterValues = Readonly<Record<string, string>>;

/** The filters that the address holds. */
export function activeFilters(search: URLSearchParams): FilterValues {
  const given = FILTERS.map(
    ({ name, kind }) => [name, toParameter(kind, search.get(name) ?? '')] as const,
  );
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
}

/** A time is entered in the viewer's zone. */
function toParameter(kind: Filter['kind'], text: string): string {
  if (kind !== 'time' || text === '') return text;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? '' : time.toISOString();
}

type FiltersProps = {
  readonly search: URLSearchParams;
  readonly onChange: (
    change: (before: URLSearchParams) => URLSearchParams,
    options?: { replace?: boolean },
  ) => void;
};

export function Filters({ search, onChange }: FiltersProps) {
  const isAnyOf = (filters: readonly Filter[]) => filters.some(({ name }) => search.has(name));
  // A fold stays as it was left, also where its last filter is taken away.
  const [isOpen] = useState(() => isAnyOf(SELDOM));
  const set = (name: string, value: string) =>
    onChange(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === '') next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  const fieldOf = (filter: Filter) => (
    <Field
      key={filter.name}
      filter={filter}
      value={search.get(filter.name) ?? ''}
      onSet={(value) => set(filter.name, value)}
    />
  );
  const clear = () =>
    onChange((before) => {
      const next = new URLSearchParams(before);
      for (const { name } of FILTERS) next.delete(name);
      return next;
    });
  return (
    <search className="filters">
      {OFTEN.map(fieldOf)}
      <details open={isOpen}>
        <summary>More filters</summary>
        <div className="filters">{SELDOM.map(fieldOf)}</div>
      </details>
      {isAnyOf(FILTERS) ? (
        <button type="button" onClick={clear}>
          Clear
        </button>
      ) : null}
    </search>
  );
}

type FieldProps = {
  readonly filter: Filter;
  readonly value: string;
  readonly onSet: (value: string) => void;
};

export function Field({ filter, value, onSet }: FieldProps) {
  const id = useId();
  const { label, kind, placeholder, isFirst } = filter;
  return (
    <div className={value === '' ? 'field' : 'field active'}>
      <label htmlFor={id}>{label}</label>
      {kind === 'choice' ? (
        <Choice id={id} filter={filter} value={value} onSet={onSet} />
      ) : (
        <input
          // Another value from elsewhere, as by Clear, replaces what stands there.
          key={value}
          id={id}
          type={kind === 'time' ? 'datetime-local' : 'text'}
          inputMode={kind === 'number' ? 'decimal' : undefined}
          defaultValue={value}
          placeholder={placeholder}
          data-search={isFirst ? '' : undefined}
          spellCheck={false}
          onBlur={({ target }) => target.value.trim() !== value && onSet(target.value.trim())}
          onKeyDown={(event) => {
            if (event.key === 'Enter') onSet(event.currentTarget.value.trim());
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
      )}
    </div>
  );
}

function Choice({
  id,
  filter: { choices = [] },
  value,
  onSet,
}: FieldProps & { readonly id: string }) {
  const listed = useChoices(choices);
  const all = value === '' || listed.includes(value) ? listed : [value, ...listed];
  return (
    <select id={id} value={value} onChange={({ target }) => onSet(target.value)}>
      <option value="">any</option>
      {all.map((choice) => (
        <option key={choice}>{choice}</option>
      ))}
    </select>
  );
}

/** Corridors and reasons change with releases and settings, not while somebody searches. */
function useChoices(choices: NonNullable<Filter['choices']>): readonly string[] {
  const query = useQuery({
    queryKey: ['choices', choices],
    queryFn: async ({ signal }) =>
      choices === 'reasons'
        ? (await ask('GET /v1/reason-codes', {}, signal)).items.map(({ code }) => code)
        : (await ask('GET /v1/corridors', {}, signal)).items.map(({ corridor }) => corridor),
    enabled: typeof choices === 'string',
    staleTime: Number.POSITIVE_INFINITY,
  });
  return typeof choices === 'string' ? (query.data ?? []) : choices;
}
