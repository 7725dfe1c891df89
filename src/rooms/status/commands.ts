/** `risk status`: shows the state of the pipeline, from a running API. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Status } from '../../kit/client/api-types.ts';
import { createAsk } from '../../kit/client/ask.ts';
import { withApi } from '../../kit/command/api.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
} from '../../kit/command/command.ts';
import type { Output } from '../../kit/command/output.ts';

const WATCH_SECONDS_MAX = 3600;

/** What makes a corridor worth a line where it is not 0. */
const COUNTS = [
  ...(['lag', 'pending', 'handed_over', 'retries_due', 'oldest_age_seconds'] as const),
  ...(['dead_letters', 'degradation'] as const),
];

export const command: Command = {
  name: 'status',
  summary: 'Shows what waits, what failed and the totals.',
  usage: `risk status [--watch SECONDS] [--url URL]

Lag, pending entries, retries and dead letters of each corridor that has any, and the totals.

  --watch SECONDS  again every so many seconds, until Ctrl-C
  --url URL        the API (RISK_URL); its key is read from RISK_API_KEY

Example: risk status --json
`,
  run: async (args, context) => {
    const { values } = parseArguments(args, { url: { type: 'string' }, watch: { type: 'string' } });
    const bounds = { min: 1, max: WATCH_SECONDS_MAX };
    const watchSeconds = integerOption('--watch', values.watch, bounds, undefined);
    await withApi(context, values.url, async (client) => {
      for (;;) {
        show(context.output, await createAsk(client)('GET /v1/status', {}));
        if (watchSeconds === undefined || !(await pause(watchSeconds, context))) return;
        context.output.line();
      }
    });
    return EXIT.fine;
  },
};

/** False when Ctrl-C ended it, which is how a person stops watching. */
async function pause(seconds: number, { signal }: CommandContext): Promise<boolean> {
  await wait(seconds * 1000, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}

function show(output: Output, status: Status): void {
  if (output.json) {
    output.value(status, []);
    return;
  }
  const { postgres, redis, replica, totals, unappended } = status;
  const corridors = status.corridors ?? [];
  const busy = corridors.filter((row) => COUNTS.some((field) => Number(row[field]) > 0));
  if (postgres === 'down') output.line('Postgres does not answer: totals are old.');
  if (replica?.state === 'down') output.line('The replica does not answer: the primary does.');
  if (replica?.state === 'lagging') {
    output.line(`The replica is ${replica.lag_ms} ms behind: the primary answers.`);
  }
  if (redis === 'down') output.line('Redis does not answer: what waits is unknown.');
  else if (busy.length === 0) output.line(`Nothing waits in ${corridors.length} corridors.`);
  else output.table(['corridor', ...COUNTS], busy);
  output.line();
  output.record({ ...totals, 'not yet appended': unappended });
}
