/**
 * The encoding of an answer (RFC 9110, 12.5.3), by what the client takes. The bytes of an answer differ by its encoding, so each
 * encoding has a strong entity tag of its own (8.8.3).
 */
import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import type { AppEnv } from '../app-env.ts';

/** Encodings that answers are sent in. */
export const ENCODINGS = ['br', 'gzip'] as const;
const ENCODED = new RegExp(`-(${ENCODINGS.join('|')})"$`);

/** @param tag of the answer without an encoding */
export const encodedTag = (tag: string, encoding: string): string =>
  tag.replace(/"$/, `-${encoding}"`);

/** The tag of the answer before encoding, by the tag of an encoded answer in a header. */
export const tagIn = (header: string | undefined): string | undefined =>
  header?.replace(ENCODED, '"');

export type Encoding = (typeof ENCODINGS)[number];

/** A shorter answer fits one packet of the network as it is. */
const PLAIN_BYTES_MAX = 1024;
const PLAIN = 'identity';

/** Undefined: the client takes none, or does not say. */
export function chooseEncoding(c: Context<AppEnv>): Encoding | undefined {
  const chosen = accepts(c, {
    header: 'Accept-Encoding',
    supports: [...ENCODINGS],
    default: PLAIN,
    match: (taken, { supports }) =>
      supports.find((name) => taken.some(({ type, q }) => type.toLowerCase() === name && q > 0)) ??
      PLAIN,
  });
  return ENCODINGS.find((name) => name === chosen);
}

/** The encoding of an answer that is there as a whole; undefined: it is sent as it is. */
export function encodingOfWhole(c: Context<AppEnv>, bytes: number): Encoding | undefined {
  return bytes > PLAIN_BYTES_MAX ? chooseEncoding(c) : undefined;
}
