/** Setting that an operator corrects where a store refuses a connection; a message has its name, never its value. */
export type StoreSetting = 'DATABASE_URL' | 'DATABASE_REPLICA_URL' | 'REDIS_URL';

const NAMES = {
  DATABASE_URL: 'Postgres',
  DATABASE_REPLICA_URL: 'the replica',
  REDIS_URL: 'Redis',
} as const;

type Advice = (setting: StoreSetting) => string;

const login: Advice = (setting) => `correct user and password of ${setting}`;
const host: Advice = (setting) => `correct the host of ${setting}`;
const address: Advice = (setting) =>
  `start ${NAMES[setting]}, or correct host and port of ${setting}`;

/** By the code of the socket, the SQLSTATE of Postgres, or the first word of Redis. */
const ADVICE: Readonly<Record<string, Advice>> = {
  ENOTFOUND: host,
  EAI_AGAIN: host,
  ECONNREFUSED: address,
  EHOSTUNREACH: address,
  ENETUNREACH: address,
  ETIMEDOUT: address,
  '28000': login,
  '28P01': login,
  '3D000': (setting) => `create the database, or correct its name in ${setting}`,
  NOAUTH: login,
  WRONGPASS: login,
};

/**
 * The words of a failed connection, with advice where the code has one.
 * @param code undefined: the code of the error itself
 */
export function adviseStore(setting: StoreSetting, thrown: unknown, code?: string): string {
  const error = Object(thrown) as { code?: unknown; message?: unknown };
  // An error of several addresses has a code and no words.
  const words = String(error.message || error.code || thrown);
  const advice = ADVICE[code ?? String(error.code)];
  return advice === undefined ? words : `${words} (${advice(setting)})`;
}
