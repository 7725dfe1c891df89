/** Cells that tables of a report share. */
import type { ReactNode } from 'react';
import type { OutcomeShare } from '../../../../src/kit/client/api-types.ts';
import { count, percent } from '../../format.ts';
import type { Column } from '../../parts/data-table.tsx';

/** A share with its interval of 95 %. */
export const shareText = (share: OutcomeShare | null): ReactNode =>
  share === null ? (
    <span className="muted">–</span>
  ) : (
    <>
      <strong>{percent(share.value)}</strong>{' '}
      <span className="muted small">
        {percent(share.low)} to {percent(share.high)}
      </span>
    </>
  );

export type Labels = Readonly<Record<'fraud' | 'legitimate' | 'unlabelled', number>>;

export const LABELS: readonly Column<Labels>[] = [
  { id: 'fraud', header: 'Frauds', numeric: true, cell: ({ fraud }) => count(fraud) },
  { id: 'good', header: 'Good', numeric: true, cell: ({ legitimate }) => count(legitimate) },
  { id: 'none', header: 'No label', numeric: true, cell: ({ unlabelled }) => count(unlabelled) },
];
