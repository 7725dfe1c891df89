/**
 * Dead letters are replayed by eight clients at once, twice: while they are still bad each comes back
 * once; once their cause is gone each is scored once.
 */
import type { Scenario, Stage } from '../support/scenario.ts';
import { areDead, spoiledIds } from '../support/spoiled.ts';

const POISONED = 'acc_chaos_poisoned';
const CLIENTS = 8;
const SETTLE_MS_MAX = 60_000;

async function replayAll({ engine }: Stage, before: Date): Promise<number> {
  const body = { all: true, failed_before: before.toISOString() };
  const replays = await Promise.all(
    Array.from({ length: CLIENTS }, () =>
      engine.ask<{ replayed: number }>('POST', '/v1/dead-letters/replay', body),
    ),
  );
  return replays.reduce((sum, { replayed }) => sum + replayed, 0);
}

async function rowsOf({ services }: Stage, ids: readonly string[]): Promise<number> {
  const [row] = await services.query<{ rows: number }>(
    'select count(*)::int as rows from dead_letters where transaction_id = any ($1::uuid[])',
    [ids],
  );
  return row?.rows ?? 0;
}

export const deadLettersReplayed: Scenario = {
  name: 'dead-letters-replayed',
  what: 'dead letters are replayed by eight clients at once, while bad and once good',
  setup: {
    environment: { RISK_TEST_POISON: `throw:${POISONED}`, RISK_RETRY_BASE_MS: '100' },
    spoiled: { every: 50, account: POISONED },
  },
  plan: () => ({
    schedule: ['replay while bad', 'again at once', 'replay when good', 'again at once'],
    faults: ['replayed while bad', 'replayed when good'],
    run: async (stage) => {
      const { engine, load, ledger, happened, bar, until } = stage;
      await stage.progress(1);
      // No new traffic arrives from here on, so that the figures below are exact.
      await load.finish();
      const ids = spoiledIds(ledger);
      const dead = () => areDead(stage, ids);
      await until('the poisoned are dead letters', dead, SETTLE_MS_MAX);
      const firstMs = Date.now();
      const first = await replayAll(stage, new Date(firstMs));
      const again = await replayAll(stage, new Date(firstMs));
      happened('replayed while bad', first);
      bar('replayed while bad', first, { exactly: ids.length });
      bar('replayed again at once', again, { exactly: 0 });
      await until('they came back', dead, SETTLE_MS_MAX);
      bar('dead letters that came back', (await rowsOf(stage, ids)) - ids.length, {
        exactly: ids.length,
      });
      for (const { name } of engine.running('worker')) {
        await engine.drain(name);
        await engine.start('worker', name, { environment: { RISK_TEST_POISON: '' } });
      }
      const secondMs = Date.now();
      const second = await replayAll(stage, new Date(secondMs));
      const last = await replayAll(stage, new Date(secondMs));
      happened('replayed when good', second);
      bar('replayed when good', second, { exactly: ids.length });
      bar('replayed again when good', last, { exactly: 0 });
    },
    judge: async (stage) => {
      const ids = spoiledIds(stage.ledger);
      const [row] = await stage.services.query<{ scored: number }>(
        'select count(*)::int as scored from scores where transaction_id = any ($1::uuid[])',
        [ids],
      );
      stage.bar('scored after the replay', row?.scored ?? 0, { exactly: ids.length });
    },
  }),
};
