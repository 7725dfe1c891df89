/** A market's history with a canary in each personal field, in every table that keeps such values. */
import type { RunningApi } from '../../running-api.ts';
import { answerOf, count, type Input, input, postBatch, postLabels } from '../../submit.ts';
import { waitUntil } from '../../wait-until.ts';
import { raiseCases } from '../review/cases.ts';

const FIRST_MS = Date.now() - 40 * 3_600_000;
const MINUTE_MS = 60_000;
export const ACCOUNTS = ['account:canary/ä', "account:'canary-two'", 'account:canary-three'];
const DEVICES = ['device:canary\\1', 'device:canary-2'];
const IPS = ['203.0.113.77', '2001:DB8:0:0::77'];
/** Value that is an object, with members in another order than jsonb has. */
const HOME = { street: 'canary:street', no: 7 };
const EMAILS = ['canary-one@mail.example', 'canary-two@mail.example'];
/** Values that must be nowhere afterwards. */
export const CANARIES = [...ACCOUNTS, ...DEVICES, ...IPS, '2001:db8::77', ...EMAILS, HOME.street];
/** Value of a field that is not personal, so that a search that finds nothing at all is noticed. */
export const CONTROL = 'control-value-of-a-merchant';

/** Payments in the order of their times; the same number is the same payment, in every market. */
export function payments(from: number, to: number): Input[] {
  return Array.from({ length: to - from }, (_, index) => {
    const nth = from + index;
    const of = <T>(values: readonly T[], by: number) =>
      values[Math.floor(nth / by) % values.length];
    return input({
      idempotency_key: `history-${nth}`,
      account_id: of(ACCOUNTS, 1),
      merchant_id: nth % 5 === 0 ? CONTROL : `m_${nth % 3}`,
      device_id: of(DEVICES, 2),
      ip: of(IPS, 3),
      amount: `${20 + ((nth * 37) % 900)}.${10 + (nth % 80)}`,
      created_at: new Date(FIRST_MS + nth * 17 * MINUTE_MS).toISOString(),
      metadata: { tier: 'x', home: HOME, contacts: [{ email: of(EMAILS, 4) }, { email: null }] },
    });
  });
}

/** Sends payments one request after another, each of which is scored before the next. @returns ids */
export async function sendScored(api: RunningApi, all: readonly Input[]): Promise<string[]> {
  const ids: string[] = [];
  const before = await count(api, 'scores');
  for (let at = 0; at < all.length; at += 20) {
    const { status, body } = await postBatch(api, all.slice(at, at + 20));
    if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
    ids.push(...body.results.map((one: { transaction_id: string }) => one.transaction_id));
    await waitUntil(
      async () => (await count(api, 'scores')) - before >= ids.length,
      20_000,
      'scores',
    );
  }
  await waitUntil(
    async () => (await count(api, 'open_rows where cardinality(transaction_ids) > 0')) === 0,
    20_000,
    'nothing pending',
  );
  return ids;
}

/** Everything else that names an account, a device or an address. */
export async function fillTables(api: RunningApi, officerKey: string, ids: readonly string[]) {
  const { sql } = api.testDatabase;
  const asOfficer = async (path: string, body: object) => {
    const headers = { Authorization: `Bearer ${officerKey}`, 'Content-Type': 'application/json' };
    const sent = { method: 'POST', body: JSON.stringify(body), headers };
    const answer = await answerOf(await api.request(path, sent));
    if (answer.status >= 300)
      throw new Error(`${path} ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await postLabels(api, [
    { ...LABEL, transaction_id: ids[3] },
    { ...LABEL, transaction_id: ids[7] },
  ]);
  const hold = { kind: 'account', subject: ACCOUNTS[0], reason: 'x' };
  const { hold_id: id } = await asOfficer('/v1/holds', hold);
  await asOfficer(`/v1/holds/${id}/lift`, { reason: 'x' });
  for (const [kind, value] of Object.entries(LISTED)) {
    const name = `of-${kind}`;
    await asOfficer('/v1/lists', { name, effect: 'watch', kind, description: 'x' });
    await asOfficer(`/v1/lists/${name}/entries`, { value, reason: 'x' });
  }
  await sql(`insert into outbox_review (source, transaction_ids) values ('score', $1)`, [
    ids.slice(0, 3),
  ]);
  await raiseCases(api.database);
  await sql(
    `insert into final_decisions (decision_id, transaction_id, created_at, account_id, merchant_id, corridor, source, priority,
            disposition, reason, decided_by, decided_at, label, opened_at, due_at)
     select 1, transaction_id, created_at, account_id, merchant_id, corridor, 'verdict', 4, 'fraud', 'seen', 'Ann', now(),
            'posted', now(), now() from review_cases limit 1`,
  );
  await sql(
    `insert into webhook_deliveries (endpoint_id, event_id, event_type, payload, next_at)
     select gen_random_uuid(), 'e1', 'transaction.decided', $1, now() + interval '1 day'`,
    [
      JSON.stringify({
        type: 'transaction.decided',
        data: { decisions: [{ account_id: ACCOUNTS[1], score: 5, amount: '1.50' }] },
      }),
    ],
  );
  await sql(
    `insert into dead_letters (dead_letter_id, transaction_id, created_at, account_id, corridor, stream, entry_id, attempts,
            error_code, error, entry, failed_at, purged_at)
     values (gen_random_uuid(), $1, now(), $2::text, 'US-EG', 's', '1-1', 1, 'X', 'failed for ' || $2::text, $3, now(), now())`,
    [
      ids[0],
      ACCOUNTS[2],
      JSON.stringify({ accountId: ACCOUNTS[2], deviceId: DEVICES[0], ip: IPS[1] }),
    ],
  );
}

const LABEL = { label: 'fraud', labelled_at: new Date().toISOString(), source: 'chargeback' };
const LISTED = { account: ACCOUNTS[0], device: DEVICES[1], address: IPS[1] };
