/** Looks for values in what stores keep, in the encodings by which a value may get there. */
import type { Redis } from 'ioredis';
import type { TestDatabase } from '../../database.ts';

/** The parts of base64 that the bytes have at any offset: a value in the middle of a longer text is found, too. */
function base64Of(value: string): string[] {
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]).toString('base64');
    return text.slice(
      Math.ceil((offset * 4) / 3),
      Math.floor(((offset + value.length) * 4) / 3) - 1,
    );
  });
}

/** Encodings by which a value is looked for; texts of bytes have a character for each byte. */
export const encodingsOf = (value: string): string[] => [
  value,
  Buffer.from(value).toString('latin1'),
  Buffer.from(value, 'utf16le').toString('latin1'),
  Buffer.from(value, 'utf16le').swap16().toString('latin1'),
  ...base64Of(value),
  ...base64Of(value).map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  Buffer.from(value).toString('hex'),
  encodeURIComponent(value),
  JSON.stringify(value).slice(1, -1),
  asciiJson(value),
];
/** JSON without characters beyond ASCII, as V8 writes its heap. */
const asciiJson = (value: string) =>
  JSON.stringify(value)
    .slice(1, -1)
    .replace(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** @returns the values that the text has, each in any encoding */
export function findIn(text: string, values: readonly string[]): string[] {
  const lower = text.toLowerCase();
  return values.filter((value) =>
    encodingsOf(value).some((one) => text.includes(one) || lower.includes(one.toLowerCase())),
  );
}

/** All rows of all tables of the market, as a dump has them. */
export async function dumpTables({ sql }: Pick<TestDatabase, 'sql'>): Promise<string> {
  const tables = await sql<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c
      where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace`,
  );
  const dumped: string[] = [];
  for (const { name } of tables) {
    const rows = await sql<{ row: string }>(`select t::text as row from ${name} t`);
    dumped.push(name, ...rows.map(({ row }) => row));
  }
  return dumped.join('\n');
}

/** All keys and values of a Redis; bytes that are no UTF-8 stay as they are. */
export async function dumpKeys(redis: Redis): Promise<string> {
  const dumped: Buffer[] = [];
  const add = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) add(one);
    else if (value !== null)
      dumped.push(Buffer.isBuffer(value) ? value : Buffer.from(String(value)));
  };
  for (const key of await redis.keysBuffer('*')) {
    add(key);
    const type = await redis.type(key);
    if (type === 'string') add(await redis.getBuffer(key));
    if (type === 'hash') add(await redis.callBuffer('hgetall', [key]));
    if (type === 'list') add(await redis.lrangeBuffer(key, 0, -1));
    if (type === 'set') add(await redis.smembersBuffer(key));
    if (type === 'zset') add(await redis.zrangeBuffer(key, '0', '-1'));
    if (type === 'stream') add(await redis.xrangeBuffer(key, '-', '+'));
  }
  return Buffer.concat(dumped.flatMap((one) => [one, Buffer.from('\n')])).toString('latin1');
}
