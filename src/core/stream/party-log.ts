/** The log of parties in Redis: what requests ask for of single accounts, devices and addresses, in one order for all processes. */
import { type RedisClient, throwRedisFailure } from '../../kit/redis/connection.ts';
import { partyKeys } from './keys.ts';
import { loadScript, runScript } from './scripts.ts';

/** Id before the first entry of any log. */
export const LOG_BEGINS = '0-0';
/** Entries of one reply. More block Redis for longer than the 2 ms that 1,000 take; fewer make a new process ask more often. */
const PAGE_ENTRIES = 1000;

export type PartyEntry = { readonly id: string; readonly units: Buffer };

export type Appended = {
  /** The entry up to which debts were last saved. */
  readonly savedAt: string;
  /** Whether entries after the known one are gone: the saved debts have to be read. */
  readonly isBehind: boolean;
  /** Entries after the known one, before the own ones. */
  readonly missed: readonly PartyEntry[];
  /** Ids of the own entries; none where more is to be read first. */
  readonly ids: readonly string[];
};

type RawEntry = [id: Buffer, fields: [version: Buffer, units: Buffer]];
type AppendReply = [savedAt: Buffer, isBehind: number, missed: RawEntry[], ids: Buffer[]];

const appendScript = loadScript('append-parties-2');
const saveScript = loadScript('save-party-debts-1');

/**
 * @param known id of the last entry that this process has read
 * @param quietMs time without entries after which no party owes anything, at most
 * Throws a Failure
 */
export async function appendParties(
  redis: RedisClient,
  market: string,
  ask: { readonly known: string; readonly quietMs: number; readonly units: readonly Buffer[] },
): Promise<Appended> {
  const args = [ask.known, PAGE_ENTRIES, ask.quietMs, ...ask.units];
  const call = { keys: partyKeys(market), args };
  const reply = await runScript(redis, appendScript, call, { buffers: true });
  const [savedAt, isBehind, missed, ids] = reply as AppendReply;
  return {
    savedAt: savedAt.toString(),
    isBehind: isBehind === 1,
    missed: missed.map(([id, [, units]]) => ({ id: id.toString(), units })),
    ids: ids.map(String),
  };
}

export type SavedDebts = { readonly at: string; readonly debts: Buffer };

/** Throws a Failure. */
export async function saveDebts(
  redis: RedisClient,
  market: string,
  { at, debts, since, quietMs }: SavedDebts & { readonly since: string; readonly quietMs: number },
): Promise<void> {
  const [, key] = partyKeys(market);
  await runScript(redis, saveScript, { keys: [key], args: [since, at, debts, quietMs] });
}

/** Throws a Failure. */
export async function readDebts(
  redis: RedisClient,
  market: string,
): Promise<SavedDebts | undefined> {
  const [, key] = partyKeys(market);
  const [at, debts] = await redis.hmgetBuffer(key, 'at', 'debts').catch(throwRedisFailure);
  return at && debts ? { at: at.toString(), debts } : undefined;
}
