/**
 * The units that a request asks for, packed in cells of 8 bytes: whether each input is taken by itself, the number of limits, and
 * for each limit its rate, its burst, the number of its units, and for each unit the digest of its party.
 */
import type { PartyField, Rate } from '../../domain/limit.ts';
import type { Pace, PartyDebts } from './party-debts.ts';

/** A transaction as far as its parties are concerned. */
export type Parties = { readonly [Field in PartyField]?: string | undefined };

export type PartyLimit = Rate & { readonly field: PartyField };

/** A unit that its party lacks. */
export type Lacking = {
  /** The limit, counted in the order of packing. */
  readonly limit: number;
  /** The input, counted among those that have the limit's field. */
  readonly unit: number;
  /** The part of the unit that is missing. */
  readonly missing: number;
};

/** Seeds stand for the field in digests: an account and a device of the same id are two parties. */
const SEEDS: Readonly<Record<PartyField, number>> = { account_id: 1, device_id: 2, ip: 3 };
const HEAD_CELLS = 2;
const LIMIT_CELLS = 3;

export function packUnits(
  limits: readonly PartyLimit[],
  inputs: readonly Parties[],
  isEach: boolean,
): Buffer {
  const cells = HEAD_CELLS + limits.length * (LIMIT_CELLS + inputs.length);
  const numbers = new Float64Array(cells);
  const words = new Int32Array(numbers.buffer);
  numbers[0] = isEach ? 1 : 0;
  numbers[1] = limits.length;
  let at = HEAD_CELLS;
  for (const { field, ratePerSecond, burst } of limits) {
    const head = at;
    at += LIMIT_CELLS;
    for (const input of inputs) {
      const id = input[field];
      if (id === undefined) continue;
      digest(id, SEEDS[field], words, 2 * at);
      at += 1;
    }
    numbers[head] = ratePerSecond;
    numbers[head + 1] = burst;
    numbers[head + 2] = at - head - LIMIT_CELLS;
  }
  return Buffer.from(numbers.buffer, 0, at * Float64Array.BYTES_PER_ELEMENT);
}

/** 64 bits of a name: two parties of a market share a digest once in 10^19 pairs. */
function digest(text: string, seed: number, words: Int32Array, at: number): void {
  let low = seed;
  let high = ~seed;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x85ebca6b);
    low = (low << 13) | (low >>> 19);
    high = Math.imul(high ^ unit, 0xc2b2ae35);
    high = (high << 15) | (high >>> 17);
  }
  words[at] = mixed(low);
  words[at + 1] = mixed(high);
}

/** The last step of murmur3: bits of the last characters reach all bits. */
function mixed(word: number): number {
  let all = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  all = Math.imul(all ^ (all >>> 13), 0xc2b2ae35);
  return all ^ (all >>> 16);
}

type OnUnit = (low: number, high: number, pace: Pace, limit: number, unit: number) => void;

/**
 * Takes packed units in their order. The same debts, units and time give the same result in each process.
 * @returns the units that are lacking; where there are any, and inputs are not taken each by itself, nothing is taken
 */
export function takeUnits(debts: PartyDebts, packed: Uint8Array, nowMs: number): Lacking[] {
  const { buffer } = new Uint8Array(packed);
  const numbers = new Float64Array(buffer);
  const words = new Int32Array(buffer);
  const lacking: Lacking[] = [];
  eachUnit(numbers, words, (low, high, pace, limit, unit) => {
    const missing = debts.take(low, high, pace, nowMs);
    if (missing > 0) lacking.push({ limit, unit, missing });
  });
  if (lacking.length === 0 || numbers[0] === 1) return lacking;
  let next = 0;
  eachUnit(numbers, words, (low, high, pace, limit, unit) => {
    const skipped = lacking[next];
    if (skipped?.limit === limit && skipped.unit === unit) next += 1;
    else debts.giveBack(low, high, pace, nowMs);
  });
  return lacking;
}

function eachUnit(numbers: Float64Array, words: Int32Array, onUnit: OnUnit): void {
  let at = HEAD_CELLS;
  for (let limit = 0; limit < (numbers[1] ?? 0); limit++) {
    const gapMs = 1000 / (numbers[at] ?? 1);
    const pace = { gapMs, burstMs: (numbers[at + 1] ?? 0) * gapMs };
    const units = numbers[at + 2] ?? 0;
    at += LIMIT_CELLS;
    for (let unit = 0; unit < units; unit++, at++) {
      onUnit(words[2 * at] ?? 0, words[2 * at + 1] ?? 0, pace, limit, unit);
    }
  }
}
