/** Registered models: artefact, golden vectors, lineage. Rows are written once. */
import { createHash } from 'node:crypto';
import { version as nodeVersion } from 'node:process';
import { float8Array } from '../../../kit/database/binary-array.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { createPauses } from '../../../kit/process/pauses.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { VISIBLE_ASCII } from '../../../kit/words/plain-text.ts';
import type { ModelManifest } from '../manifest.ts';
import { type ModelJson, type ModelReference, readReference } from '../model-record.ts';

type Queries = Pick<Database, 'query'>;

/** manifest: the vectors came with the model; import: they were recorded at its import. */
export type GoldenSource = 'manifest' | 'import';

type NewModel = {
  readonly manifest: ModelManifest;
  readonly format: string;
  readonly artefact: Uint8Array;
  readonly goldenSource: GoldenSource;
  readonly createdBy: string;
};

/** A model without its large columns. */
export type StoredModel = Omit<ModelJson, 'created_at' | 'does' | 'corridors'> & {
  readonly created_at: Date;
};

const insertStatement: Statement = {
  name: 'insert-model',
  text: `insert into market.models (model_id, model, format, artefact, feature_schema, feature_names, golden_inputs,
             golden_margins, golden_probabilities, golden_source, trained_from, trained_to, known_by,
             code_version, parent, card, created_by, calibration)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         on conflict do nothing returning 1 as inserted`,
};

/** False when the file, or another one of that name, is registered already. */
export async function insertModel(
  database: Queries,
  { manifest, format, artefact, goldenSource, createdBy }: NewModel,
): Promise<boolean> {
  const { trained, code_version, parent } = manifest.lineage;
  const golden = manifest.golden_vectors;
  const inserted = await database.query(insertStatement, [
    manifest.sha256,
    manifest.model,
    format,
    Buffer.from(artefact),
    manifest.feature_schema,
    manifest.feature_names,
    float8Array(golden.flatMap(({ inputs }) => inputs.map((value) => value ?? Number.NaN))),
    float8Array(golden.map(({ margin }) => margin)),
    float8Array(golden.map(({ probability }) => probability)),
    goldenSource,
    trained?.from ?? null,
    trained?.to ?? null,
    trained?.known_by ?? null,
    code_version,
    parent,
    manifest.card,
    createdBy,
    manifest.calibration,
  ]);
  return inserted.length > 0;
}

const HEAD = `model_id, model, format, octet_length(artefact) as artefact_bytes, feature_schema,
              cardinality(feature_names) as features, cardinality(golden_margins) as golden_vectors, golden_source,
              created_at, created_by`;

/** A page of models after a name. */
export const listModels = rowsOf<StoredModel, [afterModel: string, limit: number]>(
  'list-models',
  `select ${HEAD} from market.models where model > $1 order by model limit $2`,
);

/** By SHA-256 or `name@version`. */
export const findModel = firstOf<StoredModel, [reference: string]>(
  'find-model',
  `select ${HEAD} from market.models where model_id = $1 or model = $1`,
);

/**
 * @param reference SHA-256 or `name@version`
 * @throws Failure `MODEL_UNKNOWN`
 */
export async function findKnown({ query }: Queries, reference = ''): Promise<StoredModel> {
  // A SHA-256 and a name hold printable ASCII only; Postgres refuses a NUL.
  const model = VISIBLE_ASCII.test(reference) ? await findModel(query, reference) : undefined;
  if (model !== undefined) return model;
  throw new Failure('not-found', 'MODEL_UNKNOWN', `no model is registered as ${given(reference)}`);
}

const LINEAGE = `jsonb_build_object(
    'trained', case when trained_from is not null then jsonb_build_object('from', trained_from, 'to', trained_to,
      'known_by', to_char(known_by at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) end,
    'code_version', code_version, 'parent', parent) as lineage`;

/** The parts of a manifest that are shown to people. */
type ModelDescription = Pick<ModelManifest, 'feature_names' | 'lineage' | 'card'>;

/** Reads a registered model without its artefact, which may have many MiB. */
export const readDescription = onlyOf<ModelDescription, [modelId: string]>(
  'describe-model',
  `select feature_names, card, ${LINEAGE} from market.models where model_id = $1`,
);
const READ = `select golden_inputs, golden_margins, golden_probabilities,
                model, model_id as sha256, feature_schema, feature_names, calibration, card, ${LINEAGE}
           from market.models where model_id = $1`;

