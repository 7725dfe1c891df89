/**
 * Answers as brotli or gzip (RFC 9110, 12.5.3) where the client takes them: of reads, and of writes whose body came compressed. Other
 * writes are answered plainly: most clients say by default that they take gzip, which would cost the accepting path.
 */
import { pipeline, Readable, type Transform } from 'node:stream';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';
import type { Context, MiddlewareHandler } from 'hono';
import { chooseEncoding, type Encoding, encodingOfWhole } from './answers/encoding.ts';
import { encodedTag } from './answers/entity-tag.ts';
import type { AppEnv } from './app-env.ts';
import { encodingOf } from './body/unpack.ts';

/** JSON is there as a whole; lines and CSV are long streams. Live events are neither, as a packer would hold them back. */
const WHOLE = /^application\/(problem\+)?json\b/;
const STREAMED = /^(application\/x-ndjson|text\/csv)\b/;
/** As fast as gzip; the default of 11 takes a hundred times as long. */
const BROTLI_QUALITY = 4;
const PACKERS: Readonly<Record<Encoding, () => Transform>> = {
  br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  gzip: () => createGzip(),
};

const mayBePacked = (c: Context<AppEnv>) =>
  c.req.header('accept-encoding') !== undefined &&
  (c.req.method === 'GET' || encodingOf(c) !== undefined);

export const compressAnswers: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (!mayBePacked(c)) return;
  const { status, headers, body } = c.res;
  const type = headers.get('content-type') ?? '';
  const isWhole = WHOLE.test(type);
  // A packer would hold back answers to lines whose sender waits for them.
  const isStreamed = c.req.method === 'GET' && STREAMED.test(type);
  if (body === null || headers.has('content-encoding') || !(isWhole || isStreamed)) return;
  const sending = new Headers(headers);
  const whole = isWhole ? new Uint8Array(await c.res.arrayBuffer()) : undefined;
  const encoding = whole === undefined ? chooseEncoding(c) : encodingOfWhole(c, whole.byteLength);
  let answered: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> = whole ?? body;
  if (encoding !== undefined) {
    answered = pack(
      whole === undefined ? Readable.fromWeb(body as NodeStream) : Readable.from([whole]),
      PACKERS[encoding](),
    );
    sending.set('Content-Encoding', encoding);
    sending.delete('Content-Length');
    const tag = headers.get('etag');
    if (tag !== null) sending.set('ETag', encodedTag(tag, encoding));
  }
  // An answer that replaces another one would take its headers over.
  c.res = undefined;
  c.res = new Response(answered, { status, headers: sending });
};

/** An answer that breaks off ends its packer, and a reader that leaves ends the answer. */
function pack(from: Readable, packer: Transform): ReadableStream<Uint8Array> {
  pipeline(from, packer, () => undefined);
  return Readable.toWeb(packer) as ReadableStream<Uint8Array>;
}
