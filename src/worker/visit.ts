/** A party of a batch, on its way through the rounds of one side (fold-side.ts). */
import type { Holding } from '../profile/fold-batch.ts';
import type { ProfileHeader } from '../profile/profile.ts';
import type { PartyKind } from '../stream/keys.ts';
import type { Kept } from './profile-memory.ts';

export type Place = { readonly key: string; readonly slot: number };
/** Where Redis has a party's profile; `slot` is given where it is known. */
export type PlaceOfParty = (party: PartyKind, id: string, slot?: number) => Place;
/** One object for all that is known of it: batches touch as many parties as entries. */
export type Visit<P> = Holding<P> &
  Place & {
    readonly party: string;
    /** The copy in memory, and its header; null for none. */
    kept: Kept | null;
    known: ProfileHeader | null;
    storedHeader: ProfileHeader | null;
    /** Folded into before Redis said that the copy stands: its write must win. */
    isPresumed: boolean;
    /** Another worker was faster, or nothing has put the presumption to the test: another round. */
    isToRepeat: boolean;
    /** What was folded had nothing to write, so it counts as soon as Redis says that `known` stands. */
    isToConfirm: boolean;
    /** The header that a write on its way leaves behind; null when nothing was to be written. */
    written: ProfileHeader | null;
  };

export function beginVisit<P>(
  party: string,
  { key, slot }: Place,
  kept: Kept | undefined,
): Visit<P> {
  return {
    party,
    key,
    slot,
    kept: kept ?? null,
    known: kept?.header ?? null,
    storedHeader: null,
    isPresumed: false,
    isToRepeat: false,
    isToConfirm: false,
    written: null,
    profile: undefined,
  };
}

/** Begins another round: what is known of Redis is asked anew. */
export function repeatVisit<P>(visit: Visit<P>, kept: Kept | undefined): void {
  // A later batch may have folded on: then there is another header to ask about.
  visit.isToConfirm =
    visit.isPresumed && visit.written === null && visit.known === (kept?.header ?? null);
  visit.kept = kept ?? null;
  visit.known = kept?.header ?? null;
  visit.storedHeader = null;
  visit.isPresumed = false;
  visit.written = null;
}
