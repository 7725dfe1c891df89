/** How many officers a load takes, how many to hire, and the year ahead. */
import type { ReviewCapacity } from '../../../../../src/kit/client/api-types.ts';
import { count, number, percent } from '../../../format.ts';
import { type Column, DataTable } from '../../../parts/data-table.tsx';
import { Facts } from '../../../parts/show.tsx';
import { Missing } from '../figures.tsx';
import { UtilisationBar } from './officers.tsx';

/** A number of officers in words, as `1 officer` or `2 officers`. */
const officers = (value: number) => `${count(value)} ${value === 1 ? 'officer' : 'officers'}`;

export function Staffing({
  capacity,
  waiting,
  hasGrowth,
}: {
  readonly capacity: ReviewCapacity;
  /** Cases. */
  readonly waiting: number;
  readonly hasGrowth: boolean;
}) {
  const { utilisation, utilisation_max: limit, unknown, hire } = capacity;
  const isLoadUnknown =
    unknown.includes('transactions_per_day') || unknown.includes('auto_clear_ratio');
  const ofLoad = (text: string) => (isLoadUnknown ? null : text);
  return (
    <>
      <p className="answer" role="status">
        <Waiting cases={waiting} perHour={capacity.reviews_per_hour} />
        <Answer capacity={capacity} hasMore={waiting > 0} />
      </p>
      <Facts
        rows={[
          ['Reviews a day', ofLoad(number(capacity.reviews_per_day))],
          ['Reviews of one officer a day', number(capacity.officer_reviews_per_day)],
          ['At least', ofLoad(officers(capacity.officers_min))],
          [
            `For ${percent(capacity.utilisation_hired)}`,
            ofLoad(officers(capacity.officers_to_hire)),
          ],
          [
            'Utilisation',
            utilisation === null || hire === null ? null : (
              <span key="bar" className="measured">
                {percent(utilisation)} <UtilisationBar value={utilisation} limit={limit} />
              </span>
            ),
          ],
        ]}
      />
      <Missing unknown={unknown} />
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

/** The waiting cases, which are no part of the cases that come in a day. */
function Waiting({ cases, perHour }: { readonly cases: number; readonly perHour: number }) {
  if (cases === 0) return null;
  const wait = cases === 1 ? 'case waits' : 'cases wait';
  return (
    <>
      {count(cases)} {wait}, {number(cases / perHour)} h of one officer.{' '}
    </>
  );
}

/** Names of the fields. */
const ENTERED: Readonly<Record<ReviewCapacity['unknown'][number], string>> = {
  transactions_per_day: 'Transactions a day',
  auto_clear_ratio: 'Auto-cleared',
  officers: 'Officers',
  reviews_per_hour: 'Reviews an hour',
};

type AnswerProps = {
  readonly capacity: ReviewCapacity;
  /** Whether cases wait besides. */
  readonly hasMore: boolean;
};

function Answer({ capacity, hasMore }: AnswerProps) {
  const { reviews_per_day, utilisation, utilisation_max, utilisation_hired, hire, unknown } =
    capacity;
  if (hire === null) {
    return (
      <>
        Too little is known yet to say how many officers it takes: enter{' '}
        {unknown
          .filter((name) => name !== 'reviews_per_hour')
          .map((name) => ENTERED[name])
          .join(', ')}
        .
      </>
    );
  }
  if (reviews_per_day === 0) {
    return <>By these figures {hasMore ? 'no more come in' : 'nothing is to be reviewed'}.</>;
  }
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
