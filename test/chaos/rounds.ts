/**
 * Carries out a schedule: starts the victim of each round armed with its fault, sees it die under
 * load, and writes down what the death left behind, so that a run shows that it hit what it aimed at.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type RoleProcess, untilReady } from '../../bench/support/role-process.ts';
import type { Services } from '../../bench/support/services.ts';
import type { Fleet } from './fleet.ts';
import { describeFault, type Fault, type Round } from './schedule.ts';
import { allStreams, heldBy } from './streams.ts';

export type RoundRow = {
  readonly round: number;
  readonly fault: string;
  /** From the start of the process to its death. */
  readonly lived_ms: number;
  /** Transactions that were on their way through the victim when it died. */
  readonly held: number;
  /** Of those: already scored, so that their redelivery must change nothing. */
  readonly held_and_stored: number;
};

export type RoundsOptions = { readonly fleet: Fleet; readonly signal: AbortSignal };

/** An armed victim that does not die this soon was not under load, or its failpoint is not reached. */
const DEATH_TIMEOUT_MS = 60_000;

export async function runRound(
  { fleet, signal }: RoundsOptions,
  role: 'worker' | 'api',
  { number, fault }: Round,
): Promise<RoundRow> {
  const started = performance.now();
  const victim = fleet.startVictim(role, failpointOf(fault));
  if (fault.kind === 'sigkill') {
    await untilReady(victim, signal);
    await delay(fault.afterMs, undefined, { signal });
    victim.kill();
  }
  const how = await untilDead(victim, signal);
  if (how !== 'SIGKILL') throw new Error(`${victim.name} ended by ${how}\n${victim.logTail()}`);
  const livedMs = Math.round(performance.now() - started);
  const held =
    role === 'worker'
      ? await heldBy(fleet.services, victim.pid)
      : await openBatches(fleet.services);
  return {
    ...{ round: number, fault: describeFault(fault), lived_ms: livedMs },
    ...{ held: held.length, held_and_stored: await countStored(fleet.services, held) },
  };
}

/** Redis forgets everything at once, with work under way. */
export async function wipeRedis(
  { fleet, signal }: RoundsOptions,
  { number, fault }: Round,
): Promise<RoundRow> {
  if (fault.kind !== 'flushall') throw new Error(`not a wipe: ${describeFault(fault)}`);
  await delay(fault.afterMs, undefined, { signal });
  const { redis } = fleet.services;
  let held = 0;
  for (const { transactions } of await allStreams(fleet.services)) {
    held += await redis.xlen(transactions);
  }
  await redis.flushall();
  const described = { round: number, fault: describeFault(fault), lived_ms: fault.afterMs };
  return { ...described, held, held_and_stored: 0 };
}

function failpointOf(fault: Fault): string | undefined {
  return fault.kind === 'failpoint' ? `${fault.name}:${fault.pass}` : undefined;
}

async function untilDead(victim: RoleProcess, signal: AbortSignal): Promise<string> {
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(DEATH_TIMEOUT_MS)]);
  const aborted = delay(DEATH_TIMEOUT_MS * 2, undefined, { signal: timeout, ref: false });
  return await Promise.race([victim.ended, aborted]).then(
    (how) => how ?? 'nothing',
    () => `nothing within ${DEATH_TIMEOUT_MS} ms`,
  );
}

/** Committed by the API and not yet known to be in a stream. */
async function openBatches({ database }: Services): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>(
    'select unnest(transaction_ids) as id from ingest_batches',
  );
  return rows.map(({ id }) => id);
}

async function countStored({ database }: Services, ids: readonly string[]): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    'select count(*)::int as count from scores where transaction_id = any ($1::uuid[])',
    [ids],
  );
  return rows[0]?.count ?? 0;
}
