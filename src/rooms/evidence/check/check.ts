/** Compares a whole log with the database and with published checkpoints, and names what somebody changed by hand. */
import type { Query } from '../../../kit/database/pool.ts';
import { isSignedBy, readHead, type SigningKey, type TreeHead } from '../log/checkpoint.ts';
import {
  append,
  type Edge,
  EMPTY_EDGE,
  edgeRoot,
  HASH_BYTES,
  hashesOf,
  leafHash,
  type ReadTile,
  TILE_WIDTH,
} from '../log/tree.ts';
import { contradiction } from '../seal/published.ts';
import { type EntryRow, type LogRow, readEntries, tileReader } from '../store/evidence-log.ts';
import type { Finding, Note } from './finding.ts';
import { createRowCheck } from './rows.ts';

/** Findings that are listed; all are counted. */
export const SHOWN_MAX = 100;
/** Leaves of one read, each of up to a thousand scores. Larger: more memory; smaller: more statements. */
const PAGE_LEAVES = 64;

export type Checked = {
  readonly origin: string;
  /** Scores from then on are covered, but for gaps. */
  readonly from: string;
  readonly leaves: number;
  readonly scores: number;
  /** Scores of detached, cold or dropped months, which are not compared. */
  readonly away: number;
  readonly lines: number;
  readonly count: number;
  readonly findings: readonly Finding[];
};

export type Published = {
  /** The last checkpoint of the file; undefined where the file has none. */
  readonly file: string | undefined;
  /** The checkpoint in the object store; undefined where none is there. */
  readonly bucket?: string | undefined;
  /** A checkpoint that a reader has kept. */
  readonly seen: string | undefined;
  /** The keys of the log; without keys signatures are not checked. */
  readonly keys: readonly SigningKey[];
};

export async function checkLog(
  query: Query,
  log: LogRow,
  published: Published,
  signal: AbortSignal,
): Promise<Checked> {
  const findings: Finding[] = [];
  let count = 0;
  const note: Note = (attack, what) => {
    count++;
    if (findings.length < SHOWN_MAX) findings.push({ attack, what });
  };
  const rows = await createRowCheck(query, log, note);
  const leaves = createLeafCheck(tileReader(query, log.logId), note);
  for (let from = 0; from < log.size; from += PAGE_LEAVES) {
    signal.throwIfAborted();
    const to = Math.min(log.size, from + PAGE_LEAVES);
    const entries = await readEntries(query, log.logId, from, to);
    await leaves.add(entries, from, to);
    await rows.add(entries);
  }
  const { edge, read } = await leaves.end();
  const made: TreeHead = { origin: log.origin, size: edge.size, root: await edgeRoot(edge) };
  // Heads are checked before rows, as a cut tail leaves many rows without a leaf.
  await checkHeads(log, made, read, published, note);
  const figures = await rows.end(signal);
  return { origin: log.origin, leaves: log.size, ...figures, count, findings };
}

/** Hashes all leaves again, and compares them with the lowest tiles. */
function createLeafCheck(stored: ReadTile, note: Note) {
  let edge: Edge = EMPTY_EDGE;
  const tiles = new Map<string, Buffer>();
  const wrong: { position: number; made: string; expected: string }[] = [];
  return {
    add: async (entries: readonly EntryRow[], from: number, to: number) => {
      const byPosition = new Map(entries.map((entry) => [entry.position, entry]));
      const hashes: Buffer[] = [];
      for (let position = from; position < to; position++) {
        const expected = await hashAt(stored, position);
        const leaf = byPosition.get(position)?.leaf;
        if (leaf === undefined) note('deleted', `leaf ${position} of the log`);
        const made = leaf === undefined ? (expected ?? leafHash('')) : leafHash(leaf);
        hashes.push(made);
        if (expected !== undefined && made.equals(expected)) continue;
        const hex = expected?.toString('hex') ?? '';
        wrong.push({ position, made: made.toString('hex'), expected: hex });
      }
      const appended = append(edge, hashes);
      edge = appended.edge;
      for (const { level, tile, hashes: bytes } of appended.tiles)
        tiles.set(`${level}/${tile}`, bytes);
    },
    end: async () => {
      const expected = new Set(wrong.map((finding) => finding.expected));
      for (const { position, made } of wrong) {
        note(expected.has(made) ? 'reordered' : 'edited', `leaf ${position} of the log`);
      }
      const read: ReadTile = async (level, tile) =>
        tiles.get(`${level}/${tile}`) ?? Buffer.alloc(0);
      return { edge, read };
    },
  };
}

async function hashAt(read: ReadTile, position: number): Promise<Buffer | undefined> {
  const tile = await read(0, Math.floor(position / TILE_WIDTH));
  return hashesOf(tile.subarray(0, tile.length - (tile.length % HASH_BYTES)))[
    position % TILE_WIDTH
  ];
}

/** Compares the root of the leaves with the row of the log and with published checkpoints. */
async function checkHeads(
  log: LogRow,
  made: TreeHead,
  read: ReadTile,
  { file, bucket, seen, keys }: Published,
  note: Note,
): Promise<void> {
  if (!made.root.equals(log.root))
    note('hashed anew', 'the leaves do not have the root of the log');
  const own = log.checkpoint ?? undefined;
  const notes = {
    'in the database': own,
    'in the file': file,
    'in the object store': bucket,
    'that was seen': seen,
  };
  for (const [where, text] of Object.entries(notes)) {
    const isSigned = text === undefined || keys.length === 0 || isSignedBy(text, keys);
    if (!isSigned) note('key swapped', `no key of the log signed the checkpoint ${where}`);
  }
  for (const text of [file, bucket, own]) {
    const why = await contradiction(made, text, read);
    const size = readHead(text ?? '')?.size ?? 0;
    if (why !== undefined) note(size > made.size ? 'tail cut' : 'hashed anew', why);
  }
  const sizeOf = (text: string | undefined) => readHead(text ?? '')?.size ?? 0;
  const [ownSize, publishedSize] = [sizeOf(own), Math.max(sizeOf(file), sizeOf(bucket))];
  if (ownSize < publishedSize) {
    const why = `a checkpoint of ${publishedSize} leaves was published, and the database has one of ${ownSize}`;
    note('old checkpoint', why);
  }
  const why = await contradiction(made, seen, read);
  if (why !== undefined) note('two histories', `a reader has another checkpoint: ${why}`);
}
