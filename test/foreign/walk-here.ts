/** Walks the main way with API, worker and commands in the process of the tests: processes of their own take three seconds more. */
import { afterAll } from 'vitest';
import { runApiHere } from '../support/api-here.ts';
import { runRisk } from '../support/run-risk.ts';
import { startWorkerHere } from '../support/worker-rig.ts';
import { type Row, tableOf, type Walked, type Way, walkMainWay } from './main-way.ts';

const HERE = { runApi: runApiHere, startWorker: startWorkerHere, runRisk };

export const walkHere = (environment: Way['environment'], more: Partial<Way> = {}) =>
  walkMainWay({ environment, means: HERE, ...more });

/** Prints what held, after the last test of the file. @returns adds a walk to the table */
export function openTable(head: string): (what: string, walked: Walked) => void {
  const rows: Row[] = [];
  afterAll(() => {
    process.stdout.write(tableOf(head, rows));
  });
  return (what, { held }) => {
    rows.push({ what, held });
  };
}
