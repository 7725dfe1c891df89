/** `risk evidence …`: exports bundles, computes their scores again, checks the log, and makes its keys. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Reason, VERDICTS } from '../../core/domain/score-record.ts';
import { createdAtMsOf } from '../../core/domain/transaction.ts';
import type { Models, OpenModels } from '../../core/score/judge.ts';
import { judgedVector } from '../../core/score/scorecard/judge-by-table.ts';
import { verifyScore } from '../../core/score/verify-score.ts';
import { findStoredRuleSet } from '../../core/store/rule-sets/rule-sets.ts';
import { findTableOf } from '../../core/store/scorecards/find-tables.ts';
import { toVector } from '../../core/store/scores/score-values.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import { type Command, EXIT } from '../../kit/command/command.ts';
import { readText } from '../../kit/command/data-file.ts';
import { commandOf, written } from '../../kit/command/rows.ts';
import { byCommand, openCommandDatabase } from '../../kit/command/stores.ts';
import type { Database } from '../../kit/database/pool.ts';
import { inSnapshot } from '../../kit/database/snapshot.ts';
import { Failure, toError } from '../../kit/words/failure.ts';
import { checkLog } from './check/check.ts';
import { type SigningKey, toSigningKey, verifierKey } from './log/checkpoint.ts';
import { proveGap, proveScore } from './prove.ts';
import { openCheckpointBucket } from './seal/bucket.ts';
import { readPublished } from './seal/published.ts';
import { originOf, publishedFile, signingKeys } from './settings.ts';
import { readNewestLog } from './store/evidence-log.ts';

const FILE_BYTES_MAX = 1024 * 1024;
const CHECK_OPTIONS = {
  '--seen FILE': 'Also compare the checkpoint in FILE, which a reader has kept',
} as const;

const PROVES = 'Print the bundle that proves a score, or a gap by its beginning';
const exportBundle = written('ID', PROVES, {}, async ({ words: [id = ''] }, context) => {
  await using database = openCommandDatabase(context, 'evidence');
  const isGap = id.includes(':');
  const bundle = isGap
    ? await proveGap(database, id)
    : await proveScore(database, id.toLowerCase());
  if (typeof bundle === 'string') {
    const why = bundle === 'unknown' ? 'is not known' : 'is in no signed checkpoint yet';
    const what = isGap ? 'the gap from' : 'the score';
    throw new Failure('invalid', 'EVIDENCE_ABSENT', `${what} ${id} ${why}`);
  }
  context.output.value(bundle, [JSON.stringify(bundle)]);
});

const proofsSchema = z.object({ proofs: z.array(z.object({ content: z.string() })).min(1) });

const COMPUTES = 'Compute the score of a bundle again, bit for bit';
const recomputeBundle = (openModels: OpenModels) =>
  written('BUNDLE', COMPUTES, {}, async ({ words: [path = ''] }, context) => {
    const text = await readText(path, FILE_BYTES_MAX);
    await using database = openCommandDatabase(context, 'evidence', { connectionsMax: 2 });
    const models = await openModels({ primary: database, replica: null, now: Date.now });
    const contents = contentsOf(path, text);
    const found = await recompute(database, models, contents).catch((error: unknown) => {
      throw error instanceof z.ZodError ? unreadable(path, error) : error;
    });
    const isSame = found.different.length === 0;
    const said = isSame ? 'the same, bit for bit' : `differs in ${found.different.join(', ')}`;
    context.output.value(found, [`score ${found.id}: ${said}`]);
    return isSame ? EXIT.fine : EXIT.failed;
  });

function contentsOf(path: string, text: string): unknown[] {
  try {
    const { proofs } = proofsSchema.parse(JSON.parse(text));
    return proofs.map(({ content }) => JSON.parse(content) as unknown);
  } catch (error) {
    throw unreadable(path, error);
  }
}

const unreadable = (path: string, cause: unknown) =>
  new Failure('invalid', 'FILE_INVALID', `${path} is no bundle of a score`, { cause });

const COMPARES = 'Compare the whole log with its rows and with published checkpoints';
const check = written('', COMPARES, CHECK_OPTIONS, async ({ values }, context) => {
  const { config, output, signal } = context;
  const seen = values.seen === undefined ? undefined : await readText(values.seen, FILE_BYTES_MAX);
  await using database = openCommandDatabase(context, 'evidence', { connectionsMax: 2 });
  // Published checkpoints are read first, as they are published before the database has them. The settings name them, as the owner of
  // the database may begin a log of another name.
  const newest = await readNewestLog(database.query);
  const published = async (read: (origin?: string) => Promise<string | undefined> | undefined) =>
    (await read()) ?? (newest && (await read(newest.origin)));
  const file = await published((origin) => readPublished(publishedFile(config, origin)));
  const bucket = await published((origin) => openCheckpointBucket(config, origin)?.read());
  const signers = signingKeys(config);
  const checked = await inSnapshot(database, async (query) => {
    const log = await readNewestLog(query);
    if (log === undefined) {
      const begin = 'a worker with RISK_EVIDENCE_KEYS begins it';
      throw new Failure('invalid', 'EVIDENCE_ABSENT', `no log was begun: ${begin}`);
    }
    return await checkLog(query, log, { file, bucket, seen, keys: signers }, signal);
  });
  const { findings, ...counted } = checked;
  const { origin, from, leaves, scores, away, lines, count } = counted;
  // Without a finding, a check that compared nothing published says less than one that did.
  const compared = Object.entries({ file, bucket, seen }).flatMap(([name, text]) =>
    text === undefined ? [] : [name],
  );
  const figures = { ...counted, compared, signatures_checked: signers.length > 0 };
  await database.transaction((query) =>
    recordChange(query, byCommand('evidence check'), {
      action: 'verification.end',
      subject: 'evidence',
      before: null,
      after: { ...figures, findings: findings.map(({ attack, what }) => `${attack}: ${what}`) },
    }),
  );
  output.value({ ...figures, findings }, [
    ...findings.map(({ attack, what }) => `${attack}: ${what}`),
    ...((file ?? bucket) === undefined
      ? [`no published checkpoint was compared: ${publishedFile(config)} has none`]
      : []),
    ...(signers.length === 0 ? ['signatures were not checked: RISK_EVIDENCE_KEYS is not set'] : []),
    ...(away > 0 ? [`${away} scores of detached, cold or dropped months were not compared`] : []),
    `origin=${origin} from=${from} leaves=${leaves} scores=${scores} lines=${lines} findings=${count}`,
  ]);
  return count === 0 ? EXIT.fine : EXIT.failed;
});

const MAKES = 'Print the verifier keys of RISK_EVIDENCE_KEYS, or make keys in a folder';
const keys = written('[FOLDER]', MAKES, {}, async ({ words: [folder] }, { config, output }) => {
  const origin = originOf(config);
  const made = folder === undefined ? undefined : await makeKeys(folder);
  if (made === undefined && config.RISK_EVIDENCE_KEYS === undefined) {
    const hint = 'set it, or name a folder in which keys are made';
    throw new Failure('invalid', 'KEYS_ABSENT', `RISK_EVIDENCE_KEYS is not set: ${hint}`);
  }
  const own = made === undefined ? signingKeys(config) : made.map(({ key }) => key);
  const verifiers = own.map((key) => verifierKey(origin, key));
  const setting = made?.map(({ path }) => path).join(',');
  output.value({ keys: verifiers, ...(setting && { setting }) }, [
    ...(setting === undefined ? [] : [`# RISK_EVIDENCE_KEYS=${setting}`]),
    ...verifiers,
  ]);
});

type Made = { readonly path: string; readonly key: SigningKey };

/** Makes keys, and never replaces a file: a log that a lost key signed cannot go on. */
async function makeKeys(folder: string): Promise<Made[]> {
  await mkdir(folder, { recursive: true });
  const pairs: [string, KeyObject][] = [
    ['ed25519.pem', generateKeyPairSync('ed25519').privateKey],
    ['ml-dsa-44.pem', generateKeyPairSync('ml-dsa-44').privateKey],
  ];
  const made: Made[] = [];
  for (const [name, key] of pairs) {
    const path = join(folder, name);
    const pem = key.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(path, pem, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
      const why = `no key is made: ${toError(error).message}`;
      throw new Failure('conflict', 'KEY_EXISTS', why, { cause: error });
    });
    made.push({ path, key: toSigningKey(key) });
  }
  return made;
}