type GoldenColumns = {
  readonly golden_inputs: readonly number[];
  readonly golden_margins: readonly number[];
  readonly golden_probabilities: readonly number[];
};
type ContentRow = Omit<ModelManifest, 'golden_vectors'> & GoldenColumns;

const readContent = onlyOf<ContentRow, [modelId: string]>('read-model', READ);

/** Larger: the driver reads a piece of hexadecimal digits for longer than 10 ms. Smaller: more rows. */
const PIECE_BYTES = 1024 * 1024;
/** Concatenation unpacks the file once, where each part of a packed column would unpack all before it. */
const readPieces = rowsOf<{ nth: number; piece: Buffer }, [modelId: string]>(
  'read-model-file',
  `select nth, substring(m.bytes from nth * ${PIECE_BYTES} + 1 for ${PIECE_BYTES}) as piece
     from (select artefact || ''::bytea as bytes from market.models where model_id = $1 offset 0) m
    cross join lateral generate_series(0, (octet_length(m.bytes) - 1) / ${PIECE_BYTES}) nth`,
);

/** Artefact, in memory that threads share, and manifest of a model that is registered. @throws Failure `MODEL_CORRUPT` */
export async function readModel(
  { query }: Queries,
  modelId: string,
): Promise<{ readonly artefact: Uint8Array; readonly manifest: ModelManifest }> {
  const row = await readContent(query, modelId);
  const { golden_inputs, golden_margins, golden_probabilities, ...manifest } = row;
  const pieces = await readPieces(query, modelId);
  const bytes = pieces.reduce((sum, { piece }) => sum + piece.byteLength, 0);
  const artefact = new Uint8Array(new SharedArrayBuffer(bytes));
  const digest = createHash('sha256');
  const pause = createPauses();
  for (const { nth, piece } of pieces.sort((a, b) => a.nth - b.nth)) {
    artefact.set(piece, nth * PIECE_BYTES);
    digest.update(piece);
    await pause();
  }
  const sha256 = digest.digest('hex');
  if (sha256 !== modelId) {
    const why = `the artefact of ${manifest.model} hashes to ${sha256}`;
    throw new Failure('permanent', 'MODEL_CORRUPT', why);
  }
  const features = manifest.feature_names.length;
  const golden_vectors = golden_margins.map((margin, at) => ({
    inputs: golden_inputs
      .slice(at * features, (at + 1) * features)
      .map((value) => (Number.isNaN(value) ? null : value)),
    margin,
    probability: golden_probabilities[at] ?? Number.NaN,
  }));
  return { artefact, manifest: { ...manifest, golden_vectors } };
}

const readCards = rowsOf<Pick<ModelManifest, 'model' | 'card'>, [names: readonly string[]]>(
  'read-model-references',
  `select model, jsonb_build_object('reference', card -> 'reference') as card
     from market.models where model = any ($1::text[])`,
);

/** References that later traffic is compared with, by name of the models whose card has one. */
export async function readReferences(
  query: Query,
  names: readonly string[],
): Promise<Map<string, ModelReference>> {
  const rows = await readCards(query, names);
  return new Map(
    rows.flatMap(({ model, card }) => {
      const reference = readReference(card);
      return reference === undefined ? [] : [[model, reference] as const];
    }),
  );
}

const DETAIL_CHARS_MAX = 1024;

const insertCheckStatement: Statement = {
  name: 'insert-model-check',
  text: `insert into market.model_checks (model_id, process, node_version, passed, detail)
         values ($1, $2, $3, $4, $5)`,
};

/**
 * Records that a process proved or refused a model.
 * @param process its name in its log
 * @param problem null: the model passed
 */
export async function insertModelCheck(
  database: Queries,
  modelId: string,
  process: string,
  problem: string | null,
): Promise<void> {
  const detail = problem?.slice(0, DETAIL_CHARS_MAX) ?? null;
  const values = [modelId, process, nodeVersion, problem === null, detail];
  await database.query(insertCheckStatement, values);
}
