/**
 * A set of networks as sorted ranges that do not overlap: 8 bytes a range of IPv4, 16 of IPv6. IPv6 is kept to its first 52 bits,
 * so the set may have an address that is in no network; it never lacks one that is.
 */
import { isIPv4, rangeOf } from '../value.ts';

/** Added networks that are looked through one by one; beyond them the list is read anew, in order. */
export const ADDED_MAX = 512;
/** Bits of an IPv6 address that a double has exactly, in whole hexadecimal digits. */
const IPV6_BYTES = 6;
const IPV6_NIBBLE = 16;
const GROWTH = 1.25;
const RANGES_MIN = 16;

export type AddressIndex = ReturnType<typeof createAddressIndex>;

type Range = { readonly isV4: boolean; readonly from: number; readonly to: number };

export function createAddressIndex() {
  const v4 = createRanges((length) => new Uint32Array(length));
  const v6 = createRanges((length) => new Float64Array(length));
  const added: Range[] = [];
  return {
    /** Adds a network at or behind all that were appended before, in the order of Postgres' `inet`. */
    append(network: string) {
      const { isV4, from, to } = numbersOf(network);
      (isV4 ? v4 : v6).append(from, to);
    },
    /** Adds any network. False: there are too many of them, and the list has to be read anew. */
    add(network: string) {
      added.push(numbersOf(network));
      return added.length <= ADDED_MAX;
    },
    has(bytes: readonly number[]) {
      const [isV4, at] = [isIPv4(bytes), numberOf(bytes)];
      if ((isV4 ? v4 : v6).has(at)) return true;
      return added.some((range) => range.isV4 === isV4 && range.from <= at && at <= range.to);
    },
    bytes: () => v4.bytes() + v6.bytes(),
  };
}

function numbersOf(network: string): Range {
  const { from, to } = rangeOf(network);
  return { isV4: isIPv4(from), from: numberOf(from), to: numberOf(to) };
}

function numberOf(bytes: readonly number[]): number {
  const isV4 = isIPv4(bytes);
  const count = isV4 ? bytes.length : IPV6_BYTES;
  let number = 0;
  for (let at = 0; at < count; at++) number = number * 256 + (bytes[at] ?? 0);
  return isV4 ? number : number * IPV6_NIBBLE + ((bytes[IPV6_BYTES] ?? 0) >> 4);
}

function createRanges<Numbers extends Uint32Array | Float64Array>(
  allocate: (length: number) => Numbers,
) {
  let [froms, tos] = [allocate(0), allocate(0)];
  let length = 0;
  const grow = () => {
    const more = Math.max(RANGES_MIN, Math.ceil(length * GROWTH));
    const [nextFroms, nextTos] = [allocate(more), allocate(more)];
    nextFroms.set(froms);
    nextTos.set(tos);
    [froms, tos] = [nextFroms, nextTos];
  };
  return {
    append(from: number, to: number) {
      const last = length - 1;
      // A network within the one before, or next to it, makes no range of its own.
      if (last >= 0 && from <= (tos[last] ?? 0) + 1) {
        if (to > (tos[last] ?? 0)) tos[last] = to;
        return;
      }
      if (length === froms.length) grow();
      froms[length] = from;
      tos[length] = to;
      length++;
    },
    has(at: number): boolean {
      let [low, high] = [0, length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((froms[middle] ?? 0) <= at) low = middle + 1;
        else high = middle;
      }
      return low > 0 && at <= (tos[low - 1] ?? 0);
    },
    bytes: () => froms.byteLength + tos.byteLength,
  };
}
