/**
 * Goal: summaries from memory are those of at most a second ago, whatever happened. Method: the API's own cache beside a worker, on
 * real stores; what is read is compared with a recount.
 */
import { expect, test } from 'vitest';
import { acceptLabels } from '../../../../src/core/accept/accept-labels.ts';
import { mergeIncrements } from '../../../../src/core/store/tallies/day-tallies.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { summaryParameters, withDays } from '../../../../src/rooms/summaries/parameters.ts';
import { summarizeDays } from '../../../../src/rooms/summaries/queries.ts';
import { createSummaryCache } from '../../../../src/rooms/summaries/routes.ts';
import { openLabelIngest } from '../../../support/label-ingest.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { createWorkerRig } from '../../../support/worker-rig.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.now();
/** The bound that is promised for every event. */
const SEEN_MS_MAX = 1000;
const CORRIDORS = new Set(['US-EG']);

const rig = await openForFile(createWorkerRig());
await openForFile(rig.startWorker());
const labels = openLabelIngest(rig);
const databases = { primary: rig.pool, replica: null, now: Date.now };
const summaries = createSummaryCache(databases, () => CORRIDORS, createMetrics());

let sent = 0;
/** Sends a transaction of a day and waits until it is scored; returns its id. */
async function score(createdAtMs: number): Promise<string> {
  const [transaction] = await rig.send([{ createdAtMs, accountId: 'acc_1', merchantId: 'm_1' }]);
  sent += 1;
  await rig.settled(sent);
  return transaction?.transactionId ?? '';
}

function question(group_by: string, daysAgo: number) {
  const day = new Date(NOW_MS - daysAgo * DAY_MS).toISOString().slice(0, 10);
  return withDays(summaryParameters.parse({ group_by, from: day, to: day }), NOW_MS);
}
const summaryOf = async (...asked: Parameters<typeof question>) => {
  const served = await summaries.read(question(...asked));
  return JSON.parse(served?.answer.text ?? 'null');
};

let tries = 0;
test('a label in the summary of the day of its transaction is seen within a second', {
  retry: 2,
}, async () => {
  const day = 100 + ++tries;
  const transaction_id = await score(NOW_MS - day * DAY_MS);
  expect((await summaryOf('label', day)).items).toEqual([]);
  const labelled_at = new Date().toISOString();
  await acceptLabels(labels, {
    ...{ client: 'default', identity: null, clientSeen: null },
    inputs: [{ transaction_id, label: 'legitimate', source: 'bank', labelled_at }],
  });
  const isSeen = async () => (await summaryOf('label', day)).items.length === 1;
  await waitUntil(isSeen, SEEN_MS_MAX, 'the label to be seen');
});

test('what is served equals a recount of at most a second ago', { retry: 2 }, async () => {
  /** Recounts, each with when it was last true. */
  const known: { readonly figures: string; readonly untilMs: number }[] = [];
  for (let round = 0; round < 12; round++) {
    await score(NOW_MS - 80 * DAY_MS + round);
    if (round % 3 === 0) await mergeIncrements(rig.pool);
    for (let reads = 0; reads < 4; reads++) {
      const startedMs = performance.now();
      const figures = figuresOf(await summaryOf('verdict', 80));
      const recount = await summarizeDays(databases, CORRIDORS, question('verdict', 80));
      known.push({ figures: figuresOf(recount.summaries), untilMs: performance.now() });
      const last = known.findLast((one) => one.figures === figures);
      expect(startedMs - (last?.untilMs ?? 0)).toBeLessThan(SEEN_MS_MAX);
    }
  }
});

/** Without the time of the answer. */
function figuresOf(answer: object): string {
  const { counted_at: _, ...figures } = answer as { readonly counted_at?: unknown };
  return JSON.stringify(figures);
}
