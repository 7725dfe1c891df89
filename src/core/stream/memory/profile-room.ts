/**
 * Decides which profiles Redis gets while its memory is scarce: those of parties that were refused most often lately, as TinyLFU does
 * it (Einziger et al., 2017). Of parties that fit by a third, each one let in would displace one that is as likely to come; and
 * parties that are seen once displace none.
 */
import murmurhash from 'murmurhash';

/** Parties whose refusals are counted, a power of two. Fewer: a party is forgotten before it comes again. 320 KiB. */
const REFUSED_MAX = 65_536;
/** Refusals from which a party is let in, where the room was taken before each check. More: seldom ones wait in vain. */
const REFUSALS_MAX = 15;

export type ProfileRoom = ReturnType<typeof createProfileRoom>;

export function createProfileRoom() {
  /** Infinite until the first check has measured the memory. */
  let bytes = Number.POSITIVE_INFINITY;
  let isScarce = false;
  let isCrowded = false;
  let isTaken = false;
  /** Refusals from which a party is let in now. */
  let refusalsMin = 1;
  /** Hashes of parties, each where its last bits say, and how often each was refused more than those of the same bits. */
  const refused = new Uint32Array(REFUSED_MAX);
  const refusals = new Uint8Array(REFUSED_MAX);
  const at = (hash: number) => hash & (REFUSED_MAX - 1);
  return {
    /** @param left bytes that this process may install before the next check */
    set(left: number, found: { readonly isScarce: boolean; readonly isCrowded: boolean }): void {
      refusalsMin = isTaken
        ? Math.min(refusalsMin + 1, REFUSALS_MAX)
        : Math.max(refusalsMin - 1, 1);
      isTaken = false;
      bytes = left;
      ({ isScarce, isCrowded } = found);
    },
    /** Lets nothing in until the next check. */
    close(): void {
      bytes = 0;
      isScarce = true;
    },
    hasBytes: (): boolean => bytes > 0,
    /** Whether logs are to have no spare memory. */
    isCrowded: (): boolean => isCrowded,
    take(bytesTaken: number): void {
      bytes -= bytesTaken;
      isTaken ||= bytes <= 0;
    },
    /** Whether a log may be begun for a party that this process has no copy of. */
    admits(key: string): boolean {
      if (bytes <= 0 || !isScarce) return bytes > 0;
      const hash = murmurhash.v3(key, 0);
      return refused[at(hash)] === hash && (refusals[at(hash)] as number) >= refusalsMin;
    },
    /** Notes that no log was begun. */
    refuse(key: string): void {
      if (!isScarce) return;
      const hash = murmurhash.v3(key, 0);
      const slot = at(hash);
      const count = refusals[slot] as number;
      if (refused[slot] === hash) refusals[slot] = Math.min(count + 1, REFUSALS_MAX);
      else if (count > 1) refusals[slot] = count - 1;
      else {
        refused[slot] = hash;
        refusals[slot] = 1;
      }
    },
    /** Begins to count refusals anew. */
    forget(): void {
      refused.fill(0);
      refusals.fill(0);
    },
  };
}
