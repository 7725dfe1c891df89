/**
 * Goal: listeners cost a bounded amount of memory and places, whatever they do, and find points of the time before they came.
 * Method: streams that are read, and that are not.
 */
import { expect, test } from 'vitest';
import {
  type BroadcastOptions,
  createBroadcast,
} from '../../../../../src/kit/http/live/broadcast.ts';
import { waitUntil } from '../../../../support/wait-until.ts';

const allowed = async () => true;
const nothing = () => undefined;

const LONG_MS = 60_000;
const pointOf = (nth: number) => ({ at: new Date(nth).toISOString(), nth });

type Started = {
  readonly listenersMax?: number;
  readonly listenersOfKeyMax?: number;
  readonly everyMs?: number;
  readonly pointEveryMs?: number;
  readonly isAlwaysRead?: boolean;
  readonly isDown?: () => boolean;
} & Partial<BroadcastOptions<unknown>['points']>;

function start({
  listenersMax = 2,
  listenersOfKeyMax = listenersMax,
  everyMs = 1,
  pointEveryMs = LONG_MS,
  isAlwaysRead = true,
  isDown = () => false,
  load = async () => [],
  save = async () => undefined,
}: Started = {}) {
  const end = new AbortController();
  let [reads, kept, warnings] = [0, 0, 0];
  const warn = () => {
    warnings += 1;
  };
  const broadcast = createBroadcast({
    read: async () => {
      reads += 1;
      if (isDown()) throw new Error('down');
      return reads;
    },
    toPoint: (nth) => {
      kept += 1;
      return pointOf(nth);
    },
    points: { load, save },
    ...{ everyMs, pointEveryMs, isAlwaysRead, listenersMax, listenersOfKeyMax },
    ...{ signal: end.signal, log: { warn } },
  });
  const reader = () => {
    const who = { keyId: 'ann', isAllowed: allowed, cutOff: nothing };
    return (broadcast.listen(who) ?? new ReadableStream()).getReader();
  };
  const points = async () => JSON.parse(textOf(await reader().read()).slice(HISTORY.length));
  const counts = { reads: () => reads, kept: () => kept, warnings: () => warnings };
  return { broadcast, end, ...counts, reader, points };
}

const HISTORY = 'event: history\ndata: ';
const textOf = ({ value }: { readonly value: Uint8Array | undefined }) =>
  new TextDecoder().decode(value);

test('a listener that takes nothing is cut off, and its place is free', async () => {
  const { broadcast, end } = start({ listenersMax: 1 });
  let isCutOff = false;
  const cutOff = () => {
    isCutOff = true;
  };
  const stream = broadcast.listen({ keyId: 'ann', isAllowed: allowed, cutOff });
  expect(broadcast.listen({ keyId: 'ann', isAllowed: allowed, cutOff: nothing })).toBeUndefined();
  await waitUntil(() => isCutOff, 5000, 'the listener to be cut off');
  let events = 0;
  for await (const _ of stream ?? []) events++;
  expect(events).toBe(4);
  expect(broadcast.listen({ keyId: 'ann', isAllowed: allowed, cutOff: nothing })).toBeDefined();
  end.abort();
});

test('a listener that takes every event stays, and one that stops for a while misses events alone', async () => {
  const { broadcast, end, reads } = start();
  const stream = broadcast.listen({
    keyId: 'ann',
    isAllowed: allowed,
    cutOff: () => {
      throw new Error('cut off');
    },
  });
  const reader = (stream ?? new ReadableStream()).getReader();
  for (let nth = 0; nth < 100; nth++) expect((await reader.read()).done).toBe(false);
  const before = reads();
  await waitUntil(() => reads() > before + 10, 5000, 'further events');
  for (let nth = 0; nth < 20; nth++) expect((await reader.read()).done).toBe(false);
  end.abort();
  await waitUntil(async () => (await reader.read()).done, 5000, 'the end');
});

test('one key takes its own places alone', () => {
  const { broadcast, end } = start({ listenersMax: 3, listenersOfKeyMax: 2 });
  const listen = (keyId: string) =>
    broadcast.listen({ keyId, isAllowed: allowed, cutOff: nothing }) !== undefined;
  expect(['ann', 'ann', 'ann', 'bob', 'bob'].map(listen)).toEqual([true, true, false, true, false]);
  end.abort();
});

