/**
 * The cost of lists of a million values: their import, their reading into the memory of a worker, and the answer to a batch, whose
 * parties the lists lack or have; then all that rules cost which ask one of them, with one transaction in a hundred on the list.
 */
import { askInputs, NO_SOURCES } from '../src/core/score/ask-inputs.ts';
import type { Answers, Parties } from '../src/core/score/list-answers.ts';
import { inputsOf, recordInputs } from '../src/core/score/rules/rule-inputs.ts';
import { score } from '../src/core/score/score.ts';
import { followChanges } from '../src/kit/database/follow-changes.ts';
import { openListMemory } from '../src/rooms/lists/memory/list-memory.ts';
import { makeRuleSet, makeVectors, SIZES } from './support/analyst-rules.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { accountIds, fillList, LISTED_VALUES } from './support/lists-in-force.ts';
import { readOptions } from './support/options.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { type Services, startServices } from './support/services.ts';
import { openMarket } from './support/standing-keys.ts';

const USAGE = `--values N         values of each of two lists of accounts, and a tenth of them networks (1000000)
--batches N        batches of 1,000 for each figure (200)`;
const BATCH = 1000;
const LISTS = ['one', 'two', 'net'];
const MIB = 1024 * 1024;
/** As the issue asks: of a million values. */
const MIB_MAX = 12;

const seconds = async (work: () => Promise<unknown>) => {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1000;
};

function* networks(count: number) {
  for (let nth = 0; nth < count; nth++)
    yield `${10 + (nth >> 16)}.${(nth >> 8) & 255}.${nth & 255}.0/28`;
}

const party = (accountId: string, nth: number): Parties => ({
  ...{ accountId, merchantId: `m_${nth}`, deviceId: `d_${nth}`, country: 'US' },
  ip: `192.0.2.${nth & 255}`,
});

/** Nanoseconds a transaction: the answers of the list `one`, what is recorded of them, and the decision. */
async function decideNs(lists: Answers, size: number, batches: number): Promise<number> {
  const ruleSet = makeRuleSet(size, 'one');
  const rows = makeVectors()
    .slice(0, BATCH)
    .map((vector, nth) => ({
      ...party(nth % 100 === 0 ? `acc_${nth}` : `nobody_${nth}`, nth),
      ...{ vector, corridor: 'US-EG', currency: 'USD', createdAtMs: 0, declared: null },
    }));
  const decide = async () => {
    const answerOf = await askInputs({ ...NO_SOURCES, lists }, rows, [ruleSet]);
    for (const [nth, row] of rows.entries()) {
      const inputs = inputsOf(ruleSet, row, recordInputs(ruleSet, row, answerOf, nth));
      score({ vector: row.vector, ruleSet, opinion: null, inputs });
    }
  };
  for (let nth = 0; nth < batches / 2; nth++) await decide();
  const took = await seconds(async () => {
    for (let nth = 0; nth < batches; nth++) await decide();
  });
  return (took * 1e9) / batches / BATCH;
}

async function* measure(
  services: Services,
  { values, batches }: { readonly values: number; readonly batches: number },
  { output, log }: BenchContext,
): AsyncGenerator<BenchReport> {
  await using database = await openMarket(services, 'bench_lists');
  output.note('importing');
  const importSeconds = await seconds(() =>
    fillList(database, 'one', 'account', accountIds('acc', values)),
  );
  await fillList(database, 'two', 'account', accountIds('other', values));
  await fillList(database, 'net', 'address', networks(Math.ceil(values / 10)));
  using changes = followChanges(database, log);
  const memory = openListMemory(database, changes, 1);
  await memory.answers([], LISTS);
  output.note('reading');
  const loadSeconds = await seconds(memory.refresh);
  const lookupNs = async (accountOf: (nth: number) => string) => {
    const parties = Array.from({ length: BATCH }, (_, nth) => party(accountOf(nth), nth));
    await memory.answers(parties, LISTS);
    const took = await seconds(async () => {
      for (let nth = 0; nth < batches; nth++) await memory.answers(parties, LISTS);
    });
    return (took * 1e9) / batches / BATCH;
  };
  const missNs = await lookupNs((nth) => `nobody_${nth}`);
  const hitNs = await lookupNs((nth) => (nth % 100 === 0 ? `acc_${nth}` : `nobody_${nth}`));
  const withRules: Record<string, number> = {};
  for (const size of SIZES) {
    withRules[`transaction_ns_with_${size}_rules`] = await decideNs(memory.answers, size, batches);
  }
  const listed = 2 * values + Math.ceil(values / 10);
  const mibPerMillion = (memory.bytes() / MIB / listed) * 1e6;
  yield {
    caseName: '',
    inputs: { values, batches, ...services.settings },
    settings: {},
    versions: services.versions,
    perSecond: 1e9 / missNs,
    figures: {
      import_seconds_a_million: (importSeconds / values) * 1e6,
      load_seconds: loadSeconds,
      mib_a_million: mibPerMillion,
      lookup_ns_a_list: missNs / 3,
      transaction_ns_without_hits: missNs,
      transaction_ns_with_1_percent_hits: hitNs,
      ...withRules,
    },
    ceilings: [],
    tables: [],
    breaches:
      mibPerMillion > MIB_MAX ? [`a million values take ${mibPerMillion.toFixed(1)} MiB`] : [],
  };
}

export const bench: Bench = {
  name: 'lists',
  question: 'What do lists of a million, and rules that ask them, cost a worker?',
  onlyByName: 'it imports two million rows',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      values: { or: LISTED_VALUES, min: 1000, max: LISTED_VALUES },
      batches: { or: 200, max: 100_000 },
    };
    const { numbers: sizes } = readOptions(args, wholes, {});
    const { log, signal, output } = context;
    await using folder = await makeRunFolder('risk-bench');
    await using services = await startServices({
      ...{ dataDir: `${folder.path}/data`, log, signal },
      onProgress: (said) => output.note(said),
    });
    yield* measure(services, sizes, context);
  },
};
