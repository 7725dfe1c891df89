/** `risk models`: the registry of models, straight in the database. */

import {
  actionOf,
  type Command,
  EXIT,
  parseArguments,
  requireWords,
  UsageError,
} from '../../kit/command/command.ts';
import { EXIT_BAD_CONFIGURATION } from '../../kit/config/config.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import { exportModel } from './commands/export-model.ts';
import { importModel } from './commands/import-model.ts';
import { readOfficer } from './commands/officer.ts';
import { OPTIONS, type Request } from './commands/request.ts';
import { approve, emergency, promote, rollBack } from './commands/roll-out.ts';
import { READING_TIMEOUT_MS, train } from './commands/train.ts';
import { TRAIN_OPTION_NAMES, TRAIN_USAGE } from './commands/train-options.ts';
import { watch } from './commands/watch.ts';
import type { ModelJson } from './model-record.ts';
import { listModelRows, readModelRow } from './queries/list-models.ts';
import { findKnown } from './registry/registered.ts';

const PAGE = 200;

const USAGE = `risk models ACTION [options]

  list                      every model
  show MODEL                one, with its lineage and its card
  import FILE               checks a model file and registers it
  export MODEL              writes the file and its manifest
  train                     trains one on logged features and labels, and registers it (see below)
  promote MODEL             proposes what it shall do, with --corridor and --to
  approve PROPOSAL          puts a proposal of somebody else in force
  emergency MODEL           puts it in force alone for a day, with --corridor, --to and --reason
  rollback                  ends the canary of --corridor, or else the active model, at once
  watch                     drift of each model that decides, and what became of its verdicts

MODEL is a name (baseline@2026-11-01) or a SHA-256. FILE is XGBoost JSON, LightGBM text or logistic JSON.
A model is staged, then shadow, canary, active, in steps; another one that becomes active deprecates it.
Needs DATABASE_URL; import, train, promote, approve, emergency and rollback also RISK_API_KEY, the key of a confirmed
risk officer, who acts by it. A proposal is approved by another person within 7 days. An emergency ends by itself
unless another person approves its proposal within a day; a corridor has no second one until two people have decided.

  --manifest FILE   what goes with an imported file (default: FILE.manifest.json where there is one);
                    without it the golden vectors are recorded here
  --name MODEL      name of a file without a manifest (default: the file's name and today's date)
  --out FILE        where export writes (default: the model's name in the current folder)
  --corridor C      a corridor, or all that there are now
  --to STATE        shadow, canary:N (percent of the accounts, 1 to 99) or active
  --reason TEXT     why an emergency cannot wait for a second person
  --now             looks now instead of showing what a worker saw last; stores nothing
  --at TIME         looks as it was at a time: 2026-11-20, or RFC 3339

Example: risk models import fraud.json --name fraud@1

${TRAIN_USAGE}`;

type Action = {
  /** Words after the action's name, as the usage names them. */
  readonly words: readonly string[];
  readonly options: readonly (keyof typeof OPTIONS)[];
  readonly run: (request: Request) => Promise<number>;
  /** Longest statement, where a request's bound is too short for it. */
  readonly statementTimeoutMs?: number;
};

const ACTIONS: Readonly<Record<string, Action>> = {
  list: { words: [], options: [], run: list },
  show: { words: ['MODEL'], options: [], run: show },
  import: { words: ['FILE'], options: ['manifest', 'name'], run: runImport },
  export: { words: ['MODEL'], options: ['out'], run: runExport },
  promote: { words: ['MODEL'], options: ['corridor', 'to'], run: promote },
  approve: { words: ['PROPOSAL'], options: [], run: approve },
  emergency: { words: ['MODEL'], options: ['corridor', 'to', 'reason'], run: emergency },
  rollback: { words: [], options: ['corridor'], run: rollBack },
  watch: { words: [], options: ['now', 'at'], run: watch },
  train: {
    words: [],
    options: ['name', 'out', 'to', ...TRAIN_OPTION_NAMES],
    run: train,
    statementTimeoutMs: READING_TIMEOUT_MS,
  },
};

export const command: Command = {
  name: 'models',
  summary: 'Trains and registers models, rolls them out and back, watches them.',
  usage: USAGE,
  needs: ['DATABASE_URL'],
  run: async (args, context) => {
    const { config, output } = context;
    const parsed = parseArguments(args, OPTIONS, { required: ['ACTION'], max: 2 });
    const { values, positionals } = parsed;
    const [name = '', ...words] = positionals;
    const action = actionOf(ACTIONS, name);
    requireWords(words, action.words);
    for (const option of Object.keys(OPTIONS) as (keyof typeof OPTIONS)[]) {
      if (values[option] !== undefined && !action.options.includes(option)) {
        throw new UsageError(`${name} takes no --${option}`);
      }
    }
    if (config.DATABASE_URL === undefined) {
      output.error('DATABASE_URL: is needed by models');
      return EXIT_BAD_CONFIGURATION;
    }
    await using database = openDatabase(config, config.DATABASE_URL, 'models', {
      connectionsMax: 1,
      statementTimeoutMs: action.statementTimeoutMs ?? config.RISK_STATEMENT_TIMEOUT_MS,
    });
    return await action.run({ words, options: values, database, context });
  },
};

const COLUMNS = [
  { field: 'model' },
  { field: 'does' },
  { field: 'format' },
  { field: 'feature_schema', title: 'schema' },
  { field: 'features' },
  { field: 'created_at', title: 'created at' },
  { field: 'created_by', title: 'created by' },
  { field: 'model_id', title: 'sha-256' },
];

async function list({ database, context }: Request): Promise<number> {
  const rows: ModelJson[] = [];
  for (;;) {
    const page = await listModelRows(database, rows.at(-1)?.model ?? '', PAGE);
    rows.push(...page);
    if (page.length < PAGE) break;
  }
  context.output.table(COLUMNS, rows);
  return EXIT.fine;
}

async function show({ words, database, context }: Request): Promise<number> {
  context.output.record(await readModelRow(database, words[0] ?? ''));
  return EXIT.fine;
}

async function runImport(request: Request): Promise<number> {
  const { words, options, database, context } = request;
  const by = await readOfficer(request, 'import');
  const { manifest, isNew } = await importModel(database, {
    ...{ path: words[0] ?? '', manifestPath: options.manifest, name: options.name },
    ...{ by, nowMs: Date.now() },
  });
  const { model, sha256, golden_vectors } = manifest;
  const vectors = golden_vectors.length;
  context.output.value({ model, model_id: sha256, golden_vectors: vectors, is_new: isNew }, [
    `${model} ${isNew ? 'is registered' : 'was registered already'}, ${sha256}`,
    `${vectors} golden vectors passed three times, bit for bit`,
  ]);
  return EXIT.fine;
}

async function runExport({ words, options, database, context }: Request): Promise<number> {
  const model = await findKnown(database, words[0]);
  const { path, manifestPath } = await exportModel(database, model, options.out);
  context.output.value({ model: model.model, path, manifest: manifestPath }, [
    `${model.model} written to ${path}`,
    `its manifest written to ${manifestPath}`,
  ]);
  return EXIT.fine;
}
