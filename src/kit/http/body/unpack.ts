/** Bodies that arrive compressed (RFC 9110, 8.4): gzip and brotli, unpacked while they arrive, so that a bomb is refused at its limit. */
import { pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import type { Context } from 'hono';
import { given } from '../../words/describe-issue.ts';
import { Problem } from '../answers/problem.ts';
import type { AppEnv } from '../app-env.ts';

/** A piece waits for its reader, so that a small body that unpacks to gigabytes takes no more memory than two of them. */
const PIECE_BYTES = 16 * 1024;
const OPTIONS = { chunkSize: PIECE_BYTES, rejectGarbageAfterEnd: true };
const UNPACKERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(OPTIONS),
  'x-gzip': () => createGunzip(OPTIONS),
  br: () => createBrotliDecompress(OPTIONS),
};
const ALLOWED = 'identity, gzip, br';

/** Undefined: the body has no encoding. */
export function encodingOf(c: Context<AppEnv>): string | undefined {
  const encoding = c.req.header('content-encoding')?.trim().toLowerCase();
  return encoding === 'identity' ? undefined : encoding;
}

/** @throws Problem 415 for an encoding, or a list of them, that is not unpacked here */
export function requireEncoding(c: Context<AppEnv>): void {
  const encoding = encodingOf(c);
  if (encoding === undefined || Object.hasOwn(UNPACKERS, encoding)) return;
  throw new Problem(
    'unsupported-media-type',
    `The body has Content-Encoding ${given(encoding)}, and only ${ALLOWED} are allowed.`,
    { headers: { 'Accept-Encoding': ALLOWED } },
  );
}

/** @throws Problem 400 where the bytes are not what the encoding says */
export async function* unpack(
  packed: AsyncIterator<Uint8Array>,
  encoding: string,
): AsyncGenerator<Uint8Array> {
  const unpacker = UNPACKERS[encoding]?.();
  if (unpacker === undefined) throw new Error(`requireEncoding takes no ${encoding}`);
  const source = { [Symbol.asyncIterator]: () => packed };
  // The reader of the pieces meets the error of either stream.
  pipeline(Readable.from(source, { objectMode: false }), unpacker, () => undefined);
  try {
    yield* unpacker;
  } catch (error) {
    if (!isOfZlib(error)) throw error;
    throw new Problem('malformed-request', `The body is not ${encoding}: ${error.message}.`);
  }
}

const isOfZlib = (error: unknown): error is Error =>
  error instanceof Error &&
  'code' in error &&
  /^(Z_|ERR_BROTLI|ERR__ERROR|ERR_TRAILING_JUNK)/.test(String(error.code));
