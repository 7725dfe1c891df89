/** Requests that Schemathesis makes of the engine's own document, valid and not, and its checks of the answers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Counts, FuzzedEngine } from './engine.ts';

/** Operations that stop, limit or revoke what the other requests need: they get requests only that must be refused. */
export const GOVERNING =
  '^(change(Switch|Flag|Degradation|Limit)|(freeze|resume|note)(Corridor|Market)|tightenCorridor|reviewByHand|requestRollback|applySuggestion|(add|configure)Corridor|revoke(Key|Identity)|endSession)$';
/** Live events have no end. */
const ENDLESS = 'readLive';
const CONFIG = join(import.meta.dirname, 'schemathesis.toml');

export type Piece = Counts & { readonly seed: number; readonly failed: boolean };

type Asked = {
  readonly program: string;
  readonly engine: FuzzedEngine;
  readonly logFile: string;
  readonly examples: number;
};

/** Runs one piece; what Schemathesis says goes to the log. */
export async function runPiece(
  { program, engine, logFile, examples }: Asked,
  seed: number,
): Promise<Piece> {
  await engine.startScopes();
  const before = await engine.count();
  const common = [
    '--config-file',
    CONFIG,
    'run',
    `${engine.url}/openapi.json`,
    '--url',
    engine.url,
    '--header',
    `Authorization: Bearer ${engine.key}`,
    '--no-color',
    '--seed',
    `${seed}`,
    '--max-examples',
    `${examples}`,
  ];
  const ordinary = ['--exclude-operation-id-regex', `${GOVERNING}|^${ENDLESS}$`];
  const governing = ['--include-operation-id-regex', GOVERNING, '--mode', 'negative'];
  const codes: number[] = [];
  for (const selected of [ordinary, [...governing, '--phases', 'coverage,fuzzing']]) {
    const log = createWriteStream(logFile, { flags: 'a' });
    await once(log, 'open');
    const child = spawn(program, [...common, ...selected], { stdio: ['ignore', log, log] });
    const [code] = await once(child, 'close');
    codes.push(Number(code));
    log.end();
  }
  const after = await engine.count();
  return {
    seed,
    requests: after.requests - before.requests,
    serverErrors: after.serverErrors - before.serverErrors,
    failed: codes.some((code) => code !== 0),
  };
}
