/** The preview of a rule set: verdicts of yesterday, frauds and good customers, and rules of no use. */
import type { RuleSetPreview } from '../../../../src/kit/client/api-types.ts';
import { count, percent } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Verdict } from '../../parts/show.tsx';
import { Tiles } from '../../parts/tiles.tsx';

type Outcomes = RuleSetPreview['before'];
type Flip = RuleSetPreview['flips'][number];

/** Scores that a person looks at, and declined ones. */
const stopped = ({ review, decline }: Outcomes['all']) => review + decline;
const allOf = ({ approve, review, decline }: Outcomes['all']) => approve + review + decline;

/** Frauds and good customers side by side. */
export function Yesterday({ preview }: { readonly preview: RuleSetPreview }) {
  const { before, after, sampled, labelled, scores, from, in_force: against, by_model } = preview;
  if (sampled === 0) {
    return (
      <p className="muted">
        Nothing was scored on {dayOf(from)}, so there is nothing to try the rules on.
      </p>
    );
  }
  const tile = (name: string, of: keyof Outcomes, rows: (one: Outcomes['all']) => number) => {
    const all = allOf(after[of]);
    if (all === 0) return [name, '–', 'no label is known'] as const;
    const [then, now] = [rows(before[of]), rows(after[of])];
    const note = then === now ? 'as now' : `now ${count(then)}`;
    return [name, `${count(now)} of ${count(all)}`, note] as const;
  };
  return (
    <>
      <Tiles
        label="Yesterday"
        tiles={[
          tile('Declined', 'all', ({ decline }) => decline),
          tile('Reviewed', 'all', ({ review }) => review),
          tile('Frauds stopped', 'fraud', stopped),
          tile('Good customers stopped', 'legitimate', stopped),
        ]}
      />
      {preview.flips.length === 0 ? (
        <p className="muted">No verdict differs from those of {against.join(', ')}.</p>
      ) : (
        <DataTable
          label="Verdicts that differ"
          columns={FLIP_COLUMNS}
          rows={preview.flips}
          keyOf={({ from: was, to }) => `${was} ${to}`}
        />
      )}
      <p className="muted small">
        Tried on{' '}
        {sampled >= scores ? `all ${count(sampled)}` : `${count(sampled)} of ${count(scores)}`}{' '}
        scores of {dayOf(from)} (UTC), beside {against.join(', ')}. Stopped is reviewed or declined;
        frauds and good customers are those with a label:{' '}
        {labelled === 0 ? 'none of them has one yet' : `${count(labelled)} of them have one by now`}
        .
        {by_model === 0
          ? ''
          : ` A model decided ${percent(by_model / sampled)} of them: there only policies add points.`}
        {preview.unrecorded.map(
          ({ input, scores: without }) =>
            ` ${count(without)} of them have not recorded ${input}: there it is missing.`,
        )}
      </p>
    </>
  );
}

const dayOf = (iso: string) => iso.slice(0, 10);

const FLIP_COLUMNS: readonly Column<Flip>[] = [
  { id: 'from', header: 'Now', cell: ({ from }) => <Verdict verdict={from} /> },
  { id: 'to', header: 'Would be', cell: ({ to }) => <Verdict verdict={to} /> },
  { id: 'count', header: 'Scores', numeric: true, cell: (row) => count(row.count) },
  { id: 'fraud', header: 'Frauds', numeric: true, cell: ({ fraud }) => count(fraud) },
  { id: 'good', header: 'Good', numeric: true, cell: ({ legitimate }) => count(legitimate) },
];

type Unhealthy = RuleSetPreview['rules'][number];

const HEALTH_COLUMNS = (onOpen: (rule: string) => void): readonly Column<Unhealthy>[] => [
  {
    ...{ id: 'rule', header: 'Rule' },
    cell: ({ rule }) => (
      <button type="button" className="link" onClick={() => onOpen(rule)}>
        {rule}
      </button>
    ),
  },
  {
    ...{ id: 'finding', header: 'Found' },
    cell: ({ findings }) => (
      <span className="wrap">{findings.map(({ detail }) => detail).join(' ')}</span>
    ),
  },
  {
    ...{ id: 'without', header: 'Without it', from: 2 },
    cell: ({ without }) => <span className="wrap">{changesOf(without)}</span>,
  },
];

function changesOf(without: Unhealthy['without']): string {
  if (without === null || without.flips.length === 0) return 'No verdict changes.';
  const flips = without.flips.map(
    ({ count: rows, from, to, fraud }) =>
      `${count(rows)} from ${from} to ${to}${fraud === 0 ? '' : `, ${count(fraud)} frauds`}`,
  );
  return `Of ${count(without.hits)} hits: ${flips.join('; ')}.`;
}

type HealthProps = {
  readonly preview: RuleSetPreview;
  readonly onOpen: (rule: string) => void;
};

/** Rules that may be of no use. */
export function Health({ preview: { rules, sampled }, onOpen }: HealthProps) {
  const isSilent = ({ findings }: Unhealthy) => findings.every(({ kind }) => kind === 'never');
  const found = rules.filter(({ findings }) => findings.length > 0);
  const rows = found.filter((one) => !isSilent(one));
  const silent = found.filter(isSilent);
  if (found.length === 0) {
    return (
      <p className="muted">
        {sampled < ROWS_MIN
          ? `Fewer than ${ROWS_MIN} scores say nothing of a rule.`
          : 'Each rule fired, and none of them seems to be of no use.'}
      </p>
    );
  }
  return (
    <>
      {rows.length === 0 ? null : (
        <DataTable
          label="Rules of no use"
          columns={HEALTH_COLUMNS(onOpen)}
          rows={rows}
          keyOf={({ rule }) => rule}
        />
      )}
      {silent.length === 0 ? null : (
        <p className="row">
          Silent on all {count(sampled)} scores, so that no verdict changes without them:
          {silent.map(({ rule }) => (
            <button key={rule} type="button" className="link" onClick={() => onOpen(rule)}>
              {rule}
            </button>
          ))}
        </p>
      )}
    </>
  );
}

/** As the API has it. */
const ROWS_MIN = 100;