/** JSON in a text, as it was hashed. */
const jsonText = <Value>(schema: z.ZodType<Value>) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);

const contentSchema = z.object({
  kind: z.literal('score'),
  v: z.union([z.literal(2), z.literal(3)]),
  id: z.string(),
  corridor: z.string(),
  score: z.number(),
  risk: z.number(),
  probability: z.number().nullable(),
  verdict: z.enum(VERDICTS),
  reasons: jsonText(
    z.array(z.object({ code: z.string(), detail: z.string(), contribution: z.number() })),
  ) satisfies z.ZodType<Reason[]>,
  features: z.hex(),
  feature_schema: z.number(),
  rule_inputs: jsonText(
    z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  ).nullable(),
  rule_set: z.string(),
  model: z.string().nullable(),
  margin: z.number().nullable().default(null),
  scorecard: z.number().nullable().default(null),
  by_rules: z.number().nullable().default(null),
});
/** A rule set or a model in the bundle has the hash of its source or artefact. */
const namedSchema = z.object({
  kind: z.enum(['rule-set', 'model']),
  id: z.string(),
  source_sha256: z.string().optional(),
  artefact_sha256: z.string().optional(),
});

/**
 * Computes the score of a bundle again from the bundle's vector, by the rule set and the model that the bundle names.
 * @param contents of the proofs of a bundle
 * @returns the fields that differ as `different`, none where the score is the same, bit for bit
 * @throws ZodError where the bundle proves no score
 */
