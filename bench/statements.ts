/**
 * The cost of a row in Postgres by the form of the statement that stores it: the engine's own beside others that were
 * considered. Processor time of the one backend that runs it, so neither the client nor the network is in it; nor
 * are the processes that write pages and WAL out, for which the WAL of a row is given.
 */
import { integerOption, parseArguments, UsageError } from '../src/kit/command/command.ts';
import type { Bench } from './support/bench.ts';
import { claimArms } from './support/claim-arms.ts';
import { DAY_MS, integerList, loadName, MONTH_LOAD } from './support/load.ts';
import { madeBatches } from './support/made-rows.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { scoreArms } from './support/score-arms.ts';
import { startServices } from './support/services.ts';
import { measureArms } from './support/statement-arms.ts';

const USAGE = `--only GROUP       of statements: scores, claims
--batch N[,N]      rows a statement (1000,100)
--rows N           rows a round and statement (100000)
--rounds N         (7)`;

/** The first of a group is the engine's. */
const GROUPS = { scores: scoreArms, claims: claimArms } as const;

export const bench: Bench = {
  name: 'statements',
  question: 'What does a row cost Postgres, by the form of the statement?',
  onlyByName: 'it compares what the engine does with what it does not do',
  usage: USAGE,
  run: async function* (args, { log, signal, output }) {
    const text = { type: 'string' } as const;
    const { values } = parseArguments(args, {
      ...{ only: text, batch: { ...text, default: '1000,100' }, rows: text, rounds: text },
    });
    const batches = integerList('--batch', values.batch, 1, 1000);
    const rows = integerOption('--rows', values.rows, { min: 1, max: 10_000_000 }, 100_000);
    const rounds = integerOption('--rounds', values.rounds, { min: 1, max: 100 }, 7);
    const groups = Object.entries(GROUPS).filter(([name]) => (values.only ?? name) === name);
    if (groups.length === 0) throw new UsageError(`--only is ${Object.keys(GROUPS).join(' or ')}`);

    await using folder = await makeRunFolder('risk-bench');
    const onProgress = (line: string) => output.note(line);
    await using services = await startServices({
      ...{ dataDir: `${folder.path}/data`, log, signal, onProgress },
    });
    for (const batch of batches) {
      const load = { ...MONTH_LOAD, batch, transactions: rows, days: 1, endMs: DAY_MS * 20_000 };
      const made = [...madeBatches(load)];
      for (const [name, makeArms] of groups) {
        output.note(`${name}, ${loadName(load)}`);
        const measured = await measureArms(services, makeArms(), { batches: made, rounds, signal });
        yield {
          ...{ ...measured, caseName: `${name}, ${loadName(load)}`, versions: services.versions },
          inputs: { rows, rounds, batch, ...services.settings },
          ...{ settings: {}, ceilings: [] },
        };
      }
    }
  },
};
