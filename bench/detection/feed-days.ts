/** Feeds published days to a pipeline in the order of time, each label when it is known. */
import { createApiClient, createRetries } from '../../src/kit/client/api-client.ts';
import type { BenchContext } from '../support/bench.ts';
import type { Pipeline } from '../support/pipeline.ts';
import { readScored, untilScored } from '../support/scored-counter.ts';
import { postLabels, postPayments } from './feed.ts';
import type { Day } from './published-days.ts';

const DAY_MS = 86_400_000;
export const DELAY_DAYS = 7;
const OUTAGE_MS_MAX = 60_000;

type Feeder = {
  /** Posts days and the labels that become known on each of them; resolves to the ids once all is scored. */
  readonly feed: (days: readonly Day[]) => Promise<string[]>;
  /** Posts labels that become known later. */
  readonly label: (days: readonly Day[]) => Promise<void>;
};

/** @param all days whose labels may become known */
export function openFeeder(
  { api, apiKey, workers }: Pipeline,
  all: readonly Day[],
  { signal, output }: BenchContext,
): Feeder {
  const client = createApiClient({ url: api.url, key: apiKey, signal });
  const onWaiting = (why: string) => output.note(`waiting: ${why}`);
  const retries = createRetries({ outageMsMax: OUTAGE_MS_MAX, signal, onWaiting });
  const target = { client, retries };
  const byStart = new Map(all.map((day) => [day.startMs, day]));
  const label: Feeder['label'] = async (days) => {
    for (const { payments } of days) await postLabels(target, payments, DELAY_DAYS * DAY_MS);
  };
  return {
    label,
    async feed(days) {
      const scoredBefore = await readScored(workers, signal);
      const ids: string[] = [];
      for (const { startMs, payments } of days) {
        // A label counts from its `labelled_at`, so the labels of a day may all be sent before its payments.
        const known = byStart.get(startMs - DELAY_DAYS * DAY_MS);
        if (known !== undefined) await label([known]);
        ids.push(...(await postPayments(target, payments)));
      }
      await untilScored(workers, { scoredBefore, transactions: () => ids.length }, signal);
      return ids;
    },
  };
}
