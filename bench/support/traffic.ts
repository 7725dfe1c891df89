/** The transactions of a load: simulated ones, spread over its corridors, with what is hot in it. */
import { createRandom, type Random } from '../../src/kit/random.ts';
import { CORRIDORS } from '../../src/tools/simulate/geography.ts';
import type { SimulatedTransaction } from '../../src/tools/simulate/simulate.ts';
import { habitual, type SimulateOptions, simulate } from '../../src/tools/simulate/simulate.ts';
import { testAddress } from '../../src/tools/simulate/world.ts';
import { dayPopulation } from './day.ts';
import { zipf } from './zipf.ts';

/** The account or merchant that takes this share of all transactions. */
const HOT_SHARES = { account: 0.1, merchant: 0.1, corridor: 0.9 } as const;
export type Hot = keyof typeof HOT_SHARES;

export type Traffic = {
  readonly traffic: SimulateOptions;
  /** How many of the seeded corridors the transactions are spread over; all by default. */
  readonly corridors?: number | undefined;
  /** Takes all transactions; otherwise each has one of `corridors`. */
  readonly corridor?: string | undefined;
  readonly hot?: Hot | undefined;
  /**
   * Accounts take turns, row n belonging to account n % accounts: each as often as any other and as far
   * apart as can be. By default they act by habit, some often and some hardly ever.
   */
  readonly accountsInTurn?: boolean | undefined;
  /** Exponent of Zipf's law by which accounts and merchants are drawn; 0 draws each as often. */
  readonly drawnBy?: number | undefined;
  /** As many merchants are drawn, in place of those of `traffic`, and by this exponent in place of `drawnBy`. */
  readonly merchantsDrawn?: number | undefined;
  readonly merchantsDrawnBy?: number | undefined;
  /** Drawn accounts have two devices and an address, some shared with other accounts, and each row has the number of `NUMBER_FIELD`. */
  readonly ownParties?: boolean | undefined;
  /** How the rows of a file lie in it; `time` unless it is given. Any other order holds all rows in memory. */
  readonly order?: Order | undefined;
  /** The population and the sizes of requests are those of a production day. */
  readonly day?: boolean | undefined;
  /** Seed of the habits of accounts and merchants: parts of a load that share the seed come from the same parties. */
  readonly habits?: string | undefined;
};

export const ORDERS = ['time', 'account', 'merchant', 'random'] as const;
export type Order = (typeof ORDERS)[number];

/** Member of the metadata that a market declares where drawn accounts have parties of their own. */
export const NUMBER_FIELD = 'distance';

const SEEDED: readonly string[] = [...new Set(CORRIDORS.map(({ name }) => name))];

/** The same options give the same transactions. Each has a random key (UUID v4), as integrators send them. */
export function* trafficRows(options: Traffic): Generator<SimulatedTransaction, void> {
  const { order = 'time', traffic } = options;
  const rows = rowsInTime(options);
  if (order === 'time') return yield* rows;
  const random = createRandom(`${traffic.seed}/order`);
  const keyed = Array.from(rows, (row) => ({ row, key: sortKey(order, row, random) }));
  // The sort is stable: rows of the same key stay in the order of time.
  keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  for (const { row } of keyed) yield row;
}

function sortKey(
  order: Exclude<Order, 'time'>,
  { accountId, merchantId }: SimulatedTransaction,
  random: Random,
): string | number {
  if (order === 'random') return random();
  return order === 'account' ? accountId : merchantId;
}

function* rowsInTime(options: Traffic): Generator<SimulatedTransaction, void> {
  const { traffic, corridors = SEEDED.length, hot, accountsInTurn = false } = options;
  // Transactions of other options differ, and their keys must never meet in one engine.
  const random = createRandom(`${JSON.stringify(traffic)}/keys`);
  const draw = options.drawnBy === undefined ? undefined : drawParties(traffic, options);
  let index = 0;
  const population =
    options.day === true
      ? dayPopulation(traffic)
      : habitual({ ...traffic, seed: options.habits ?? traffic.seed });
  for (const row of simulate(traffic, population)) {
    const accountId = accountsInTurn ? `account_${index++ % traffic.accounts}` : row.accountId;
    const seeded = SEEDED[SEEDED.indexOf(row.corridor) % corridors] ?? row.corridor;
    const corridor = options.corridor ?? seeded;
    const made = { ...row, accountId, corridor, idempotencyKey: randomUuid(random), ...draw?.() };
    yield hot !== undefined && random() < HOT_SHARES[hot] ? { ...made, ...HOT_FIELDS[hot] } : made;
  }
}

function drawParties(
  { seed, accounts, merchants }: SimulateOptions,
  { drawnBy = 0, merchantsDrawn = merchants, merchantsDrawnBy = drawnBy, ownParties }: Traffic,
) {
  const random = createRandom(`${seed}/parties`);
  const account = zipf(accounts, drawnBy, random);
  const merchant = zipf(merchantsDrawn, merchantsDrawnBy, random);
  return () => {
    const index = account();
    const drawn = { accountId: `account_${index}`, merchantId: `merchant_${merchant()}` };
    return ownParties === true ? { ...drawn, ...partiesOf(index, accounts, random) } : drawn;
  };
}

/** Accounts that share a device and an address. */
const HOUSEHOLD = 4;
const SHARED_DEVICE_SHARE = 0.2;
const NUMBER_MAX = 40;

function partiesOf(index: number, accounts: number, random: Random) {
  const household = Math.floor(index / HOUSEHOLD);
  const device = random() < SHARED_DEVICE_SHARE ? `home_${household}` : `device_${index}`;
  return {
    deviceId: device,
    ip: testAddress((household * HOUSEHOLD) / accounts),
    metadata: { [NUMBER_FIELD]: 1 + Math.floor(NUMBER_MAX * random() ** 3) },
  };
}

const HOT_FIELDS = {
  account: { accountId: 'account_hot' },
  merchant: { merchantId: 'merchant_hot' },
  corridor: { corridor: SEEDED[0] ?? '' },
} as const satisfies Record<Hot, Partial<SimulatedTransaction>>;

const TWO_TO_32 = 2 ** 32;

function randomUuid(random: Random): string {
  const word = () =>
    Math.floor(random() * TWO_TO_32)
      .toString(16)
      .padStart(8, '0');
  const [a, b, c, d] = [word(), word(), word(), word()];
  const variant = '89ab'[Number.parseInt(c.slice(0, 1), 16) % 4];
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-${variant}${c.slice(1, 4)}-${c.slice(4)}${d}`;
}
