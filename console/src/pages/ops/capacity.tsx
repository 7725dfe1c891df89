/** How many officers the reviews take: by measured figures, or by those that somebody enters, now and with growth. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { Operations, ReviewCapacity } from '../../../../src/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { count, number, percent } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Field } from '../../parts/field.tsx';
import { Part } from '../../parts/page.tsx';
import { Facts } from '../../parts/show.tsx';
import { Loading, Trouble } from '../../parts/states.tsx';
import { UtilisationBar } from './officers.tsx';

type Query = NonNullable<Operations['GET /v1/reviews/capacity']['call']['query']>;

/** What somebody has entered, as text; shares in percent. */
const NOTHING = { transactions: '', autoClear: '', pace: '', officers: '', growth: '' };
type Entered = typeof NOTHING;

/** What is absent is measured. */
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

export function Capacity() {
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
  const share = (value: number | undefined) => (value === undefined ? '' : number(value * 100));
  return (
    <Part title="Capacity">
      <form className="filters" onSubmit={submit}>
        <Field
          {...{ label: 'Transactions a day', isNumber: true, value: entered.transactions }}
          placeholder={measured === undefined ? '' : number(measured.transactions_per_day)}
          onChange={enter('transactions')}
        />
        <Field
          {...{ label: 'Auto-cleared, %', isNumber: true, max: 100, value: entered.autoClear }}
          placeholder={share(measured?.auto_clear_ratio)}
          onChange={enter('autoClear')}
        />
        <Field
          {...{ label: 'Reviews an hour, each', isNumber: true, value: entered.pace }}
          placeholder={measured === undefined ? '' : number(measured.reviews_per_hour)}
          onChange={enter('pace')}
        />
        <Field
          {...{ label: 'Officers', isNumber: true, value: entered.officers }}
          placeholder={measured === undefined ? '' : number(measured.officers)}
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
        <Staffing capacity={query.data} hasGrowth={(asked.growth ?? 0) > 0} />
      )}
    </Part>
  );
}

/** One officer, two officers. */
const officers = (value: number) => `${count(value)} ${value === 1 ? 'officer' : 'officers'}`;

function Staffing({
  capacity,
  hasGrowth,
}: {
  readonly capacity: ReviewCapacity;
  readonly hasGrowth: boolean;
}) {
  const { utilisation, utilisation_max: limit } = capacity;
  return (
    <>
      <p className="answer" role="status">
        <Answer capacity={capacity} />
      </p>
      <Facts
        rows={[
          ['Reviews a day', number(capacity.reviews_per_day)],
          ['Reviews of one officer a day', number(capacity.officer_reviews_per_day)],
          ['At least', officers(capacity.officers_min)],
          [`For ${percent(capacity.utilisation_hired)}`, officers(capacity.officers_to_hire)],
          [
            'Utilisation',
            utilisation === null ? null : (
              <span key="bar" className="measured">
                {percent(utilisation)} <UtilisationBar value={utilisation} limit={limit} />
              </span>
            ),
          ],
        ]}
      />
      {hasGrowth ? (
        <DataTable
          label="Projection by month"
          columns={columnsOf(capacity)}
          rows={capacity.projection}
          keyOf={({ month }) => String(month)}
        />
      ) : (
        <p className="muted small">Enter a growth a month to see the year ahead.</p>
      )}
    </>
  );
}

function Answer({ capacity }: { readonly capacity: ReviewCapacity }) {
  const { reviews_per_day, utilisation, utilisation_max, utilisation_hired, hire } = capacity;
  if (reviews_per_day === 0) return <>By these figures nothing is to be reviewed.</>;
  const reviews = `${number(reviews_per_day)} reviews a day`;
  if (utilisation === null) {
    return (
      <>
        {reviews}, and nobody to do them: <strong>hire {count(hire)}</strong>, for{' '}
        {percent(utilisation_hired)}.
      </>
    );
  }
  const busy = `${reviews} keep ${officers(capacity.officers)} ${percent(utilisation)} busy`;
  if (hire === 0) {
    return (
      <>
        {busy}. That is within {percent(utilisation_max)}: nobody to hire.
      </>
    );
  }
  return (
    <>
      {busy}, above the limit of {percent(utilisation_max)}:{' '}
      <strong>hire {count(hire)} more</strong>, for at most {percent(utilisation_hired)}.
    </>
  );
}

type Month = ReviewCapacity['projection'][number];
const columnsOf = (capacity: ReviewCapacity): readonly Column<Month>[] => [
  {
    ...{ id: 'month', header: 'Month' },
    cell: ({ month }) => (month === 0 ? 'now' : `in ${month}`),
  },
  {
    ...{ id: 'transactions', header: 'Transactions a day', numeric: true, from: 2 },
    cell: (row) => count(row.transactions_per_day),
  },
  {
    ...{ id: 'reviews', header: 'Reviews a day', numeric: true },
    cell: (row) => count(row.reviews_per_day),
  },
  {
    ...{ id: 'min', header: 'At least', numeric: true },
    cell: (row) => count(row.officers_min),
  },
  {
    ...{ id: 'hire', header: `For ${percent(capacity.utilisation_hired)}`, numeric: true },
    cell: (row) => count(row.officers_to_hire),
  },
];
