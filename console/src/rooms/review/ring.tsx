/** All open cases of the same device, account or merchant, decided at once after a confirmation. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Me, ReviewCase, RingDecision } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { count } from '../../format.ts';
import { Part } from '../../parts/page.tsx';
import { REVIEWS } from './cases.ts';
import { Refused } from './refused.tsx';
import { RingDialog } from './ring-dialog.tsx';
import { countOf, PARTY_FILTERS, RING_CASES_MAX, type RingOf, useRing } from './rings.ts';
import { offerUndo } from './undo-store.ts';

export function Ring({ one, me }: { readonly one: ReviewCase; readonly me: Me }) {
  const device = useRing('device', one, me);
  const account = useRing('account', one, me);
  const merchant = useRing('merchant', one, me);
  const rings = [device, account, merchant].filter((ring) => ring !== undefined);
  const [asked, setAsked] = useState<RingOf>();
  const decide = useRingDecision();
  const worthwhile = rings.filter(({ cases }) => cases > 1);
  return (
    <Part title="Same device, account, merchant">
      {decide.error === null ? null : <Refused error={decide.error} onClose={decide.reset} />}
      {decide.data?.more ? (
        <output className="notice">
          {count(RING_CASES_MAX)} are decided, and more are open: decide them again.
        </output>
      ) : null}
      {worthwhile.length === 0 ? (
        <p className="muted">No other open case shares any of them.</p>
      ) : (
        <ul className="rings">
          {worthwhile.map((ring) => (
            <li key={ring.party}>
              <Link
                className="ring-name"
                title={ring.id}
                href={`/review?${new URLSearchParams({ [PARTY_FILTERS[ring.party]]: ring.id })}`}
              >
                <span className="muted">{ring.party}</span> {ring.id}
              </Link>
              <button type="button" disabled={decide.isPending} onClick={() => setAsked(ring)}>
                Decide {countOf(ring)} …
              </button>
            </li>
          ))}
        </ul>
      )}
      {asked === undefined ? null : (
        <RingDialog
          ring={asked}
          onDecide={(disposition, reason) =>
            decide.mutate({ party: asked.party, id: asked.id, disposition, reason })
          }
          onClose={() => setAsked(undefined)}
        />
      )}
    </Part>
  );
}

function useRingDecision() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: RingDecision) => ask('POST /v1/reviews/ring', { body }),
    onSuccess: ({ items }, { disposition, party, id }) => {
      const waiting = items.filter(({ state }) => state === 'confirming').length;
      const second = waiting === 0 ? '' : `; ${count(waiting)} wait for a second person`;
      offerUndo({
        cases: items,
        what: `${count(items.length)} cases of ${party} ${id} decided: ${disposition}${second}`,
      });
    },
    onSettled: () => client.invalidateQueries({ queryKey: [REVIEWS] }),
  });
}
