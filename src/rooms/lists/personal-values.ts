/** Values of lists where accounts, devices or addresses are tokens: a list has the token, whatever it was given. */
import type { Context } from 'hono';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { InvalidFields } from '../../kit/words/field-error.ts';
import { isNetwork, type Kind, NO_NETWORK, readValue } from './value.ts';

const FIELD_OF: Readonly<Partial<Record<Kind, string>>> = {
  account: 'account_id',
  device: 'device_id',
  address: 'ip',
};

/** The edge and the field where values of the kind are tokens. */
function edgeOf(c: Context<AppEnv>, kind: Kind) {
  const edge = c.get('personal');
  const field = FIELD_OF[kind];
  return edge !== undefined && field !== undefined && edge.declares(field)
    ? { edge, field }
    : undefined;
}

/** @returns a function that gives values as the list has them; undefined where they stay as they are */
export function keeperOf(c: Context<AppEnv>, kind: Kind) {
  const known = edgeOf(c, kind);
  return known && ((values: readonly string[]) => known.edge.tokensOf(known.field, values));
}

/** The value of a new entry; a value that is none of the kind stays, and is refused as such. */
export async function keptValue(c: Context<AppEnv>, kind: Kind, value: string): Promise<string> {
  const tokensOf = keeperOf(c, kind);
  if (tokensOf === undefined || 'problem' in readValue(kind, value)) return value;
  if (isNetwork(kind, value)) throw new InvalidFields([{ pointer: '/value', detail: NO_NETWORK }]);
  const [token = value] = await tokensOf([value]);
  return token;
}

/** The value of a question. */
export async function askedValue(c: Context<AppEnv>, kind: Kind, value: string): Promise<string> {
  const known = edgeOf(c, kind);
  if (known === undefined) return value;
  const { [known.field]: token = value } = await known.edge.find({ [known.field]: value });
  return token;
}
