/**
 * Personal fields that a market declares, and the tokens that stand for their values. A token is a value that the field itself
 * accepts: an id that begins with `tok_`, or an address of 3fff::/20, which RFC 9637 gives to documentation alone.
 */
import { network64, spellAddress } from '../../kit/words/address.ts';

export const PERSONAL_IDS = ['account_id', 'device_id', 'ip'] as const;
export type PersonalId = (typeof PERSONAL_IDS)[number];

/** A member of metadata, at most four names deep; a list on the path is walked element by element. */
const PATH = /^metadata(\.[A-Za-z][A-Za-z0-9_]{0,39}){1,4}$/;
/** Larger: each transaction walks more paths. Smaller: fewer members of metadata can be declared. */
export const PERSONAL_FIELDS_MAX = 16;
export const isPersonalId = (field: string): field is PersonalId =>
  PERSONAL_IDS.some((id) => id === field);
export const isPersonalField = (field: string): boolean => isPersonalId(field) || PATH.test(field);

const TOKEN = /^tok_[0-9a-f]{32}$/;
/** Makes a group without a leading zero, so the text is that of RFC 5952, by which lists compare addresses. */
const ADDRESS_TOKEN = /^3fff:[1-9a-f][0-9a-f]{2}(:[1-9a-f][0-9a-f]{3}){6}$/;

export const isToken = (field: string, text: string): boolean =>
  field === 'ip' ? ADDRESS_TOKEN.test(text) : TOKEN.test(text);

/** @param hex 32 digits that nobody can guess */
export function tokenOf(field: string, hex: string): string {
  if (field !== 'ip') return `tok_${hex.slice(0, 32)}`;
  let text = `3fff:${group(hex, 0, 0x100, 0x1000)}`;
  for (let at = 4; at < 28; at += 4) text += `:${group(hex, at, 0x1000, 0x10000)}`;
  return text;
}

const group = (hex: string, at: number, from: number, to: number) =>
  (from + (Number.parseInt(hex.slice(at, at + 4), 16) % (to - from))).toString(16);

/** IPv4 clients of a data centre with IPv6 alone (RFC 6052): all of them would share one /64. */
const TRANSLATED = '64:ff9b::';

/** The party of an address: its /24 or /64 network, which a household or an office shares. A token is a party of its own. */
export function partyOfAddress(ip: string | null): string | null {
  if (ip === null || isToken('ip', ip)) return ip;
  const address = ip.startsWith(TRANSLATED)
    ? spellAddress(`::ffff:${ip.slice(TRANSLATED.length)}`)
    : ip;
  if (address.includes(':')) return network64(address);
  return `${address.slice(0, address.lastIndexOf('.'))}.0/24`;
}

/** Patterns of tokens for `like`, by which Postgres refuses clear values. */
export const TOKEN_LIKE: Readonly<Record<PersonalId, string>> = {
  account_id: 'tok\\_%',
  device_id: 'tok\\_%',
  ip: '3fff:%',
};

type Members = Record<string, unknown>;
/** Calls `each` for every value at the path, with the object that holds the value. @param path without its first `metadata` */
export function walkPath(
  value: unknown,
  path: readonly string[],
  each: (holder: Members, name: string) => void,
): void {
  if (Array.isArray(value)) {
    for (const element of value) walkPath(element, path, each);
    return;
  }
  const [name, ...rest] = path;
  if (typeof value !== 'object' || value === null || name === undefined) return;
  if (!Object.hasOwn(value, name)) return;
  // An object that is no array has members, which its type does not say.
  const holder = value as Members;
  if (rest.length > 0) walkPath(holder[name], rest, each);
  else if (holder[name] !== null) each(holder, name);
}

export const pathIn = (field: string): readonly string[] => field.split('.').slice(1);
