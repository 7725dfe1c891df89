/**
 * `/console`: the browser application, as it was built into console/dist (docs/console.md). Its files have the hash of
 * their content in their name, so they are kept for ever; the page itself is asked for each time.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Context, Hono } from 'hono';
import type { AppEnv } from '../../kit/http/app-env.ts';

/** The page runs and loads nothing but the files beside it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const FOR_EVER = 'public, max-age=31536000, immutable';
const EACH_TIME = 'no-cache';

type File = {
  readonly plain: Uint8Array<ArrayBuffer>;
  /** Made when it is first asked for: packing all files would take a tenth of the start of an API. */
  readonly packed: () => Promise<Uint8Array<ArrayBuffer>>;
  readonly type: string;
};

const pack = promisify(gzip);

/** @param folder of the build */
export function consoleRoutes(folder: string): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const page = readBuilt(folder, 'index.html');
  const assets = new Map(
    readdirSync(join(folder, 'assets')).map((name) => [name, readBuilt(folder, `assets/${name}`)]),
  );

  routes.get('/', (c) => c.redirect('/console'));

  routes.get('/console/assets/:name', (c) => {
    const file = assets.get(c.req.param('name'));
    return file === undefined ? c.notFound() : send(c, file, FOR_EVER);
  });

  // The application reads the rest of the path.
  for (const path of ['/console', '/console/*']) {
    routes.get(path, (c) => send(c, page, EACH_TIME));
  }
  return routes;
}

function readBuilt(folder: string, name: string): File {
  const plain = Uint8Array.from(readFileSync(join(folder, name)));
  const type = TYPES[extname(name)] ?? 'application/octet-stream';
  let packed: Promise<Uint8Array<ArrayBuffer>> | undefined;
  return {
    plain,
    type,
    packed: () => (packed ??= pack(plain, { level: 9 }).then((bytes) => Uint8Array.from(bytes))),
  };
}

/** `gzip;q=0` refuses it. */
const TAKES_GZIP = /(?:^|,)\s*gzip\s*(?:,|$|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))/i;

async function send(
  c: Context<AppEnv>,
  { plain, packed, type }: File,
  cacheControl: string,
): Promise<Response> {
  const isPacked = TAKES_GZIP.test(c.req.header('accept-encoding') ?? '');
  return c.body(isPacked ? await packed() : plain, 200, {
    'Content-Type': type,
    'Content-Security-Policy': POLICY,
    'Cache-Control': cacheControl,
    Vary: 'Accept-Encoding',
    ...(isPacked ? { 'Content-Encoding': 'gzip' } : {}),
  });
}
