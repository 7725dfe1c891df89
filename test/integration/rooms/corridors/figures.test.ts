/**
 * Goal: the worker that leads reports how each corridor does, and what is accepted by channel and type. Method: transactions
 * that a worker has scored, and the metrics of the worker that leads after it.
 */
import { expect, test } from 'vitest';
import { freePort } from '../../../../src/tools/start/services/free-port.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { input, postBatch } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi());

/** Labels of every line of the worker. */
const WORKER = ',role="worker",market="market_0"}';
const OWN = /^risk_(corridor_(health|avail|active|regio)|accepted_transactions_per)\w+\{/;
/** Words beyond the ten commonest. */
const RARE = 3;

test('the worker that leads tells health, availability, accounts and volumes', async () => {
  const common = Array.from({ length: 37 }, (_, nth) =>
    input({ account_id: `acc_${nth}`, channel: `channel-${nth % 10}`, type: 'card' }),
  );
  const rare = Array.from({ length: RARE }, (_, nth) =>
    input({ account_id: 'acc_1', channel: `a-word-${nth}` }),
  );
  await postBatch(api, [...common, ...rare]);
  {
    await using first = api.startWorker();
    void first;
    await waitUntil(async () => (await count('scores')) === 40, 15_000, 'scores');
  }
  // The score of every tenth transaction is late.
  await api.testDatabase.sql(`
    update scores s set scored_at = t.received_at + case when t.account_id = 'acc_1' then interval '3 s' else interval '1 s' end
      from transactions t where t.transaction_id = s.transaction_id and t.created_at = s.created_at`);
  const areDue = async () =>
    (await count("transactions where received_at < now() - interval '2 s'")) === 40;
  await waitUntil(areDue, 5000, 'transactions that are due');
  const port = await freePort();
  await using second = api.startWorker({ RISK_WORKER_PORT: String(port) });
  void second;
  const lines = await waitUntil(
    async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
      const text = (await answer?.text()) ?? '';
      const own = text
        .replaceAll(WORKER, '}')
        .split('\n')
        .filter((line) => OWN.test(line));
      return own.length > 0 ? own : undefined;
    },
    15_000,
    'the figures',
  );
  expect(lines).toEqual(
    expect.arrayContaining([
      'risk_corridor_health_score{corridor="US-EG"} 96',
      'risk_corridor_region{corridor="US-EG",region="US"} 0',
      'risk_corridor_health_ratio{corridor="US-EG",part="availability"} 0.9',
      'risk_corridor_health_ratio{corridor="US-EG",part="open"} 1',
      'risk_corridor_availability_ratio{corridor="US-EG"} 0.9',
      'risk_corridor_active_accounts{corridor="US-EG"} 37',
      'risk_corridor_health_score{corridor="US-MX"} 100',
      'risk_corridor_active_accounts{corridor="US-MX"} 0',
    ]),
  );
  expect(lines.filter((line) => /^risk_corridor_availability.*US-MX/.test(line))).toEqual([]);
  const volumes = lines.filter((line) => line.startsWith('risk_accepted_transactions_per_second{'));
  const others = volumes.filter((line) => line.includes('channel="other"'));
  expect([volumes.length, others.length]).toEqual([11, 1]);
  expect(others[0]).toBe(
    `risk_accepted_transactions_per_second{corridor="US-EG",currency="USD",channel="other",type="none"} ${RARE / 300}`,
  );
});

async function count(from: string): Promise<number> {
  const [row] = await api.testDatabase.sql<{ count: number }>(`select count(*)::int from ${from}`);
  return row?.count ?? 0;
}
