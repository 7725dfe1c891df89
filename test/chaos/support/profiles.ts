/**
 * Compares the profiles in Redis with Postgres. Each is asked, beside a fresh rebuild, for the features of a
 * transaction at the end of the run: both rows must be equal to the bit, so a transaction that was counted
 * twice, or not at all, shows.
 */
import { isDeepStrictEqual } from 'node:util';
import { LABEL_MATURITY_DAYS } from '../../../src/core/domain/history.ts';
import type { PartyKind, Transaction } from '../../../src/core/domain/transaction.ts';
import { accountKind, merchantKind } from '../../../src/core/profile/kinds.ts';
import { takeOwn } from '../../../src/core/profile/packed-list.ts';
import type { Profile, ProfileKind } from '../../../src/core/profile/profile.ts';
import { readLog } from '../../../src/core/profile/profile.ts';
import { addressKind, deviceKind } from '../../../src/core/profile/shared-profile.ts';
import {
  loadAccountPasts,
  loadMerchantPasts,
  loadSharedPasts,
} from '../../../src/core/store/profiles/history.ts';
import { profileKey } from '../../../src/core/stream/keys.ts';
import { foldRow } from '../../support/fold-one.ts';
import { openMarket } from './sessions.ts';
import { MARKET, type Sessions } from './streams.ts';

export type ProfileStores = Sessions & { readonly databaseUrl: string };

export type ProfileCheck = {
  equal: number;
  different: number;
  /** In Redis, but waiting for a rebuild: correct, nothing to compare. */
  stale: number;
  /** Not in Redis: rebuilt when next needed. */
  absent: number;
};

const PARTIES_A_PAGE = 100;
/** Sorts behind every transaction of its millisecond. */
const LAST_ID = 'ffffffff-ffff-7fff-bfff-ffffffffffff';

export async function checkProfiles(
  stores: ProfileStores,
): Promise<Readonly<Record<PartyKind, ProfileCheck>>> {
  await using database = openMarket(stores.databaseUrl);
  const { query } = database;
  return {
    account: await checkKind(stores, accountKind, (page) => loadAccountPasts(query, page)),
    merchant: await checkKind(stores, merchantKind, (page) =>
      loadMerchantPasts(query, page, LABEL_MATURITY_DAYS),
    ),
    device: await checkKind(stores, deviceKind, (page) => loadSharedPasts(query, 'device', page)),
    address: await checkKind(stores, addressKind, (page) =>
      loadSharedPasts(query, 'address', page),
    ),
  };
}

type LoadPasts<Past> = (page: readonly Transaction[]) => AsyncIterable<Past>;

async function checkKind<P extends Profile, Past>(
  stores: ProfileStores,
  kind: ProfileKind<P, Past>,
  loadPasts: LoadPasts<Past>,
): Promise<ProfileCheck> {
  const check = { equal: 0, different: 0, stale: 0, absent: 0 };
  const probes = await readProbes(stores, kind.party);
  for (let from = 0; from < probes.length; from += PARTIES_A_PAGE) {
    const page = probes.slice(from, from + PARTIES_A_PAGE);
    const pasts = await Array.fromAsync(loadPasts(page));
    for (const [index, probe] of page.entries()) {
      const past = pasts[index];
      if (past === undefined) throw new Error('a past a probe was expected');
      const rebuilt = foldRow(kind, kind.rebuild(past), probe);
      const key = profileKey(MARKET, kind.party, kind.partyOf(probe) ?? '');
      const stored = await stores.client.getBuffer(key);
      check[compare(kind, stored, probe, rebuilt)]++;
    }
  }
  return check;
}

function compare<P extends Profile, Past>(
  kind: ProfileKind<P, Past>,
  stored: Buffer | null,
  probe: Transaction,
  rebuilt: Float64Array | undefined,
): keyof ProfileCheck {
  if (stored === null) return 'absent';
  const profile = readLog(kind, stored, takeOwn)?.profile;
  // A log without a snapshot, or with a late item that its snapshot cannot place: it is rebuilt when next
  // needed.
  if (profile === undefined) return 'stale';
  const row = foldRow(kind, profile, probe);
  if (row === undefined) return 'stale';
  return isDeepStrictEqual(row, rebuilt) ? 'equal' : 'different';
}

type ProbeRow = Omit<Transaction, 'transactionId' | 'createdAtMs' | 'receivedAtMs'>;

const COLUMNS: Readonly<Record<PartyKind, string>> = {
  account: 'account_id',
  merchant: 'merchant_id',
  device: 'device_id',
  address: 'ip_party',
};

/** A transaction for each party, like the party's newest one, but later than everything else. */
async function readProbes({ query }: ProfileStores, party: PartyKind): Promise<Transaction[]> {
  const [end] = await query<{ ms: number }>(
    `select extract(epoch from max(created_at))::float8 * 1000 as ms from transactions`,
  );
  const createdAtMs = Math.round(end?.ms ?? 0) + 1;
  const rows = await query<ProbeRow>(
    `select distinct on (${COLUMNS[party]}) account_id as "accountId", merchant_id as "merchantId",
            amount::text, currency, corridor, type, ip, device_id as "deviceId", country, channel
       from transactions where ${COLUMNS[party]} is not null order by ${COLUMNS[party]}, created_at desc`,
  );
  return rows.map((row) => ({
    ...row,
    ...{ transactionId: LAST_ID, createdAtMs, receivedAtMs: createdAtMs },
  }));
}
