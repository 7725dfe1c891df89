/**
 * Receives webhooks (docs/webhooks.md), checks who sent them, and counts the verdicts that they list, each event once:
 *
 *   bin/risk-dev docs/examples/receive-webhooks.ts PORT DATABASE_URL SECRET…
 *
 * While a secret is rotated give the old one and the new one. It answers after the commit: an event whose answer was lost
 * comes again under the same id, and the statement that does the work also keeps the ids, so nothing is done twice.
 * Put TLS in front of it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import pg from 'pg';

const BODY_BYTES_MAX = 256 * 1024;
/** An older event may be one that somebody recorded and sends again. */
const AGE_SECONDS_MAX = 300;

const TABLES = `
  create table if not exists handled_events (event_id text primary key, handled_at timestamptz not null default now());
  create table if not exists verdict_counts (verdict text primary key, transactions bigint not null)`;

const COUNT_ONCE = `
  with fresh as (
    insert into handled_events (event_id) values ($1) on conflict do nothing returning event_id
  )
  insert into verdict_counts (verdict, transactions)
  select verdict, count(*) from fresh cross join unnest($2::text[]) as decided (verdict) group by verdict order by verdict
  on conflict (verdict) do update set transactions = verdict_counts.transactions + excluded.transactions`;

const header = (headers: IncomingHttpHeaders, name: string) => String(headers[name] ?? '');

/** Whether one of the signatures is one of ours: of the id, the time and the body, as they were sent. */
function isSigned(secrets: readonly string[], headers: IncomingHttpHeaders, body: Buffer): boolean {
  const [id, timestamp] = [header(headers, 'webhook-id'), header(headers, 'webhook-timestamp')];
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > AGE_SECONDS_MAX) return false;
  const given = header(headers, 'webhook-signature')
    .split(' ')
    .flatMap((one) => (one.startsWith('v1,') ? Buffer.from(one.slice(3), 'base64') : []));
  return secrets.some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    const own = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
    return given.some((one) => one.length === own.length && timingSafeEqual(one, own));
  });
}

/** Undefined where it is too long. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function main(port = '', databaseUrl = '', ...secrets: string[]) {
  const database = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  await database.query(TABLES);
  /** Resolves to the status of the answer; 2xx alone means: do not send it again. */
  const receive = async (request: IncomingMessage): Promise<number> => {
    const body = await readBody(request);
    if (body === undefined) return 413;
    if (!isSigned(secrets, request.headers, body)) return 401;
    const { type, data } = JSON.parse(body.toString());
    if (type === 'transaction.decided') {
      const verdicts = data.decisions.map(({ verdict }: { verdict: string }) => verdict);
      await database.query(COUNT_ONCE, [header(request.headers, 'webhook-id'), verdicts]);
    }
    return 204;
  };
  const server = http.createServer((request, response) => {
    receive(request).then(
      (status) => response.writeHead(status).end(),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'));
  process.once('SIGTERM', () => {
    server.close(() => void database.end());
    server.closeIdleConnections();
  });
}

await main(...process.argv.slice(2));
