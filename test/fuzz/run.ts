/**
 * `npm run api:fuzz`: two foreign clients ask an engine with its sample. Schemathesis makes requests of the engine's own document and
 * checks the answers by it; vegeta sends mixed reads and writes at a steady rate. No answer may be a server error (5xx). A client that
 * cannot be had here is skipped, which is a failure where CI is set.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createOutput } from '../../src/kit/command/output.ts';
import { NotRun } from '../chaos/support/not-run.ts';
import { type FuzzedEngine, startEngine } from './engine.ts';
import { runLoad } from './load.ts';
import { findSchemathesis, findVegeta } from './programs.ts';
import { runPiece } from './schemathesis.ts';

const USAGE = `npm run api:fuzz [-- schemathesis|load options]

Without a name both run, against an engine that is started and ended here.

--requests N   of Schemathesis, at least (100000)
--examples N   of each operation in a piece; a piece begins anew with the next seed (20)
--load N       requests of the load, at 75 a second (6000)
--seed N       of the first piece, and of the load (1)
--log FOLDER   what Schemathesis says (bench/results)`;

const output = createOutput({ json: false });
const text = { type: 'string' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ help: { type: 'boolean', short: 'h' } },
    ...{ requests: { ...text, default: '100000' }, examples: { ...text, default: '20' } },
    ...{ load: { ...text, default: '6000' }, seed: { ...text, default: '1' } },
    log: { ...text, default: join(import.meta.dirname, '../../bench/results') },
  },
});

type Row = { readonly client: string; readonly requests: number; readonly verdict: string };

async function fuzz(engine: FuzzedEngine): Promise<Row> {
  const program = await findSchemathesis();
  await mkdir(values.log, { recursive: true });
  const logFile = join(values.log, `fuzz-${Date.now()}.log`);
  output.line(`Schemathesis writes to ${logFile}`);
  const [wanted, examples] = [Number(values.requests), Number(values.examples)];
  let [requests, serverErrors, failed] = [0, 0, 0];
  for (let seed = Number(values.seed); requests < wanted; seed++) {
    const piece = await runPiece({ program, engine, logFile, examples }, seed);
    requests += piece.requests;
    serverErrors += piece.serverErrors;
    failed += piece.failed ? 1 : 0;
    output.line(`seed ${seed}: ${requests} requests, ${serverErrors} server errors`);
    if (piece.requests === 0) throw new Error(`Schemathesis sent nothing: ${logFile}`);
  }
  const isFine = serverErrors + failed === 0;
  const verdict = isFine
    ? 'ok'
    : `FAILED: ${serverErrors} server errors, ${failed} pieces with failed checks`;
  return { client: 'Schemathesis', requests, verdict };
}

async function load(engine: FuzzedEngine): Promise<Row> {
  const program = await findVegeta();
  const report = await runLoad(program, engine, Number(values.load), values.seed);
  const statuses = Object.entries(report.status_codes);
  const bad = statuses.filter(([status]) => !/^[234]/.test(status));
  const said = statuses.map(([status, count]) => `${status}: ${count}`).join(', ');
  const verdict =
    bad.length === 0 && report.errors.length === 0 ? 'ok' : `FAILED: ${report.errors}`;
  return { client: 'vegeta', requests: report.requests, verdict: `${verdict} (${said})` };
}

/** In this order: requests of Schemathesis stop scopes and change limits, which refuse a load. */
const CLIENTS = { load, schemathesis: fuzz } as const;

async function runAll(): Promise<number> {
  const names = Object.keys(CLIENTS) as (keyof typeof CLIENTS)[];
  const unknown = positionals.filter((name) => !names.some((one) => one === name));
  if (values.help === true || unknown.length > 0) {
    output.line(USAGE);
    return 2;
  }
  const rows: Row[] = [];
  await using engine = await startEngine();
  for (const name of names.filter((one) => positionals.length === 0 || positionals.includes(one))) {
    const row = await CLIENTS[name](engine).catch((error: unknown) => {
      if (!(error instanceof NotRun)) throw error;
      return { client: name, requests: 0, verdict: `skipped: ${error.message}` };
    });
    rows.push(row);
  }
  output.table(
    [{ field: 'client' }, { field: 'requests', align: 'right' }, { field: 'verdict' }],
    rows,
  );
  const isSkipFatal = (process.env['CI'] ?? '') !== '';
  return rows.every(
    ({ verdict }) => verdict.startsWith('ok') || (!isSkipFatal && verdict.startsWith('skipped')),
  )
    ? 0
    : 1;
}

process.exitCode = await runAll();
