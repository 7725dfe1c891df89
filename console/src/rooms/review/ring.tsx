/** All open cases of the same device, account or merchant, decided at once after a confirmation. */
import { useState } from 'react';
import { Link } from 'wouter';
import type { Me, ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { Part } from '../../parts/page.tsx';
import { CASES_MAX, ManyDialog, NotDecided, useDecideMany } from './many-dialog.tsx';
import { countOf, PARTY_FILTERS, type RingOf, useRing } from './rings.ts';

export function Ring({ one, me }: { readonly one: ReviewCase; readonly me: Me }) {
  const device = useRing('device', one, me);
  const account = useRing('account', one, me);
  const merchant = useRing('merchant', one, me);
  const rings = [device, account, merchant].filter((ring) => ring !== undefined);
  const [asked, setAsked] = useState<RingOf>();
  const deciding = useDecideMany();
  const worthwhile = rings.filter(({ cases }) => cases.length > 1);
  return (
    <Part title="Same device, account, merchant">
      {asked === undefined ? <NotDecided deciding={deciding} /> : null}
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
              <button type="button" disabled={deciding.isPending} onClick={() => setAsked(ring)}>
                Decide {countOf(ring)} …
              </button>
            </li>
          ))}
        </ul>
      )}
      {asked === undefined ? null : (
        <ManyDialog
          deciding={deciding}
          cases={asked.cases.slice(0, CASES_MAX)}
          of={` of ${asked.party} ${asked.id}`}
          onClose={() => setAsked(undefined)}
        >
          <p>
            These open cases of {asked.party} <strong className="anywhere">{asked.id}</strong> get
            the same decision{asked.cases.length > CASES_MAX ? '; more are open' : ''}.
          </p>
        </ManyDialog>
      )}
    </Part>
  );
}
