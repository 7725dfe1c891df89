/** A simulated worker's calls to the streams: a connection that blocks, and settlements without a mechanism. */
import { ENTRY_VERSION, type PackedEntry, packAgain } from '../../src/core/stream/entries/entry.ts';
import type { Read } from '../../src/core/stream/group/read-group.ts';
import type { Settlement } from '../../src/core/stream/settle/settle.ts';
import type { WorkerOptions } from '../../src/core/work/worker.ts';
import { payloadsOf } from '../support/delivered.ts';
import { type Process, unreachable } from './process.ts';
import type { World } from './world.ts';

type Connection = WorkerOptions['reader'];

/** A connection that blocks, until there is something, the time is over or somebody unblocks it. */
export function connect({ clock, streams, isDown }: World, process: Process): Connection {
  let interrupt = (_isClosed: boolean): void => undefined;
  const nothing: Read = { deliveries: [], failed: new Map() };
  const read: Connection['readNew'] = (options) =>
    process.call<Read>('readNew', (answer) => {
      let isOver = false;
      const end = (action: () => void) => {
        if (!isOver) action();
        isOver = true;
      };
      const attempt = () => {
        if (isOver || !process.isAlive()) return;
        if (isDown('redis')) return end(() => answer.failure(unreachable('readNew')));
        try {
          const found = streams.readNew(options);
          if (found !== undefined) return end(() => answer.value(found));
        } catch (error) {
          return end(() => answer.failure(error as ReturnType<typeof unreachable>));
        }
        streams.onChange(attempt);
      };
      attempt();
      clock.after(options.blockMs, () => end(() => answer.value(nothing)));
      interrupt = (isClosed) =>
        end(() => (isClosed ? answer.failure(unreachable('readNew')) : answer.value(nothing)));
    });
  return {
    readNew: read,
    readOwn: (options, after) => process.ask('readOwn', () => streams.readOwn(options, after)),
    unblock: () => process.ask('unblock', () => interrupt(false)),
    close: () => interrupt(true),
  };
}

/** Without a counter what leaves an entry begins anew. */
export function forgetting({ missing }: World, settlement: Settlement): Settlement {
  if (missing === 'row-in-head') {
    const ended = settlement.ended.map((one) => ({
      ...one,
      retries: one.retries.map(({ waitMs, next }) => ({ waitMs, next: withoutRow(next) })),
    }));
    return { ...settlement, ended };
  }
  if (missing === 'retry-counter') {
    const ended = settlement.ended.map((one) => ({
      ...one,
      retries: one.retries.map(({ waitMs, next }) => ({ waitMs, next: repack(next) })),
    }));
    return { ...settlement, ended };
  }
  if (missing === 'told-owner') {
    const ended = settlement.ended.map((one) => ({ ...one, needsOwner: false }));
    return { ...settlement, ended };
  }
  if (missing !== 'carried-deliveries') return settlement;
  const replaced = settlement.replaced.map((one) => ({ ...one, by: one.by.map(repack) }));
  return { ...settlement, replaced };
}

function withoutRow(entry: PackedEntry): PackedEntry {
  const payloads = payloadsOf({ ...entry, version: ENTRY_VERSION });
  return packAgain(payloads.map((payload) => ({ ...payload, rowId: null })));
}

/** As a first attempt that was never delivered. */
function repack(entry: PackedEntry): PackedEntry {
  const payloads = payloadsOf({ ...entry, version: ENTRY_VERSION });
  return packAgain(payloads.map((payload) => ({ ...payload, attempt: 1 })));
}
