/** Registered models: artefact, golden vectors, lineage. Rows are written once. */
import { hash } from 'node:crypto';
import { float8Array } from '../../../kit/database/binary-array.ts';
import { sqlStateOf, UNIQUE_VIOLATION } from '../../../kit/database/pg-failure.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { ModelLineage, ModelManifest } from '../manifest.ts';
import { type ModelReference, readReference } from '../model-reference.ts';

type Queries = Pick<Database, 'query'>;

/** manifest: the vectors came with the model; import: they were recorded at its import. */
export type GoldenSource = 'manifest' | 'import';

type NewModel = {
  readonly manifest: ModelManifest;
  readonly format: string;
  readonly artefact: Uint8Array;
  readonly golden: {
    readonly inputs: { readonly values: Float64Array };
    readonly margins: Float64Array;
    readonly probabilities: Float64Array;
  };
  readonly goldenSource: GoldenSource;
  readonly createdBy: string;
};

/** A model without its large columns. */
export type StoredModel = {
  readonly modelId: string;
  readonly model: string;
  readonly format: string;
  readonly artefactBytes: number;
  readonly featureSchema: number;
  readonly features: number;
  readonly goldenVectors: number;
  readonly goldenSource: GoldenSource;
  readonly createdAt: Date;
  readonly createdBy: string;
};

type ModelContent = {
  readonly artefact: Buffer;
  readonly manifest: ModelManifest;
};

const insertStatement = {
  name: 'insert-model',
  text: `insert into market.models (model_id, model, format, artefact, feature_schema, feature_names, golden_inputs,
             golden_margins, golden_probabilities, golden_source, trained_from, trained_to, known_by,
             code_version, parent, card, created_by, calibration)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
};

/** False when the file, or another one of that name, is registered already. */
export async function insertModel(database: Queries, model: NewModel): Promise<boolean> {
  const { manifest, golden } = model;
  const { trained, code_version, parent } = manifest.lineage;
  try {
    await database.query(insertStatement, [
      ...[manifest.sha256, manifest.model, model.format, Buffer.from(model.artefact)],
      ...[manifest.feature_schema, manifest.feature_names],
      ...[golden.inputs.values, golden.margins, golden.probabilities].map(float8Array),
      model.goldenSource,
      ...[trained?.from ?? null, trained?.to ?? null, trained?.known_by ?? null],
      ...[code_version, parent, manifest.card, model.createdBy, manifest.calibration],
    ]);
    return true;
  } catch (error) {
    if (sqlStateOf(error) === UNIQUE_VIOLATION) return false;
    throw error;
  }
}

const HEAD = `model_id as "modelId", model, format, octet_length(artefact) as "artefactBytes",
              feature_schema as "featureSchema", cardinality(feature_names) as features,
              cardinality(golden_margins) as "goldenVectors", golden_source as "goldenSource",
              created_at as "createdAt", created_by as "createdBy"`;

const listStatement = {
  name: 'list-models',
  text: `select ${HEAD} from market.models where model > $1 order by model limit $2`,
};

/** A page of models after a name. */
export async function listModels(
  database: Queries,
  afterModel: string,
  limit: number,
): Promise<StoredModel[]> {
  return await database.query<StoredModel>(listStatement, [afterModel, limit]);
}

const findStatement = {
  name: 'find-model',
  text: `select ${HEAD} from market.models where model_id = $1 or model = $1`,
};

/** @param reference SHA-256 or `name@version` */
export async function findModel(
  database: Queries,
  reference: string,
): Promise<StoredModel | undefined> {
  const [row] = await database.query<StoredModel>(findStatement, [reference]);
  return row;
}

const LINEAGE = `trained_from::text as trained_from, trained_to::text as trained_to, known_by, code_version,
                 parent`;

type LineageRow = Pick<ModelLineage, 'code_version' | 'parent'> & {
  readonly trained_from: string | null;
  readonly trained_to: string | null;
  readonly known_by: Date | null;
};

function lineageOf(row: LineageRow): ModelLineage {
  const { trained_from, trained_to, known_by, code_version, parent } = row;
  const trained =
    trained_from === null || trained_to === null || known_by === null
      ? null
      : { from: trained_from, to: trained_to, known_by: known_by.toISOString() };
  return { trained, code_version, parent };
}

/** The parts of a manifest that are shown to people. */
type ModelDescription = Pick<ModelManifest, 'feature_names' | 'lineage' | 'card'>;

const describeStatement = {
  name: 'describe-model',
  text: `select feature_names, card, ${LINEAGE} from market.models where model_id = $1`,
};

/** Reads a registered model without its artefact, which may have many MiB. */
export async function readDescription(
  database: Queries,
  modelId: string,
): Promise<ModelDescription> {
  type Row = LineageRow & Pick<ModelManifest, 'feature_names' | 'card'>;
  const [row] = await database.query<Row>(describeStatement, [modelId]);
  if (row === undefined) throw new Error(`no model ${modelId}`);
  return { feature_names: row.feature_names, lineage: lineageOf(row), card: row.card };
}

const readStatement = {
  name: 'read-model',
  text: `select model, artefact, feature_schema, feature_names, golden_inputs, golden_margins,
                golden_probabilities, card, calibration, ${LINEAGE}
           from market.models where model_id = $1`,
};

type ContentRow = Pick<
  ModelManifest,
  'model' | 'feature_schema' | 'feature_names' | 'card' | 'calibration'
> &
  LineageRow & {
    readonly artefact: Buffer;
    readonly golden_inputs: number[];
    readonly golden_margins: number[];
    readonly golden_probabilities: number[];
  };

/** Artefact and manifest of a model that is registered. @throws Failure `MODEL_CORRUPT` */
export async function readModel(database: Queries, modelId: string): Promise<ModelContent> {
  const [row] = await database.query<ContentRow>(readStatement, [modelId]);
  if (row === undefined) throw new Error(`no model ${modelId}`);
  const sha256 = hash('sha256', row.artefact, 'hex');
  if (sha256 !== modelId) {
    throw new Failure(
      'permanent',
      'MODEL_CORRUPT',
      `the artefact of ${row.model} hashes to ${sha256}`,
    );
  }
  const manifest = {
    ...{ model: row.model, sha256: modelId },
    ...{ feature_schema: row.feature_schema, feature_names: row.feature_names },
    calibration: row.calibration,
    golden_vectors: goldenVectorsOf(row),
    lineage: lineageOf(row),
    card: row.card,
  };
  return { artefact: row.artefact, manifest };
}

function goldenVectorsOf(row: ContentRow): ModelManifest['golden_vectors'] {
  const features = row.feature_names.length;
  return row.golden_margins.map((margin, at) => ({
    inputs: row.golden_inputs
      .slice(at * features, (at + 1) * features)
      .map((value) => (Number.isNaN(value) ? null : value)),
    margin,
    probability: row.golden_probabilities[at] ?? Number.NaN,
  }));
}

const referencesStatement = {
  name: 'read-model-references',
  text: `select model, jsonb_build_object('reference', card -> 'reference') as card
           from market.models where model = any ($1::text[])`,
};

/** References that later traffic is compared with, by name of the models whose card has one. */
export async function readReferences(
  { query }: Queries,
  names: readonly string[],
): Promise<Map<string, ModelReference>> {
  const rows = await query<Pick<ModelManifest, 'model' | 'card'>>(referencesStatement, [names]);
  return new Map(
    rows.flatMap(({ model, card }) => {
      const reference = readReference(card);
      return reference === undefined ? [] : [[model, reference] as const];
    }),
  );
}
