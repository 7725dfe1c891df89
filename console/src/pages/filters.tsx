/** The filters of the lists, one entry each. A filter that a list does not take is kept in the address and not sent. */
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { ask } from '../api/ask.ts';

export type ListName = 'scores' | 'transactions';

type Filter = {
  /** The parameter of the API. */
  readonly name: string;
  readonly label: string;
  readonly lists: readonly ListName[];
  readonly kind: 'text' | 'number' | 'time' | 'choice';
  readonly choices?: readonly string[] | 'corridors' | 'reasons';
  readonly placeholder?: string;
  /** `/` moves here. */
  readonly isFirst?: boolean;
};

const BOTH = ['scores', 'transactions'] as const;
const SCORED = ['scores'] as const;

const FILTERS: readonly Filter[] = [
  {
    name: 'account_id',
    label: 'Account',
    lists: BOTH,
    kind: 'text',
    placeholder: 'acc_17',
    isFirst: true,
  },
  { name: 'merchant_id', label: 'Merchant', lists: BOTH, kind: 'text', placeholder: 'm_9' },
  { name: 'corridor', label: 'Corridor', lists: BOTH, kind: 'choice', choices: 'corridors' },
  {
    name: 'verdict',
    label: 'Verdict',
    lists: SCORED,
    kind: 'choice',
    choices: ['approve', 'review', 'decline'],
  },
  {
    name: 'min_score',
    label: 'Score from',
    lists: SCORED,
    kind: 'number',
    placeholder: '0 to 1000',
  },
  { name: 'reason', label: 'Reason', lists: SCORED, kind: 'choice', choices: 'reasons' },
  { name: 'from', label: 'From', lists: BOTH, kind: 'time' },
  { name: 'to', label: 'Until', lists: BOTH, kind: 'time' },
];

/** The parameters of a list that the address holds. */
export function activeFilters(list: ListName, search: URLSearchParams): Record<string, string> {
  const given = FILTERS.filter(({ lists }) => lists.includes(list)).map(
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
  readonly list: ListName;
  readonly search: URLSearchParams;
  readonly onChange: (
    change: (before: URLSearchParams) => URLSearchParams,
    options?: { replace?: boolean },
  ) => void;
};

export function Filters({ list, search, onChange }: FiltersProps) {
  const shown = FILTERS.filter(({ lists }) => lists.includes(list));
  const isAny = shown.some(({ name }) => search.has(name));
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
  return (
    <search className="filters">
      {shown.map((filter) => (
        <Field
          key={filter.name}
          filter={filter}
          value={search.get(filter.name) ?? ''}
          onSet={(value) => set(filter.name, value)}
        />
      ))}
      {isAny ? (
        <button
          type="button"
          onClick={() =>
            onChange((before) => {
              const next = new URLSearchParams(before);
              for (const { name } of FILTERS) next.delete(name);
              return next;
            })
          }
        >
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

function Field({ filter, value, onSet }: FieldProps) {
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
          inputMode={kind === 'number' ? 'numeric' : undefined}
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
