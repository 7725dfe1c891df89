/**
 * An analyst who never pauses: posts transactions of now and of yesterday in turn, and checks after each that all known ones are
 * found, by id and in the list of their account. An answer of a replica may lack a row of yesterday that was acknowledged less
 * than `Age` seconds before the read; it may not lack a row of now.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Stage } from '../../chaos/support/scenario.ts';

const PAUSE_MS = 20;
const ANSWER_MS_MAX = 15_000;
const DAY_MS = 86_400_000;
/** Fewer than the rows of a page, so that one answer holds the whole list. */
const POSTS_AN_ACCOUNT = 40;

type Known = { readonly id: string; readonly atMs: number };
type When = 'now' | 'yesterday';

export type Findings = {
  readonly reads: number;
  readonly failed: number;
  readonly slowestMs: number;
  /** Reads that lacked a row they had to have. */
  readonly missed: { readonly now: number; readonly yesterday: number };
  /** Reads that a replica answered. */
  readonly byReplica: number;
};

export type Analyst = ReturnType<typeof startAnalyst>;

export function startAnalyst({ engine, ledger, remark, signal }: Stage) {
  const [url = ''] = engine.apiUrls;
  const authorization = `Bearer ${engine.apiKey}`;
  const missed = { now: 0, yesterday: 0 };
  let [reads, failed, byReplica, slowestMs, finishing] = [0, 0, 0, 0, false];
  const fail = (what: string) => {
    if (failed++ === 0) remark(`first failed read: ${what}`);
  };
  const read = async (path: string) => {
    const startedMs = performance.now();
    const response = await fetch(`${url}${path}`, {
      ...{ headers: { authorization }, signal: AbortSignal.timeout(ANSWER_MS_MAX) },
    }).catch((error: unknown) => String(error));
    reads++;
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    if (typeof response === 'string') return fail(response);
    const age = response.headers.get('age');
    if (age !== null) byReplica++;
    const body: unknown = await response.json();
    if (response.status >= 500) return fail(`${path}: ${response.status} ${JSON.stringify(body)}`);
    return { status: response.status, body, provenMs: startedMs - Number(age ?? 0) * 1000 };
  };
  const post = async (key: string, accountId: string, when: When): Promise<string | undefined> => {
    const createdAt = new Date(Date.now() - DAY_MS).toISOString();
    ledger.note({ kind: 'sent', keys: [key] });
    const response = await fetch(`${url}/v1/transactions`, {
      ...{ method: 'POST', signal: AbortSignal.timeout(ANSWER_MS_MAX) },
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ idempotency_key: key, account_id: accountId, merchant_id: 'analyst', amount: '1.00' },
        ...{ currency: 'USD', corridor: 'US-EG' },
        ...(when === 'now' ? {} : { created_at: createdAt }),
      }),
    });
    const { transaction_id: id } = (await response.json()) as { transaction_id?: string };
    if (id === undefined) fail(`a post was answered ${response.status}`);
    else ledger.note({ kind: 'acknowledged', answers: [{ key, transactionId: id }] });
    return id;
  };
  const checkList = async (accountId: string, known: readonly Known[], when: When) => {
    const answer = await read(`/v1/transactions?account_id=${accountId}&limit=100${upTo(when)}`);
    if (answer === undefined) return;
    const { items } = answer.body as { items: { transaction_id: string }[] };
    const found = new Set(items.map((item) => item.transaction_id));
    const due = when === 'now' ? Number.POSITIVE_INFINITY : answer.provenMs;
    if (known.some(({ id, atMs }) => atMs <= due && !found.has(id))) missed[when]++;
  };
  const run = async () => {
    const known: Record<When, Known[]> = { now: [], yesterday: [] };
    for (let posts = 0; !finishing && !signal.aborted; posts++) {
      const when = posts % 2 === 0 ? 'now' : 'yesterday';
      if (posts % (2 * POSTS_AN_ACCOUNT) === 0) Object.assign(known, { now: [], yesterday: [] });
      const accountOf = (one: When) => `${one}_${Math.floor(posts / (2 * POSTS_AN_ACCOUNT))}`;
      const id = await post(`analyst-${posts}`, accountOf(when), when);
      if (id !== undefined) {
        known[when].push({ id, atMs: performance.now() });
        if ((await read(`/v1/transactions/${id}`))?.status === 404) missed[when]++;
      }
      for (const one of ['now', 'yesterday'] as const) {
        await checkList(accountOf(one), known[one], one);
      }
      await delay(PAUSE_MS);
    }
  };
  const done = run();
  done.catch(() => undefined);
  return {
    findings: () => ({ reads, failed, byReplica, slowestMs: Math.round(slowestMs), missed }),
    finish: async () => {
      finishing = true;
      await done;
    },
  };
}

/** End of the list of yesterday, as the primary answers for the last five minutes. */
function upTo(when: When): string {
  return when === 'now' ? '' : `&to=${new Date(Date.now() - DAY_MS / 2).toISOString()}`;
}
