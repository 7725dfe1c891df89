/** Prints the screen of `risk start`: one line for each finished step, then where to look. */
import { relative } from 'node:path';
import { styleText } from 'node:util';
import type { Ledger } from '../../client/ledger.ts';
import type { Output } from '../output.ts';

/** A step that takes longer shows what it is doing. */
const SILENCE_MS = 1_500;

export type Screen = {
  /** Runs one step; prints that it is done, how long it took, and the text that `done` returns. */
  step<T>(name: string, work: () => Promise<T>, done: (value: T) => string): Promise<T>;
  /** What the current step is doing. */
  doing(text: string): void;
};

export function createScreen(output: Output): Screen {
  let busyWith = '';
  return {
    doing: (text) => {
      busyWith = text;
    },
    async step(name, work, done) {
      const startedMs = performance.now();
      let said = '';
      const timer = setInterval(() => {
        if (busyWith !== said) output.note(`    ${busyWith} …`);
        said = busyWith;
      }, SILENCE_MS);
      try {
        const value = await work();
        const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
        output.note(`  ✓ ${name.padEnd(20)} ${`${seconds} s`.padStart(6)}   ${done(value)}`);
        return value;
      } finally {
        clearInterval(timer);
        busyWith = '';
      }
    },
  };
}

/** The ledger in one sentence. */
export function ledgerSentence(ledger: Ledger): string {
  const { accepted, duplicates, scored, dead_lettered, pending, lost, doubled, seconds } = ledger;
  const counted = (count: number) => count.toLocaleString('en-US');
  if (accepted === 0 && duplicates > 0) {
    return `All ${counted(duplicates)} transactions were known from an earlier start: nothing was scored again.`;
  }
  const dead = dead_lettered > 0 ? `, ${counted(dead_lettered)} set aside as dead letters` : '';
  const fate =
    lost === 0 && doubled === 0 && pending === 0
      ? 'nothing lost, nothing scored twice'
      : `${counted(lost)} lost, ${counted(doubled)} scored twice, ${counted(pending)} still pending`;
  return `${counted(accepted)} transactions accepted and ${counted(scored)} scored in ${seconds.toFixed(1)} s${dead}: ${fate}.`;
}

export type Whereabouts = {
  readonly url: string;
  readonly key: string;
  readonly keyFile: string | null;
  readonly logFolder: string;
};

/** Prints the next steps for a newcomer. */
export function whereToLook({ url, key, keyFile, logFolder }: Whereabouts): string[] {
  return [
    `  API      ${url}   docs ${url}/docs   health ${url}/readyz`,
    `  API key  ${key}${keyFile === null ? '' : `   (kept in ${shortPath(keyFile)})`}`,
    `  logs     ${shortPath(logFolder)}`,
    '',
    `  curl -H 'Authorization: Bearer ${key}' '${url}/v1/scores?min_score=500&limit=5'`,
  ];
}

/** The path relative to the folder in which the command was given, where that is shorter. */
export function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.length < path.length ? fromHere : path;
}

export function heading(text: string, terminal: boolean): string {
  return terminal ? styleText('bold', text) : text;
}