export async function recompute(database: Database, models: Models, contents: readonly unknown[]) {
  const [first, ...others] = contents;
  const of = contentSchema.parse(first);
  const vector = toVector(Buffer.from(of.features, 'hex'));
  const ruleSet = await findStoredRuleSet(database, of.rule_set);
  const found = of.model === null ? undefined : await models.find(of.model);
  const model = found !== undefined && 'model' in found ? found.model : undefined;
  const table = await findTableOf(database.query, of.scorecard);
  const judged = judgedVector(vector, table, createdAtMsOf(of.id) ?? 0);
  const opinion = of.model === null ? null : model?.judge([judged])[0];
  const stored = {
    corridor: of.corridor,
    score: of.score,
    risk: of.risk,
    probability: of.probability,
    verdict: of.verdict,
    reasons: of.reasons,
    features: vector,
    featureSchema: of.feature_schema,
    ruleInputs: of.rule_inputs,
    ruleSet: of.rule_set,
    model: of.model,
    margin: of.margin,
    scorecard: of.scorecard,
    byRules: of.by_rules,
  };
  const different = verifyScore(stored, ruleSet, opinion, table);
  for (const other of others) {
    const named = namedSchema.parse(other);
    const hash = named.kind === 'model' ? model?.modelId : ruleSet?.sha256;
    const sealed = named.kind === 'model' ? named.artefact_sha256 : named.source_sha256;
    // A rule set that people derived for a time has the source of its base.
    if (hash !== sealed) different.push(`${named.kind} ${named.id}`);
  }
  return { id: of.id, different };
}

export const createCommand = (openModels: OpenModels): Command =>
  commandOf({
    name: 'evidence',
    summary: 'Exports proofs of scores, checks the log of evidence, and makes its keys.',
    notes: `export prints a bundle, which verify/ in the repository verifies without the engine. check compares every leaf with its row, and
the log with published checkpoints. Its last line is origin=… from=TIME leaves=N scores=N lines=N findings=N: scores from
TIME on have leaves, but for gaps in which nobody sealed. Its exit code is 1 where findings, gaps among them, are not 0.

Example: risk evidence export 0190a5f2-7c1e-7d3b-9a44-5b1f0c2d3e4f > bundle.json`,
    actions: {
      export: exportBundle,
      recompute: recomputeBundle(openModels),
      check,
      keys,
    },
  });
