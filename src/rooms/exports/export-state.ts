/**
 * How far an export has come on this machine, beside its output: the command begins there after a stop. It is replaced as a whole,
 * so it is never half written.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { Failure } from '../../kit/words/failure.ts';

const stateSchema = z.object({
  /** The parameters: another question is another export. */
  question: z.record(z.string(), z.string()),
  /** Transaction id of the last whole row; absent before the first. */
  after: z.string().optional(),
  rows: z.int().min(0),
  /** Bytes of whole rows in the partial file. */
  bytes: z.int().min(0),
  /** Parquet files that are whole. */
  parts: z.int().min(0),
});
export type ExportState = z.infer<typeof stateSchema>;

/** The state of an export that has no row yet. */
export const beginState = (question: ExportState['question']): ExportState => ({
  ...{ question, rows: 0, bytes: 0, parts: 0 },
});

const pathOf = (output: string) => `${output}.state`;

/** @throws Failure for the state of another question */
export async function readExportState(
  output: string,
  question: ExportState['question'],
): Promise<ExportState> {
  const path = pathOf(output);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Failure('invalid', 'EXPORT_STATE_UNREADABLE', error.message);
  });
  if (text === undefined) return beginState(question);
  const state = parse(text);
  // A state without rows has nothing to lose: its question may have been refused.
  if (state?.rows === 0) return beginState(question);
  if (state !== undefined && isSame(state.question, question)) return state;
  throw new Failure(
    'invalid',
    'EXPORT_STATE_OF_ANOTHER',
    `${path} belongs to an export with other options: remove it to begin anew`,
  );
}

export async function writeExportState(output: string, state: ExportState): Promise<void> {
  const partial = `${pathOf(output)}.partial`;
  await writeFile(partial, `${JSON.stringify(state)}\n`);
  await rename(partial, pathOf(output));
}

export async function removeExportState(output: string): Promise<void> {
  await rm(pathOf(output), { force: true });
}

function isSame(one: ExportState['question'], other: ExportState['question']): boolean {
  const sorted = (question: ExportState['question']) =>
    JSON.stringify(Object.entries(question).sort());
  return sorted(one) === sorted(other);
}

function parse(text: string): ExportState | undefined {
  try {
    return stateSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
