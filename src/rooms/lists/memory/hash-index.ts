/**
 * A set of texts as 64-bit hashes, in 256 sorted segments by the highest 8 bits: 8 bytes a text, and up to a quarter more. An
 * added text rewrites its segment alone. Two texts may share a hash, so the set may have a text that nobody added; it never
 * lacks one that somebody did.
 */

const SEGMENTS = 256;
/** Larger: small lists take more memory. Smaller: segments of large lists grow in more steps. */
const SEGMENT_MIN = 4;
const GROWTH = 1.25;

/** Two words of a hash, written by `hash64`. */
const words = new Uint32Array(2);

/**
 * Two independent lanes of multiplication, with the finish of murmur3.
 * @param seed is secret, so that nobody makes texts that share a hash
 */
function hash64(text: string, seed: number): void {
  let low = seed ^ 0xdeadbeef;
  let high = seed ^ 0x41c6ce57;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x9e3779b1);
    high = Math.imul(high ^ unit, 0x5f356495);
    low ^= low >>> 15;
    high ^= high >>> 13;
  }
  words[0] = finish(low ^ Math.imul(high, 0x85ebca6b));
  words[1] = finish(high ^ Math.imul(low, 0xc2b2ae35));
}

function finish(word: number): number {
  const first = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return (second ^ (second >>> 16)) >>> 0;
}

type Segment = {
  hashes: BigUint64Array;
  /** The same memory: the lower word of a hash comes first. */
  words: Uint32Array;
  length: number;
  isSorted: boolean;
};

export type HashIndex = ReturnType<typeof createHashIndex>;

export function createHashIndex(seed: number) {
  const segments: (Segment | undefined)[] = Array(SEGMENTS).fill(undefined);
  return {
    add(text: string) {
      hash64(text, seed);
      const [low = 0, high = 0] = words;
      const nth = high >>> 24;
      let segment = segments[nth];
      if (segment === undefined || segment.length === segment.hashes.length) {
        segment = grown(segment);
        segments[nth] = segment;
      }
      segment.words[2 * segment.length] = low;
      segment.words[2 * segment.length + 1] = high;
      segment.length++;
      segment.isSorted = false;
    },
    has(text: string) {
      hash64(text, seed);
      const [low = 0, high = 0] = words;
      const segment = segments[high >>> 24];
      if (segment === undefined) return false;
      if (!segment.isSorted) sort(segment);
      return find(segment, low, high);
    },
    /** Sorts what was added, a segment a call of `pause`, so that no lookup has to. */
    async settle(pause: () => Promise<void>) {
      for (const segment of segments) {
        if (segment === undefined || segment.isSorted) continue;
        sort(segment);
        await pause();
      }
    },
    bytes: () => segments.reduce((sum, segment) => sum + (segment?.hashes.byteLength ?? 0), 0),
  };
}

function grown(segment: Segment | undefined): Segment {
  const length = segment?.length ?? 0;
  const hashes = new BigUint64Array(Math.max(SEGMENT_MIN, Math.ceil(length * GROWTH)));
  if (segment !== undefined) hashes.set(segment.hashes);
  return { hashes, words: new Uint32Array(hashes.buffer), length, isSorted: false };
}

function sort(segment: Segment): void {
  segment.hashes.subarray(0, segment.length).sort();
  segment.isSorted = true;
}

function find({ words, length }: Segment, low: number, high: number): boolean {
  let from = 0;
  let to = length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const foundHigh = words[2 * middle + 1] ?? 0;
    const foundLow = words[2 * middle] ?? 0;
    if (foundHigh === high && foundLow === low) return true;
    if (foundHigh < high || (foundHigh === high && foundLow < low)) from = middle + 1;
    else to = middle;
  }
  return false;
}