test('a listener that is not allowed any more is left', async () => {
  const { broadcast, end } = start();
  let isAllowed = true;
  const stream = broadcast.listen({
    keyId: 'ann',
    isAllowed: async () => isAllowed,
    cutOff: nothing,
  });
  const reader = (stream ?? new ReadableStream()).getReader();
  await reader.read();
  await reader.read();
  isAllowed = false;
  await waitUntil(async () => (await reader.read()).done, 5000, 'the end');
  end.abort();
});

test('points are kept while nobody listens, an hour of them', async () => {
  const { end, kept, points } = start({ pointEveryMs: 1, everyMs: LONG_MS });
  await waitUntil(() => kept() > 400, 20_000, 'more points than an hour has');
  const hour = await points();
  expect(hour).toHaveLength(360);
  expect(hour.at(-1).nth - hour[0].nth).toBe(359);
  end.abort();
});

test('points of an earlier process precede new points, which do not depend on the store', async () => {
  const earlier = start({
    load: async () => [pointOf(-1)],
    save: () => Promise.reject(new Error('away')),
  });
  await waitUntil(() => earlier.kept() === 1, 5000, 'the first point');
  expect(await earlier.points()).toEqual([pointOf(-1), pointOf(1)]);
  const alone = start({ load: () => Promise.reject(new Error('away')) });
  await waitUntil(() => alone.kept() === 1, 5000, 'the first point');
  expect(await alone.points()).toEqual([pointOf(1)]);
  for (const { end } of [earlier, alone]) end.abort();
});

test('the first who listens has figures at once, and no point is kept before it is due', async () => {
  const { end, kept, reader } = start({ everyMs: LONG_MS });
  await waitUntil(() => kept() === 1, 5000, 'the first point');
  const own = reader();
  expect(textOf(await own.read())).toBe(`${HISTORY}${JSON.stringify([pointOf(1)])}\n\n`);
  expect(textOf(await own.read())).toBe('event: figures\ndata: 2\n\n');
  expect(textOf(await reader().read())).toBe(`${HISTORY}${JSON.stringify([pointOf(1)])}\n\n`);
  end.abort();
});

test('what cannot be read is no point, and logged when it begins', async () => {
  let isDown = true;
  const { end, reads, warnings, points } = start({ pointEveryMs: 1, isDown: () => isDown });
  await waitUntil(() => reads() > 10, 5000, 'reads that fail');
  isDown = false;
  const failed = reads();
  expect(warnings()).toBe(1);
  await waitUntil(() => reads() > failed + 10, 5000, 'reads that succeed');
  expect((await points())[0].nth).toBe(failed + 1);
  isDown = true;
  await waitUntil(() => warnings() === 2, 5000, 'the next failure');
  end.abort();
});

test('nothing is read while nobody listens where points are not always kept', async () => {
  const [unheard, other] = [
    start({ pointEveryMs: 1, isAlwaysRead: false }),
    start({ pointEveryMs: 1 }),
  ];
  await waitUntil(() => other.reads() > 20, 5000, 'reads of another');
  expect(unheard.reads()).toBe(0);
  expect(textOf(await unheard.reader().read())).toBe('event: history\ndata: []\n\n');
  await waitUntil(() => unheard.kept() > 1, 5000, 'points for who listens');
  for (const { end } of [unheard, other]) end.abort();
});

test('nothing is read once the process drains', async () => {
  const [drained, other] = [start({ pointEveryMs: 1 }), start({ pointEveryMs: 1 })];
  await waitUntil(() => drained.reads() > 1, 5000, 'reads');
  drained.end.abort();
  const [before, from] = [drained.reads(), other.reads()];
  await waitUntil(() => other.reads() > from + 20, 5000, 'reads of another');
  expect(drained.reads()).toBe(before);
  other.end.abort();
});

test('a listener that is earlier than the stored points begins with them', async () => {
  const stored = Promise.withResolvers<ReturnType<typeof pointOf>[]>();
  const { end, points } = start({ load: () => stored.promise });
  const first = points();
  stored.resolve([pointOf(-1)]);
  expect(await first).toEqual([pointOf(-1)]);
  end.abort();
});
