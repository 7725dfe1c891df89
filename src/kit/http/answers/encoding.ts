/** The encoding of an answer (RFC 9110, 12.5.3), by what the client takes. */
import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import type { AppEnv } from '../app-env.ts';
import { ENCODINGS } from './entity-tag.ts';

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
