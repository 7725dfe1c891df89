/** Transactions that the simulator produces: a transaction before it has its key, and a labelled one after. */

/** Why a transaction is fraud; `none` is legitimate. */
export const SCENARIOS = [
  'none',
  'compromised_merchant',
  'stolen_account',
  'account_takeover',
  'structuring',
  'mule_fan_in',
] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

/** The fields that habits and scenarios decide. */
export type Draft = {
  readonly accountId: string;
  readonly merchantId: string;
  readonly amount: string;
  readonly currency: string;
  readonly corridor: string;
  readonly type: string;
  readonly ip: string;
  readonly deviceId: string;
  readonly country: string;
  readonly channel: string;
};

/** A row of the output. Times are epoch milliseconds, UTC. */
export type SimulatedTransaction = Draft & {
  readonly idempotencyKey: string;
  readonly createdAtMs: number;
  readonly scenario: ScenarioName;
  /** When an investigation would have decided whether it is fraud. */
  readonly labelledAtMs: number;
};
