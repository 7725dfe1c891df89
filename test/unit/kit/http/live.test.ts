/**
 * Goal: listeners cost a bounded amount of memory and places, whatever they do, and find points of the time before they came.
 * Method: streams that are read, and that are not.
 */
import { expect, test } from 'vitest';
import { createBroadcast } from '../../../../src/kit/http/live.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const allowed = async () => true;
const nothing = () => undefined;

const LONG_MS = 60_000;
const pointOf = (nth: number) => ({ at: new Date(nth).toISOString(), nth });

type Started = {
  readonly listenersMax?: number;
  readonly listenersOfKeyMax?: number;
  readonly everyMs?: number;
  readonly pointEveryMs?: number;
  readonly untakenMsMax?: number;
  readonly isDown?: () => boolean;
};

function start({
  listenersMax = 2,
  listenersOfKeyMax = listenersMax,
  everyMs = 1,
  pointEveryMs = LONG_MS,
  untakenMsMax = LONG_MS,
  isDown = () => false,
}: Started = {}) {
  const end = new AbortController();
  let [reads, kept, warnings] = [0, 0, 0];
  const warn = () => {
    warnings += 1;
  };
  const options = {
    read: async () => {
      reads += 1;
      if (isDown()) throw new Error('down');
      return reads;
    },
    toPoint: (nth: number) => {
      kept += 1;
      return pointOf(nth);
    },
    everyMs,
    signal: end.signal,
    log: { warn },
  };
  const bounds = { pointEveryMs, listenersMax, listenersOfKeyMax, untakenMsMax };
  const listen = createBroadcast(options, bounds);
  const reader = () => {
    const who = { keyId: 'ann', isAllowed: allowed, cutOff: nothing };
    return (listen(who) ?? new ReadableStream()).getReader();
  };
  const points = async () => JSON.parse(textOf(await reader().read()).slice(HISTORY.length));
  const counts = { reads: () => reads, kept: () => kept, warnings: () => warnings };
  return { listen, end, ...counts, reader, points };
}

const HISTORY = 'event: history\ndata: ';
const textOf = ({ value }: { readonly value: Uint8Array | undefined }) =>
  new TextDecoder().decode(value);

test('a listener that takes nothing is cut off, and its place is free', async () => {
  const { listen, end } = start({ listenersMax: 1, untakenMsMax: 50 });
  let isCutOff = false;
  const cutOff = () => {
    isCutOff = true;
  };
  listen({ keyId: 'ann', isAllowed: allowed, cutOff });
  expect(listen({ keyId: 'ann', isAllowed: allowed, cutOff: nothing })).toBeUndefined();
  await waitUntil(() => isCutOff, 5000, 'the listener to be cut off');
  expect(listen({ keyId: 'ann', isAllowed: allowed, cutOff: nothing })).toBeDefined();
  end.abort();
});

test('one key takes its own places alone', () => {
  const { listen, end } = start({ listenersMax: 3, listenersOfKeyMax: 2 });
  const isTaken = (keyId: string) =>
    listen({ keyId, isAllowed: allowed, cutOff: nothing }) !== undefined;
  expect(['ann', 'ann', 'ann', 'bob', 'bob'].map(isTaken)).toEqual([
    true,
    true,
    false,
    true,
    false,
  ]);
  end.abort();
});

test('points of an hour are kept, of the time in which somebody listened', async () => {
  const { end, kept, points, reader } = start({ pointEveryMs: 0 });
  const own = reader();
  while (kept() < 400) await own.read();
  const hour = await points();
  expect(hour).toHaveLength(360);
  expect(hour[0].nth).toBeGreaterThan(1);
  expect(hour.at(-1).nth).toBeGreaterThanOrEqual(400);
  end.abort();
});

test('what cannot be read is no point, and logged when it begins', async () => {
  let isDown = true;
  const { end, reads, warnings, points, reader } = start({ pointEveryMs: 0, isDown: () => isDown });
  const own = reader();
  while (reads() < 10) await own.read();
  isDown = false;
  const failed = reads();
  expect(warnings()).toBe(1);
  while (reads() < failed + 10) await own.read();
  expect((await points())[0].nth).toBe(failed + 1);
  isDown = true;
  while (warnings() < 2) await own.read();
  end.abort();
});

test('nothing is read while nobody listens', async () => {
  const { end, reads, reader } = start();
  expect(reads()).toBe(0);
  const own = reader();
  while (reads() < 3) await own.read();
  await own.cancel();
  const [before, other] = [reads(), start()];
  const another = other.reader();
  while (other.reads() < 20) await another.read();
  expect(reads()).toBeLessThanOrEqual(before + 1);
  for (const one of [end, other.end]) one.abort();
});
