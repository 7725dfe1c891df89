/** The suggestions that figures of the last hour make about corridors; one person applies a suggestion. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Me, Suggestion } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { CONTROLS } from '../../api/controls.ts';
import { has } from '../../api/me.ts';
import { usePolling } from '../../api/presence.ts';
import { count, number, percent } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge } from '../../parts/show.tsx';
import { ChangeDialog } from './change-dialog.tsx';

/** Longer: people learn of a wave later. Shorter: each open page counts the last hour more often. */
const ASK_EVERY_MS = 30_000;

/** Absent where nothing is suggested. */
export function SuggestionsPart({ me }: { readonly me: Me }) {
  const { data } = useQuery({
    queryKey: [...CONTROLS, 'suggestions'],
    queryFn: ({ signal }) => ask('GET /v1/suggestions', {}, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
  const [asked, setAsked] = useState<Suggestion>();
  if (data === undefined || data.items.length === 0) return null;
  const columns = has(me, 'operator', 'risk_officer')
    ? [...COLUMNS, applyColumn(setAsked)]
    : COLUMNS;
  return (
    <Part title="Suggested">
      <DataTable label="Suggested" columns={columns} rows={data.items} keyOf={({ id }) => id} />
      {asked === undefined ? null : (
        <ChangeDialog
          title={`${actionOf(asked)}: ${asked.corridor}`}
          action="Apply"
          isDangerous
          onSend={(reason, signal) =>
            ask(
              'POST /v1/suggestions/{id}/apply',
              { path: { id: asked.id }, body: { reason } },
              signal,
            )
          }
          onClose={() => setAsked(undefined)}
        >
          <p>
            {foundOf(asked)}. {effectOf(asked)} It ends by itself in {asked.hours} hours.
          </p>
          <p>{blastOf(asked)}</p>
        </ChangeDialog>
      )}
    </Part>
  );
}

const EFFECTS = {
  freeze: 'New transactions are refused, accepted ones are scored.',
  tighten: 'The thresholds of review and decline get lower by 100 points.',
} as const;

const ACTIONS = { freeze: 'Freeze', tighten: 'Tighten', throttle: 'Throttle' } as const;
const actionOf = ({ action }: Suggestion) => ACTIONS[action];

function effectOf({ action, rate_per_second: rate, burst }: Suggestion): string {
  if (action !== 'throttle') return EFFECTS[action];
  return `${number(rate ?? 0)} transactions a second pass, and ${count(burst ?? 0)} at once; others are refused.`;
}

function foundOf({ trigger, found, threshold }: Suggestion): string {
  if (trigger === 'disputes') {
    return `${count(found)} disputes came within 5 minutes, more than ${count(threshold)}`;
  }
  if (trigger === 'overdue' || trigger === 'waiting') {
    const cases = found === 1 ? 'One case waits' : `${count(found)} cases wait`;
    return `${cases} longer than the review policy allows`;
  }
  const what = trigger === 'declines' ? 'of scores are declines' : 'end as dead letters';
  return `${percent(found)} ${what}, more than ${percent(threshold)}`;
}

function blastOf({ blast_radius: { corridors, accounts_share: share, is_within } }: Suggestion) {
  const reach = `${corridors.join(', ')}: ${percent(share)} of accounts`;
  return is_within
    ? `${reach} are concerned.`
    : `${reach} are concerned, more than one failure may.`;
}

const COLUMNS: readonly Column<Suggestion>[] = [
  {
    id: 'what',
    header: 'Suggested',
    cell: (one) => (
      <strong>
        {actionOf(one)} {one.corridor}
      </strong>
    ),
  },
  { id: 'why', header: 'Why', cell: (one) => <span className="wrap">{foundOf(one)}</span> },
  {
    id: 'blast',
    header: 'Concerned',
    from: 2,
    cell: (one) => (
      <span className="wrap">
        {one.blast_radius.is_within ? null : <Badge level="critical">wide</Badge>} {blastOf(one)}
      </span>
    ),
  },
];

const applyColumn = (onApply: (suggestion: Suggestion) => void): Column<Suggestion> => ({
  id: 'apply',
  header: 'Actions',
  cell: (one) => (
    <button
      type="button"
      aria-label={`Apply: ${actionOf(one)} ${one.corridor}`}
      onClick={() => onApply(one)}
    >
      Apply …
    </button>
  ),
});
