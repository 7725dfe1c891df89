/** Scopes that people bound, and their names. */
import { idText } from '../../kit/words/plain-text.ts';

/** Each flag has a name that stays, and a sentence about what is off without the flag. */
export const FLAGS = {
  'what-if': '`POST /v1/evaluate` and what-ifs of scored transactions are answered.',
  exports: 'Searches are exported as files; an export that runs breaks off without it.',
  webhooks: 'Events are delivered; without it they wait, and no attempt is counted.',
  shadows: 'Models in shadow are asked; without it no opinion of theirs is stored.',
  'live-figures': 'Figures are sent as they change; without it the console asks for them.',
  totals: 'Searches count what matches; without it `total` is null.',
} as const satisfies Readonly<Record<string, string>>;
export type Flag = keyof typeof FLAGS;

/** In front of the reason code of a rule, or the name of a model, that judges nothing while its scope is stopped. */
export const RULE = 'rule:';
export const MODEL = 'model:';
export const MARKET = 'market';

export const corridorScope = (corridor: string) => `corridor:${corridor}`;
const CLIENT = 'client:';
export const clientScope = (client: string) => CLIENT + client;
export const keyScope = (keyId: string) => `key:${keyId}`;
export const flagScope = (flag: Flag) => `flag:${flag}`;

/** The name of a client as keys have it. */
const clientName = idText(64);

/** `client:NAME` is a scope of the submissions of a client, by any name that a key may have. */
export function isClientScope(text: string): boolean {
  const name = text.slice(CLIENT.length);
  return text.startsWith(CLIENT) && clientName.safeParse(name).data === name;
}

export type PartyField = 'account_id' | 'device_id' | 'ip';
/** The field of a transaction that names a party, by the scope whose limit holds for each such party. */
export const partyFields: ReadonlyMap<string, PartyField> = new Map([
  ['each:account', 'account_id'],
  ['each:device', 'device_id'],
  ['each:address', 'ip'],
]);

/** Forms of scopes: a form is a name, or the beginning of names. */
export type ScopeForm =
  | 'all'
  | 'market'
  | 'corridor'
  | 'client'
  | 'key'
  | 'rule'
  | 'model'
  | 'flag'
  | 'each';
