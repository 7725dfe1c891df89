/** The log-odds of fraud by the table of the day, measure by measure. */
import { Link } from 'wouter';
import type { MarginExplanation } from '../../../../src/kit/client/api-types.ts';
import { tenths, words } from '../../format.ts';
import { Bars } from '../../parts/bars.tsx';
import { Part } from '../../parts/page.tsx';

const ROWS = 10;

export function Margin({ scorecard }: { readonly scorecard: MarginExplanation }) {
  const { day, margin, base, points } = scorecard;
  const greatest = points
    .filter((one) => one.points !== 0)
    .toSorted((one, other) => Math.abs(other.points) - Math.abs(one.points))
    .slice(0, ROWS);
  return (
    <Part title="Scorecard" aside={<Link href={`/scorecards/${day}`}>Table of {day}</Link>}>
      <p>
        Its log-odds of fraud are <strong>{tenths(margin)}</strong>: {tenths(base)} by the rules and
        the constant, and the points of the measures. They decide nothing.
      </p>
      {greatest.length === 0 ? null : (
        <Bars
          rows={greatest.map(({ measure, detail, points: value }) => ({
            ...{ key: measure, name: detail.replace(/: [+−][\d.]+$/, ''), note: words(measure) },
            ...{ value, text: tenths(value) },
          }))}
        />
      )}
    </Part>
  );
}
