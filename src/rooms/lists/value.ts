/** Values of lists: each kind has one way to write a value, so that equal values are equal texts. */

import type { Context } from 'hono';
import ipaddr from 'ipaddr.js';
import { countryProblem } from '../../core/domain/transaction.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { isAddress, spellAddress } from '../../kit/words/address.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import { ID_CHARS_MAX, idText, spellId } from '../../kit/words/plain-text.ts';

export const KINDS = ['account', 'merchant', 'device', 'address', 'country', 'hash'] as const;
export type Kind = (typeof KINDS)[number];

/** The value as it is stored, or what is allowed in its place. */
type ReadValue = { readonly value: string } | { readonly problem: string };

const id = idText(ID_CHARS_MAX);
const SHA256 = /^[0-9a-f]{64}$/i;
const COUNTRY = /^[A-Z]{2}$/;
const ADDRESS = 'must be an IPv4 or IPv6 address or a network in CIDR form, as 203.0.113.0/24';
/** Characters of the longest address with its prefix length. */
const ADDRESS_CHARS_MAX = 49;
const IPV4_BITS = 32;
/** Bits in front of an IPv4 address that is written as IPv6. */
const MAPPED_BITS = 96;

const FIELD_OF: Readonly<Partial<Record<Kind, string>>> = {
  account: 'account_id',
  device: 'device_id',
  address: 'ip',
};

export function readValue(kind: Kind, written: string): ReadValue {
  const text = spellId(written);
  switch (kind) {
    case 'account':
    case 'merchant':
    case 'device': {
      const { data, error } = id.safeParse(text);
      return data === undefined ? { problem: error?.issues[0]?.message ?? '' } : { value: data };
    }
    case 'country': {
      const form = COUNTRY.test(text)
        ? countryProblem(text, '')
        : 'must be an ISO 3166 code, as US';
      return form === undefined ? { value: text } : refused(form, text);
    }
    case 'hash': {
      const problem = 'must be a SHA-256 of 64 hexadecimal digits';
      return SHA256.test(text) ? { value: text.toLowerCase() } : refused(problem, text);
    }
    case 'address':
      return readNetwork(text);
  }
}

/** @throws InvalidFields for a value that is none of the kind */
export function checkedValue(kind: Kind, written: string): string {
  const read = readValue(kind, written);
  if ('value' in read) return read.value;
  throw new InvalidFields([{ pointer: '/value', detail: read.problem }]);
}

/** An address that is kept as a token says nothing of its neighbours. */
export const NO_NETWORK =
  'must be one address, not a network, as the market keeps addresses as tokens';
export const isNetwork = (kind: Kind, value: string) => kind === 'address' && value.includes('/');

const refused = (problem: string, text: string): ReadValue => ({
  problem: `${problem}, not ${given(text)}`,
});

function readNetwork(text: string): ReadValue {
  const [address = '', prefix, ...more] = text.split('/');
  const isForm = text.length <= ADDRESS_CHARS_MAX && more.length === 0;
  const parsed = isForm ? parseAddress(address) : undefined;
  if (parsed === undefined) return refused(ADDRESS, text);
  const { bytes, isMapped } = parsed;
  const all = bytes.length * 8;
  const written = isMapped ? all + MAPPED_BITS : all;
  if (prefix !== undefined && !(/^(0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= written)) {
    return refused(`must have a prefix length from 0 to ${written} behind the /`, text);
  }
  const bits = prefix === undefined ? all : Number(prefix) - (written - all);
  if (bits < 0) return refused('must be an IPv4 network in its own form, as 0.0.0.0/0', text);
  const network = bytes.map((byte, nth) => byte & maskOf(bits - nth * 8));
  const value = `${textOf(network)}${bits === all ? '' : `/${bits}`}`;
  if (network.some((byte, nth) => byte !== bytes[nth])) {
    return refused(`must have no bits behind its prefix, as ${value}`, text);
  }
  return { value };
}

/** Mask of a byte, in which `bitsLeft` bits of a prefix begin. */
const maskOf = (bitsLeft: number) => (0xff00 >> Math.min(8, Math.max(0, bitsLeft))) & 0xff;

type Address = { readonly bytes: number[]; readonly isMapped: boolean };

/** Undefined where the text is no address. An IPv4 address that is written as IPv6 is IPv4. */
function parseAddress(text: string): Address | undefined {
  const address = spellAddress(text);
  if (!isAddress(address)) return undefined;
  const isMapped = text.includes(':') && !address.includes(':');
  return { bytes: ipaddr.parse(address).toByteArray(), isMapped };
}

const textOf = (bytes: number[]) => spellAddress(ipaddr.fromByteArray(bytes).toString());

/** First and last address of a stored value, as bytes. */
export function rangeOf(value: string): { readonly from: number[]; readonly to: number[] } {
  const [address = '', prefix] = value.split('/');
  const from = ipaddr.parse(address).toByteArray();
  const bits = prefix === undefined ? from.length * 8 : Number(prefix);
  return { from, to: from.map((byte, nth) => byte | (0xff & ~maskOf(bits - nth * 8))) };
}

/** A transaction's address as values of lists have it. */
export function addressOf(ip: string): { readonly text: string; readonly bytes: number[] } {
  const text = spellAddress(ip);
  return { text, bytes: ipaddr.parse(text).toByteArray() };
}

export const isIPv4 = ({ length }: readonly number[]): boolean => length * 8 === IPV4_BITS;

/** The edge and the field where values of the kind are tokens. */
function edgeOf(c: Context<AppEnv>, kind: Kind) {
  const edge = c.get('personal');
  const field = FIELD_OF[kind];
  return edge !== undefined && field !== undefined && edge.declares(field)
    ? { edge, field }
    : undefined;
}

/**
 * Values of lists where accounts, devices or addresses are tokens: a list has the token, whatever it was given.
 * @returns a function that gives values as the list has them; undefined where they stay as they are
 */
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

/** The value of a question. @throws InvalidFields */
export async function askedValue(c: Context<AppEnv>, kind: Kind, value: string): Promise<string> {
  const known = edgeOf(c, kind);
  const found = await known?.edge.find({ [known.field]: value });
  return checkedValue(kind, (known && found?.[known.field]) ?? value);
}
