/**
 * Finds a party's copy in memory: an open-addressing table from ids to numbers. The caller keeps the ids as
 * bytes, so no object lives as long as a copy does.
 */

/** Most used slots, as a share: longer runs would slow the search. */
const LOAD_MAX = 0.5;
const EMPTY = -1;

export type PartyTable = {
  /** The number under which the party was added, or -1. */
  readonly find: (party: string, hash: number) => number;
  /** Adds a party that is not there. */
  readonly add: (number: number, hash: number) => void;
  readonly remove: (number: number) => void;
};

/**
 * @param numbersMax numbers are below this
 * @param isParty whether the id that is kept under a number is this party's
 */
export function createPartyTable(
  numbersMax: number,
  isParty: (number: number, party: string) => boolean,
): PartyTable {
  const places = 2 ** Math.ceil(Math.log2(Math.max(2, numbersMax / LOAD_MAX)));
  const mask = places - 1;
  const numbers = new Int32Array(places).fill(EMPTY);
  /** By number. */
  const hashes = new Uint32Array(numbersMax);

  return {
    find(party, hash) {
      for (let place = hash & mask; ; place = (place + 1) & mask) {
        const number = numbers[place] ?? EMPTY;
        if (number === EMPTY) return EMPTY;
        if (hashes[number] === hash && isParty(number, party)) return number;
      }
    },
    add(number, hash) {
      hashes[number] = hash;
      let place = hash & mask;
      while (numbers[place] !== EMPTY) place = (place + 1) & mask;
      numbers[place] = number;
    },
    remove(number) {
      let hole = (hashes[number] ?? 0) & mask;
      while (numbers[hole] !== number) hole = (hole + 1) & mask;
      // Entries behind it move up where their run would be broken, so no tombstones are needed.
      for (let place = (hole + 1) & mask; numbers[place] !== EMPTY; place = (place + 1) & mask) {
        const home = (hashes[numbers[place] ?? 0] ?? 0) & mask;
        if (((place - home) & mask) < ((place - hole) & mask)) continue;
        numbers[hole] = numbers[place] ?? EMPTY;
        hole = place;
      }
      numbers[hole] = EMPTY;
    },
  };
}
