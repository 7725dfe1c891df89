/**
 * Chunks of one block of memory, in classes of sizes, so that a value is contiguous and the collector has nothing to follow:
 * each page of the block serves one class. `lru-cache` costs 6 % of a worker and 28 MiB more (docs/adr/0022).
 */

/** The smallest class, and the unit in which chunks are numbered. */
export const UNIT_BYTES = 256;
const PAGE_BYTES_MAX = 128 * 1024;
const PAGE_BYTES_MIN = 4096;
/** A small memory still has so many pages, for as many classes. */
const PAGES_MIN = 64;
/** Classes between one power of two and the next: a value leaves a ninth of its chunk empty on average. */
const STEPS = 4;
const NONE = -1;

/** A chunk: where it begins in the block, in units. */
export type Chunk = number;

export type Slab = {
  readonly buffer: ArrayBuffer;
  /** Chunks are below this. */
  readonly units: number;
  readonly pageBytes: number;
  readonly pages: number;
  /** Bytes of a chunk, by class. */
  readonly sizes: readonly number[];
  /** By page: its class. Pages from `untouched` on have none. */
  readonly classes: Int8Array;
  untouched: number;
  /** By class: how many pages, and the first free chunk; by chunk: the next free one. */
  readonly pageCounts: Int32Array;
  readonly firstFree: Int32Array;
  readonly nextFree: Int32Array;
};

export function createSlab(bytesMax: number): Slab {
  const pageBytes = pageSizeFor(bytesMax);
  const sizes = sizesUpTo(pageBytes);
  const pages = Math.max(1, Math.floor(bytesMax / pageBytes));
  const units = (pages * pageBytes) / UNIT_BYTES;
  return {
    units,
    pageBytes,
    pages,
    sizes,
    untouched: 0,
    // Pages that are never touched take no memory of the machine: zeros need not be provided.
    buffer: new ArrayBuffer(pages * pageBytes),
    classes: new Int8Array(pages).fill(NONE),
    pageCounts: new Int32Array(sizes.length),
    firstFree: new Int32Array(sizes.length).fill(NONE),
    nextFree: new Int32Array(units),
  };
}

/** Memory that the block takes of the machine: pages are touched one after the other, and stay. */
export function touchedBytes({ untouched, pageBytes }: Slab): number {
  return untouched * pageBytes;
}

/** The class of the smallest chunks that hold so many bytes; undefined when no page is as large. */
export function classFor({ sizes }: Slab, bytes: number): number | undefined {
  const found = sizes.findIndex((size) => size >= bytes);
  return found < 0 ? undefined : found;
}

/** A free chunk of a class; undefined when all are taken and no page is left. */
export function takeChunk(slab: Slab, sizeClass: number): Chunk | undefined {
  const { firstFree, nextFree } = slab;
  if (firstFree[sizeClass] === NONE && slab.untouched < slab.pages) {
    assignPage(slab, slab.untouched++, sizeClass);
  }
  const chunk = firstFree[sizeClass] ?? NONE;
  if (chunk === NONE) return undefined;
  firstFree[sizeClass] = nextFree[chunk] ?? NONE;
  return chunk;
}

export function releaseChunk({ firstFree, nextFree }: Slab, chunk: Chunk, sizeClass: number): void {
  nextFree[chunk] = firstFree[sizeClass] ?? NONE;
  firstFree[sizeClass] = chunk;
}

/** The next page after one, round and round: of a class, or of any. The class must have a page. */
export function nextPage({ classes, untouched }: Slab, page: number, sizeClass?: number): number {
  for (let step = 1; ; step++) {
    const next = (page + step) % untouched;
    if (sizeClass === undefined || classes[next] === sizeClass) return next;
  }
}

export function eachChunk(slab: Slab, page: number, use: (chunk: Chunk) => void): void {
  const unitsOfChunk = (slab.sizes[slab.classes[page] ?? NONE] ?? slab.pageBytes) / UNIT_BYTES;
  const begin = (page * slab.pageBytes) / UNIT_BYTES;
  const end = begin + slab.pageBytes / UNIT_BYTES;
  for (let chunk = begin; chunk + unitsOfChunk <= end; chunk += unitsOfChunk) use(chunk);
}

/** Gives a page, none of whose chunks is taken, to another class. */
export function reassignPage(slab: Slab, page: number, sizeClass: number): void {
  const { classes, firstFree, nextFree, pageCounts, pageBytes } = slab;
  const before = classes[page] ?? NONE;
  const begin = (page * pageBytes) / UNIT_BYTES;
  const end = begin + pageBytes / UNIT_BYTES;
  let last = NONE;
  for (let chunk = firstFree[before] ?? NONE; chunk !== NONE; chunk = nextFree[chunk] ?? NONE) {
    if (chunk >= begin && chunk < end) continue;
    if (last === NONE) firstFree[before] = chunk;
    else nextFree[last] = chunk;
    last = chunk;
  }
  if (last === NONE) firstFree[before] = NONE;
  else nextFree[last] = NONE;
  pageCounts[before] = (pageCounts[before] ?? 1) - 1;
  assignPage(slab, page, sizeClass);
}

function assignPage(slab: Slab, page: number, sizeClass: number): void {
  slab.classes[page] = sizeClass;
  slab.pageCounts[sizeClass] = (slab.pageCounts[sizeClass] ?? 0) + 1;
  eachChunk(slab, page, (chunk) => releaseChunk(slab, chunk, sizeClass));
}

function pageSizeFor(bytesMax: number): number {
  let bytes = PAGE_BYTES_MIN;
  while (bytes < PAGE_BYTES_MAX && bytes * 2 * PAGES_MIN <= bytesMax) bytes *= 2;
  return bytes;
}

function sizesUpTo(pageBytes: number): number[] {
  const sizes: number[] = [];
  for (let power = UNIT_BYTES; power < pageBytes; power *= 2) {
    // Whole units: a chunk's number is where it begins.
    for (let step = 0; step < STEPS; step++) {
      const size = Math.ceil((power + (power / STEPS) * step) / UNIT_BYTES) * UNIT_BYTES;
      if (size !== sizes.at(-1)) sizes.push(size);
    }
  }
  sizes.push(pageBytes);
  return sizes;
}
