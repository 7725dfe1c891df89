/** Streams with a backlog advance together, wherever they stand among the others. */
import { expect, test } from 'vitest';
import { type StreamKeys, streamKeys } from '../../../../src/core/stream/keys.ts';
import { createIntake, createStreamTurns, cutOff } from '../../../../src/core/work/intake.ts';
import { createInFlight, createLanes, shareOfSettings } from '../../../../src/core/work/lanes.ts';
import { entryOf } from './delivered-entries.ts';

const BATCH = 1000;
const shareOf = shareOfSettings(() => new Map());
const QUIET = ['AE-IN', 'DE-TR', 'ES-CO', 'FR-MA', 'GB-NG', 'GB-PK', 'SA-EG', 'US-EG', 'US-IN'];
const quiet = QUIET.map((corridor) => streamKeys('m', corridor, 0));
const shards = [0, 1, 2, 3].map((shard) => streamKeys('m', 'US-US', shard));

/** Drains backlogs of entries of 90 to 128 transactions as the script of a read does; returns how far streams were apart at most. */
async function drain(streams: readonly StreamKeys[], left: Map<StreamKeys, number[]>) {
  const { signal } = new AbortController();
  const bounds = { RISK_BATCH_ENTRIES: BATCH, RISK_WORKER_READERS: 4 };
  const { main } = createLanes(bounds, shareOf, () => 0, signal);
  const pause = { over: async () => undefined };
  const inFlight = createInFlight(signal, () => 0);
  const intake = createIntake(main, shareOf, inFlight, pause, signal);
  const transactionsLeft = (stream: StreamKeys) =>
    (left.get(stream) ?? []).reduce((sum, count) => sum + count, 0);
  const readNext = () => {
    const inTurn = intake.inTurn(streams);
    const shares = intake.sharesOf(inTurn);
    let room = BATCH;
    return inTurn.flatMap((stream, nth) => {
      const total = transactionsLeft(stream);
      const counts: number[] = [];
      let wanted = Math.min(shares[nth] ?? 1, room);
      while (wanted > 0) {
        const count = left.get(stream)?.shift();
        if (count === undefined) break;
        counts.push(count);
        wanted -= count;
        room -= count;
      }
      const entries = counts.map((count) => entryOf('1-0', count, stream));
      return entries.length === 0 ? [] : [{ stream, entries, total }];
    });
  };
  let apart = 0;
  while ([...left.keys()].some((stream) => transactionsLeft(stream) > BATCH)) {
    for (const { end } of await intake.next(async () => readNext())) end();
    const rests = [...left.keys()].map(transactionsLeft);
    apart = Math.max(apart, Math.max(...rests) - Math.min(...rests));
  }
  return apart;
}

const backlogOf = (entries: number, seed: number) =>
  Array.from({ length: entries }, (_, nth) => 90 + ((nth * 17 + seed * 5) % 39));

test('the shards of a corridor drain together beside quiet corridors', async () => {
  const left = new Map(shards.map((stream, nth) => [stream, backlogOf(300, nth)]));
  expect(await drain([...quiet, ...shards], left)).toBeLessThan(BATCH);
});

test('a stream that a full batch left out comes first, and one read to its end owes nothing', () => {
  const [one, two, three] = shards as [StreamKeys, StreamKeys, StreamKeys];
  const turns = createStreamTurns();
  const asked = new Map([
    [one, 40],
    [two, 30],
    [three, 30],
  ]);
  const read = new Map([
    [one, 10],
    [two, 90],
  ]);
  const cut = cutOff(asked, read, 100);
  expect(cut).toEqual([two, three]);
  turns.note(asked, read, cut);
  expect(turns.order([one, two, three])).toEqual([three, one, two]);
  turns.note(asked, new Map([[one, 10]]), cutOff(asked, new Map([[one, 10]]), 100));
  expect(turns.order([one, two, three])).toEqual([one, two, three]);
});
