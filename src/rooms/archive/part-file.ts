/** A file of an archive: rows of a table as Parquet with ZSTD, encrypted as a whole. Each cell is a text of Postgres. */
import { createHmac, hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type Compressors, parquetRead, type SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { KEY_BYTES, NONCE_BYTES, seal, unseal } from '../../kit/access/seal.ts';
import { UsageError } from '../../kit/command/command.ts';
import { Failure } from '../../kit/words/failure.ts';

/** Rows of a row group. Larger: a reader of the file holds more in memory; smaller: files are larger. */
const GROUP_ROWS = 10_000;
const MAGIC = Buffer.from('RISKARC1');

const COMPRESSORS = { ZSTD: zstdCompressSync };
const toPage = (bytes: Uint8Array) => zstdDecompressSync(bytes);
const DECOMPRESSORS: Compressors = { ZSTD: toPage };

export type Cells = readonly (string | null)[];

/** @throws Failure where the file has no key */
export async function readKey(path: string): Promise<Buffer> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new Failure('invalid', 'KEY_UNREADABLE', error.message);
  });
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === KEY_BYTES) return key;
  const why = `${path} must have base64 of ${KEY_BYTES} bytes, as \`openssl rand -base64 ${KEY_BYTES}\` makes them`;
  throw new Failure('invalid', 'KEY_WRONG', why);
}

export const KEY_OPTIONS = {
  '--key FILE': 'File with base64 of 32 bytes (`openssl rand -base64 32`): keep it elsewhere',
} as const;

/** Reads the key, or null for an archive that is explicitly unencrypted. */
export async function keyOption(
  path: string | undefined,
  isPlain: boolean,
): Promise<Buffer | null> {
  if (path !== undefined && !isPlain) return await readKey(path);
  if (path === undefined && isPlain) return null;
  throw new UsageError('give --key FILE, or --unencrypted');
}

export async function toParquet(names: readonly string[], rows: readonly Cells[]): Promise<Buffer> {
  const writer = new ByteWriter();
  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' } as const;
  const schema: SchemaElement[] = [
    { name: 'rows', num_children: names.length },
    ...names.map((name) => ({ name, ...text })),
  ];
  const file = new ParquetWriter({
    writer,
    schema,
    codec: 'ZSTD',
    compressors: COMPRESSORS,
  });
  const columnData = names.map((name, at) => ({
    name,
    data: rows.map((row) => row[at] ?? null),
  }));
  await file.write({ columnData, rowGroupSize: GROUP_ROWS });
  await file.finish();
  return Buffer.from(writer.getBuffer());
}

export async function fromParquet(bytes: Buffer): Promise<Cells[]> {
  const rows: Cells[] = [];
  await parquetRead({
    file: new Uint8Array(bytes).buffer,
    compressors: DECOMPRESSORS,
    onComplete: (all) => {
      for (const row of all) rows.push(row.map(cellOf));
    },
  });
  return rows;
}

const cellOf = (cell: unknown): string | null => (typeof cell === 'string' ? cell : null);

/**
 * Encrypts a file. The nonce follows from key, name and bytes, so the same rows make the same file, and files share no nonce.
 * @param name of the file, so that no file can stand for another file
 */
export function sealFile(key: Buffer, bytes: Buffer, name: string): Buffer {
  const nonce = createHmac('sha256', key)
    .update(`nonce\n${name}\n${sha256(bytes)}`)
    .digest()
    .subarray(0, NONCE_BYTES);
  return Buffer.concat([MAGIC, seal(key, bytes, name, nonce)]);
}

/** @throws Failure where the key is wrong, or the bytes have changed */
export function unsealFile(key: Buffer, bytes: Buffer, name: string): Buffer {
  const opened = unseal(key, bytes.subarray(MAGIC.length), name);
  if (opened !== undefined) return opened;
  throw new Failure('invalid', 'SEALED', `${name}: the key is wrong, or the bytes have changed`);
}

export const sha256 = (bytes: Buffer | string) => hash('sha256', bytes, 'hex');

/** Hashes a row as `readContent` in export-table.ts does: the first eight bytes of MD5 over cells with their lengths. */
export function hashRow(cells: Cells): bigint {
  let text = '';
  for (const cell of cells) text += cell === null ? '~' : `${Buffer.byteLength(cell)}:${cell}`;
  return hash('md5', text, 'buffer').readBigInt64BE(0);
}
