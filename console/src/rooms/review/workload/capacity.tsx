/** How many officers the reviews take: by measured figures, or by those that somebody enters, now and with growth. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { Operations, ReviewCapacity } from '../../../../../src/kit/client/api-types.ts';
import { ask } from '../../../api/ask.ts';
import { number } from '../../../format.ts';
import { Field } from '../../../parts/field.tsx';
import { Part } from '../../../parts/page.tsx';
import { Loading, Trouble } from '../../../parts/states.tsx';
import { Staffing } from './staffing.tsx';

type Query = NonNullable<Operations['GET /v1/reviews/capacity']['call']['query']>;

/** The texts of the fields before anything is entered; shares are in percent. */
const NOTHING = { transactions: '', autoClear: '', pace: '', officers: '', growth: '' };
type Entered = typeof NOTHING;

/** The query of the entered values; the API measures each absent value. */
function toQuery({ transactions, autoClear, pace, officers, growth }: Entered): Query {
  const given = (text: string) => (text.trim() === '' ? undefined : Number(text.trim()));
  const share = (text: string) => {
    const value = given(text);
    // Without the noise of the division: 7 % are 0.07.
    return value === undefined ? undefined : Number((value / 100).toFixed(6));
  };
  const all: Record<keyof Query, number | undefined> = {
    transactions_per_day: given(transactions),
    auto_clear_ratio: share(autoClear),
    reviews_per_hour: given(pace),
    officers: given(officers),
    growth: share(growth),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** @param waiting cases that wait now; undefined until the live figures are there */
export function Capacity({ waiting }: { readonly waiting: number | undefined }) {
  const [entered, setEntered] = useState(NOTHING);
  const [asked, setAsked] = useState<Query>({});
  const query = useQuery({
    queryKey: ['review-capacity', asked],
    queryFn: ({ signal }) => ask('GET /v1/reviews/capacity', { query: asked }, signal),
    placeholderData: keepPreviousData,
  });
  const measured = useQuery({
    queryKey: ['review-capacity', {}],
    queryFn: ({ signal }) => ask('GET /v1/reviews/capacity', {}, signal),
  }).data;
  const enter = (name: keyof Entered) => (value: string) =>
    setEntered({ ...entered, [name]: value });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(toQuery(entered));
  };
  const reset = () => {
    setEntered(NOTHING);
    setAsked({});
  };
  /** An unknown figure is no placeholder that somebody would take for a measured one. */
  const known = (name: keyof Query & ReviewCapacity['unknown'][number], factor = 1) =>
    measured === undefined || (measured.unknown.includes(name) && name !== 'reviews_per_hour')
      ? ''
      : number(measured[name] * factor);
  return (
    <Part title="Capacity">
      <form className="filters" onSubmit={submit}>
        <Field
          {...{ label: 'Transactions a day', isNumber: true, value: entered.transactions }}
          placeholder={known('transactions_per_day')}
          onChange={enter('transactions')}
        />
        <Field
          {...{ label: 'Auto-cleared, %', isNumber: true, max: 100, value: entered.autoClear }}
          placeholder={known('auto_clear_ratio', 100)}
          onChange={enter('autoClear')}
        />
        <Field
          {...{ label: 'Reviews an hour, each', isNumber: true, value: entered.pace }}
          placeholder={known('reviews_per_hour')}
          onChange={enter('pace')}
        />
        <Field
          {...{ label: 'Officers', isNumber: true, value: entered.officers }}
          placeholder={known('officers')}
          onChange={enter('officers')}
        />
        <Field
          {...{ label: 'Growth a month, %', isNumber: true, value: entered.growth }}
          placeholder="0"
          onChange={enter('growth')}
        />
        <span className="row whole">
          <button type="submit" className="primary">
            Calculate
          </button>
          <button type="button" onClick={reset}>
            As measured
          </button>
        </span>
      </form>
      {query.error !== null ? (
        <Trouble error={query.error} retry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <Loading what="capacity" />
      ) : (
        <Staffing
          capacity={query.data}
          waiting={waiting ?? 0}
          hasGrowth={(asked.growth ?? 0) > 0}
        />
      )}
    </Part>
  );
}
