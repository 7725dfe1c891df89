/** All open cases of the same device, account or merchant, decided at once after a confirmation. */
import { useState } from 'react';
import { Link } from 'wouter';
import type { Me, ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { Part } from '../../parts/page.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { isOfficer, nameOf } from './cases.ts';
import { CASES_MAX, ManyDialog, NotDecided, useDecideMany } from './many-dialog.tsx';
import { countOf, PARTY_FILTERS, type RingOf, useRing } from './rings.ts';

export function Ring({ one, me }: { readonly one: ReviewCase; readonly me: Me }) {
  const device = useRing('device', one, me);
  const account = useRing('account', one, me);
  const merchant = useRing('merchant', one, me);
  const [asked, setAsked] = useState<RingOf>();
  const deciding = useDecideMany();
  const isMore = ({ cases }: RingOf) =>
    cases.some(({ transaction_id: id }) => id !== one.transaction_id);
  const rings = [device, account, merchant].filter((ring) => ring !== undefined);
  const worthwhile = tellOnce(rings).filter((ring) => isMore(ring) || ring.confirming.length > 0);
  const first = worthwhile.find(isMore);
  useShortcuts({ r: () => first !== undefined && !deciding.isPending && setAsked(first) });
  return (
    <Part title="Same device, account, merchant">
      {asked === undefined ? <NotDecided deciding={deciding} /> : null}
      {worthwhile.length === 0 ? (
        <p className="muted">No other open case shares any of them.</p>
      ) : (
        <ul className="rings">
          {worthwhile.map((ring) => (
            <li key={ring.party}>
              <Link className="ring-name" title={ring.id} href={linkOf(ring)}>
                <span className="muted">{ring.party}</span> {ring.id}
              </Link>
              {isMore(ring) ? (
                <button type="button" disabled={deciding.isPending} onClick={() => setAsked(ring)}>
                  Decide {countOf(ring.cases)} … {ring === first ? <kbd>r</kbd> : null}
                </button>
              ) : null}
              <Confirming ring={ring} me={me} />
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

/** Leaves decisions out that wait for a second person if an earlier ring has all of them. */
function tellOnce(rings: readonly RingOf[]): readonly RingOf[] {
  const told = new Set<string>();
  return rings.map((ring) => {
    const ids = ring.confirming.map(({ transaction_id: id }) => id);
    if (ids.every((id) => told.has(id))) return { ...ring, confirming: [] };
    for (const id of ids) told.add(id);
    return ring;
  });
}

const linkOf = ({ party, id }: RingOf, more = {}) =>
  `/review?${new URLSearchParams({ [PARTY_FILTERS[party]]: id, ...more })}`;

/** Decisions about a ring that wait for a second person, and who that is. */
function Confirming({ ring, me }: { readonly ring: RingOf; readonly me: Me }) {
  const { confirming } = ring;
  if (confirming.length === 0) return null;
  const isMine = confirming.some(({ decision }) => decision?.decided_by === nameOf(me));
  return (
    <p className="small">
      <Link href={linkOf(ring, { state: 'confirming' })}>
        {countOf(confirming)} other {confirming.length === 1 ? 'decision' : 'decisions'}
      </Link>{' '}
      {confirming.length === 1 ? 'is' : 'are'} to be confirmed by a second person:{' '}
      {isOfficer(me) && !isMine ? 'you may confirm' : 'another person, a risk officer, confirms'}{' '}
      {confirming.length === 1 ? 'it on its' : 'each on its'} own page.
    </p>
  );
}
