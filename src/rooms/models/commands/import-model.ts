/** `risk models import`: a file is checked whole, then stored in one statement, or refused with the reason. */
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { UsageError } from '../../../kit/command/command.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { createRandom } from '../../../kit/random.ts';
import { DESCRIBED, issueText } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { jsonPointer } from '../../../kit/words/field-error.ts';
import type { Officer } from '../../../kit/words/principal.ts';
import { type ModelManifest, modelManifestSchema, modelName } from '../manifest.ts';
import { MODEL_BYTES_MAX } from '../model/bounds.ts';
import { describeModel } from '../registry/check-model.ts';
import { registerModel } from '../registry/register-model.ts';

/** A thousand vectors of a thousand features, as text. */
const MANIFEST_BYTES_MAX = 32 * 1024 * 1024;

export type Import = {
  readonly path: string;
  /** Path of the manifest; by default `PATH.manifest.json` where that exists. */
  readonly manifestPath: string | undefined;
  /** `name@version`; for a file without a manifest. */
  readonly name: string | undefined;
  readonly by: Officer;
  readonly nowMs: number;
};

type Imported = { readonly manifest: ModelManifest; readonly isNew: boolean };

/** @throws Failure that says why the model is refused; then nothing of it is registered */
export async function importModel(database: Database, request: Import): Promise<Imported> {
  const artefact = await readBounded(request.path, MODEL_BYTES_MAX);
  if (artefact === undefined) refuse(request.path, 'there is no such file');
  const given = await readManifest(request);
  if (given !== undefined && request.name !== undefined && request.name !== given.model) {
    throw new UsageError(`the manifest names it ${given.model}, not ${request.name}`);
  }
  const manifest =
    given ?? describeModel(artefact, request.name ?? nameOf(request), createRandom('golden'));
  const isNew = await registerModel(database, {
    ...{ artefact, manifest, by: request.by },
    goldenSource: given === undefined ? 'import' : 'manifest',
  });
  return { manifest, isNew };
}

async function readManifest(request: Import): Promise<ModelManifest | undefined> {
  const path = request.manifestPath ?? `${request.path}.manifest.json`;
  const bytes = await readBounded(path, MANIFEST_BYTES_MAX);
  if (bytes === undefined) {
    return request.manifestPath === undefined ? undefined : refuse(path, 'there is no such file');
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return refuse(path, 'is no JSON');
  }
  const parsed = modelManifestSchema.safeParse(value, DESCRIBED);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) return refuse(path, 'is no manifest');
  return refuse(path, `${jsonPointer(issue.path) || 'the manifest'} ${issueText(issue)}`);
}

/** `fraud.json` imported on 20 November is `fraud@2026-11-20`. */
function nameOf({ path, nowMs }: Import): string {
  const stem = basename(path)
    .toLowerCase()
    .replace(/\.(json|txt)$/, '')
    .replaceAll(/[^a-z0-9-]+/g, '-');
  const parsed = modelName.safeParse(`${stem}@${new Date(nowMs).toISOString().slice(0, 10)}`);
  if (!parsed.success) throw new UsageError('no name follows from the file; say --name');
  return parsed.data;
}

/** Undefined where there is no file. A file that is too large is not read. */
async function readBounded(path: string, bytesMax: number): Promise<Buffer | undefined> {
  try {
    await using file = await open(path, 'r');
    const stat = await file.stat();
    if (!stat.isFile()) refuse(path, 'is no file');
    if (stat.size > bytesMax) refuse(path, `${stat.size} bytes, at most ${bytesMax}`);
    return await file.readFile();
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    return refuse(path, error instanceof Error ? error.message : String(error));
  }
}

function refuse(path: string, why: string): never {
  throw new Failure('invalid', 'MODEL_INVALID', `${path}: ${why}`);
}
