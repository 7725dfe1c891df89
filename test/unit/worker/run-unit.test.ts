/** A unit comes to its end whatever its steps throw. Steps are plain functions; nothing is faked but them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { createMetrics } from '../../../src/runtime/metrics.ts';
import { streamKeys } from '../../../src/stream/keys.ts';
import type { HeldEntry } from '../../../src/worker/item.ts';
import { createPause } from '../../../src/worker/pause.ts';
import type { BatchSteps } from '../../../src/worker/process-batch.ts';
import { createRunUnit } from '../../../src/worker/run-unit.ts';
import type { Left } from '../../../src/worker/settle-batch.ts';
import { silentLog } from '../../support/config.ts';

const down = new Failure('unavailable', 'POSTGRES_UNAVAILABLE', 'down');

function unit(count: number): HeldEntry[] {
  const stream = streamKeys('m', 'US-EG', 0);
  return Array.from({ length: count }, (_, n) => ({
    stream,
    consumer: 'c-1',
    entry: { id: `${n}-0`, version: '1', packed: '[]', deleted: false, deliveries: 1 },
  }));
}

function rig(process: (ids: string[]) => void, fail: () => void = () => undefined) {
  const stop = new AbortController();
  const seen = { processed: [] as string[], failed: [] as string[], released: [] as string[] };
  const idsOf = (held: readonly HeldEntry[]) => held.map(({ entry }) => entry.id);
  const left: Left = new Map();
  const steps: BatchSteps = {
    async process(held) {
      process(idsOf(held));
      seen.processed.push(...idsOf(held));
      return left;
    },
    async fail({ entry }, failure) {
      fail();
      seen.failed.push(`${entry.id} ${failure.code}`);
      return left;
    },
    async release(held) {
      seen.released.push(...idsOf(held));
      return left;
    },
  };
  const log = silentLog();
  const { signal } = stop;
  const pause = createPause({ signal, metrics: createMetrics(), log, random: () => 0 });
  const run = createRunUnit({ steps, pause, signal, log, onTry: () => undefined });
  return { run: (held: HeldEntry[]) => run(held, () => undefined), seen, stop, pause };
}

describe('runUnit', () => {
  test('bisects to the entry that is to blame and spares the others', async () => {
    const { run, seen } = rig((ids) => {
      if (ids.includes('41-0')) throw new Failure('permanent', 'POSTGRES_22021', 'bad text');
    });
    await run(unit(100));
    expect(seen.failed).toEqual(['41-0 POSTGRES_22021']);
    expect(seen.processed).toHaveLength(99);
    expect(new Set(seen.processed).size).toBe(99);
  });

  test('holds a bug against the entry that meets it', async () => {
    const { run, seen } = rig((ids) => {
      if (ids.includes('2-0')) throw new TypeError('undefined is not a function');
    });
    await run(unit(4));
    expect(seen.failed).toEqual(['2-0 PROCESSING_FAILED']);
    expect(seen.processed).toHaveLength(3);
  });

  test('tries again while a dependency is down, and says so to the readers', async () => {
    let tries = 0;
    const { run, seen, pause } = rig(() => {
      tries += 1;
      if (tries < 4) throw down;
    });
    await run(unit(3));
    expect(tries).toBe(4);
    expect(seen.failed).toEqual([]);
    await pause.over();
  });

  test('lets the readers go on when an entry cannot even be given up', async () => {
    let tries = 0;
    const { run, pause } = rig(
      () => {
        throw new Failure('permanent', 'POSTGRES_22021', 'bad text');
      },
      () => {
        tries += 1;
        throw tries === 1 ? down : new Failure('permanent', 'POSTGRES_23514', 'refused');
      },
    );
    await run(unit(1));
    expect(tries).toBe(2);
    const stillPaused = nextTurn().then(() => 'paused');
    expect(await Promise.race([pause.over(), stillPaused])).toBeUndefined();
  });

  test('gives entries back when the worker stops while a dependency is down', async () => {
    const { run, seen, stop } = rig(() => {
      stop.abort();
      throw down;
    });
    await run(unit(3));
    expect(seen.released).toEqual(['0-0', '1-0', '2-0']);
    expect(seen.processed).toEqual([]);
  });
});
