/**
 * Labels of the simulation: an API that commits one and invalidates profiles, which is called once, and a
 * duty like that of workers, which finishes what an API left. The invalidation is the engine's own code.
 */
import {
  createInvalidateLabelled,
  type InvalidateLabelled,
} from '../../src/core/accept/invalidate-labelled.ts';
import { profileKey } from '../../src/core/stream/keys.ts';
import type { Duty } from '../../src/kit/duties/run-duties.ts';
import type { Process } from './process.ts';
import type { LabelRequest } from './schedule.ts';
import { MARKET, type World } from './world.ts';

const FINISH_EVERY_MS = 300;
const BATCH_AGE_MS = 200;

export function sendLabel(world: World, batchId: string, request: LabelRequest): void {
  const { clock, postgres, transactions } = world;
  const { which, label, afterMin } = request;
  const own = transactions[which % transactions.length];
  // A label of a transaction that is not stored is refused.
  if (own === undefined || !postgres.transactions.has(own.transactionId)) {
    world.owe(-1);
    return;
  }
  let isDone = false;
  const end = () => {
    if (!isDone) world.owe(-1);
    isDone = true;
  };
  const process = world.startProcess(`api ${batchId}`, end);
  const receivedAt = new Date(clock.nowMs());
  const batch = { batchId, receivedAt, transactionIds: [own.transactionId] };
  const labelledAtMs = own.createdAtMs + afterMin * 60_000;
  const row = { ...own, label, labelledAtMs, source: 'bank', amountToMedian: null, note: null };
  const accept = async () => {
    await process.ask('acceptLabels', () => postgres.acceptLabel(batch, row));
    await bindInvalidateLabelled(world, process)(batch.transactionIds);
    await process.ask('closeLabelBatch', () => postgres.closeLabelBatch(batchId));
  };
  process.run(accept).then(end, end);
}

export function createLabelDuty(world: World, process: Process): Duty {
  const { postgres, clock } = world;
  return {
    name: 'finish-label-batches',
    everyMs: FINISH_EVERY_MS,
    async run(signal) {
      if (world.missing === 'label-batch') return;
      const aged = await process.ask('listLabelBatches', () =>
        [...postgres.labelBatches.values()].filter(
          ({ receivedAt }) => clock.nowMs() - receivedAt.getTime() > BATCH_AGE_MS,
        ),
      );
      if (aged.length === 0 || signal.aborted) return;
      const ids = aged.flatMap(({ transactionIds }) => transactionIds);
      await bindInvalidateLabelled(world, process)(ids);
      await process.ask('closeLabelBatch', () => {
        for (const { batchId } of aged) postgres.closeLabelBatch(batchId);
      });
    },
  };
}

function bindInvalidateLabelled(world: World, process: Process): InvalidateLabelled {
  const { postgres, profiles, missing } = world;
  return createInvalidateLabelled(
    (ids) => process.ask('findFraudParties', () => postgres.findFraudParties(ids)),
    async (parties) => {
      const keys = parties.map(({ kind, id }) => profileKey(MARKET, kind, id));
      if (missing === 'invalidation') return;
      await process.askAll(
        'invalidateProfiles',
        keys.map((key) => () => profiles.invalidate(key)),
      );
    },
  );
}
