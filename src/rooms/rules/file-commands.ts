/** Actions of `risk rules` that take a file. Check and test need neither an API nor a database. */

import type { Compiled } from '../../core/score/rules/compile-rule-set.ts';
import { type AskApi, callApi } from '../../kit/client/api-client.ts';
import { EXIT } from '../../kit/command/command.ts';
import {
  type DataFile,
  openDataFile,
  readDataFile,
  sayProblem,
} from '../../kit/command/data-file.ts';
import { type Asking, asking } from '../../kit/command/rows.ts';
import { sayWaiting } from '../../kit/command/run-row.ts';
import { Failure } from '../../kit/words/failure.ts';
import { diffRuleSets } from './diff-rule-sets.ts';
import { ruleLines, runExamples, toYaml } from './rule-file.ts';
import { checkAmong } from './try-rule-set.ts';

/** As much as the API takes. */
const FILE_BYTES_MAX = 524_288;
const RULE_SET = /^[a-z][a-z0-9-]*@\d+$/;

const readSource = (path: string) => readDataFile(path, FILE_BYTES_MAX);

export type Values = Readonly<Record<string, unknown>>;

type Problem = {
  readonly pointer: string;
  readonly detail: string;
  readonly at?: Record<'line' | 'column', number> & Record<'found' | 'allowed', string>;
};
type Checked = { readonly sha256: string | null; readonly problems: readonly Problem[] };

/** A file as this build compiles it, by the catalogue alone. */
async function compileFile(path: string) {
  const file = await openDataFile(path, FILE_BYTES_MAX);
  const made: Compiled =
    file.problems.length > 0 ? { problems: [] } : checkAmong(null, null, file.value);
  return { file, made };
}

/** Asks the API, which knows the lists, what is wrong. */
async function checkThere(ask: AskApi, { value }: DataFile): Promise<Checked> {
  const { sha256, problems } = await ask('POST /v1/rule-sets/check', { body: Object(value) });
  return {
    sha256,
    problems: problems.map(({ pointer, detail, line, column, found, allowed }) =>
      line === null || column === null || found === null || allowed === null
        ? { pointer, detail }
        : { pointer, detail, at: { line, column, found, allowed } },
    ),
  };
}

/** Problems by their lines in the file. */
const locateAll = (file: DataFile, problems: readonly Problem[]) => [
  ...file.problems.map((problem) => ({ pointer: null, ...problem })),
  ...problems.map(({ pointer, detail, at }) => ({
    pointer,
    ...file.locate(pointer, at),
    detail: at === undefined ? detail : `must have ${at.allowed}, not ${at.found}`,
  })),
];

const sayAll = (path: string, problems: ReturnType<typeof locateAll>) =>
  problems.map((problem) =>
    sayProblem(path, { ...problem, detail: `${problem.pointer ?? ''} ${problem.detail}`.trim() }),
  );

export const checkFile = asking(
  'FILE',
  'Say what is wrong with a file, by line and column; exit code 1 where something is',
  { '--api': 'Ask the API as well, which knows the lists of its market' },
  async ({ ask, words: [path = ''], values }, { output }) => {
    const { file, made } = await compileFile(path);
    const here: Checked =
      'problems' in made
        ? { sha256: null, problems: made.problems }
        : { sha256: made.ruleSet.sha256, problems: [] };
    const isAsked = values.api && here.sha256 !== null;
    const checked = isAsked ? await checkThere(ask, file) : here;
    const problems = locateAll(file, checked.problems);
    const fine = [`${path} is accepted, ${checked.sha256}`];
    output.value({ ...checked, problems }, problems.length > 0 ? sayAll(path, problems) : fine);
    return problems.length > 0 ? EXIT.failed : EXIT.fine;
  },
);

/** Runs the examples of a file. @throws Failure with every problem of the file */
async function runFile(path: string) {
  const { file, made } = await compileFile(path);
  if ('problems' in made) {
    const lines = sayAll(path, locateAll(file, made.problems));
    throw new Failure('invalid', 'FILE_INVALID', lines.join('\n'));
  }
  const ids: unknown[] = Object(file.value).rules.map(({ id }: Values) => id);
  const tested = runExamples(made.ruleSet).map((runExample) => ({
    ...runExample,
    ...file.locate(`/rules/${ids.indexOf(runExample.rule)}/examples/${runExample.example - 1}`),
  }));
  return { tested, source: Object(file.value) as object };
}

type Tested = Awaited<ReturnType<typeof runFile>>['tested'];
const sayFailed = (path: string, tested: Tested) =>
  tested.flatMap(({ rule, example, problem, ...at }) =>
    problem === null
      ? []
      : sayProblem(path, { ...at, detail: `example ${example} of rule ${rule} ${problem}` }),
  );

export const testFile = asking(
  'FILE [TRANSACTION]',
  'Run the examples of a file without the API, or say what the file would decide of a scored transaction',
  {},
  async ({ ask, words: [path = '', id] }, { output }) => {
    if (id !== undefined) {
      const body = { source: await readSource(path), transaction_id: id };
      const trial = await ask('POST /v1/rule-sets/test', { body });
      const rules = output.json ? trial.rules : trial.rules.filter(({ fired }) => fired);
      output.record({ ...trial, rules });
      return EXIT.fine;
    }
    const { tested } = await runFile(path);
    const failed = sayFailed(path, tested);
    const count = `${tested.length - failed.length} examples pass, ${failed.length} fail`;
    output.value(tested, [...failed, count]);
    return failed.length > 0 ? EXIT.failed : EXIT.fine;
  },
);

/** Makes a draft of a source, or changes the draft of that name. */
async function importSource({ ask, client }: Asking, body: object) {
  const id = String(Object(body).id);
  const known = await readKnown(ask, id);
  const answer =
    known === undefined
      ? await ask('POST /v1/rule-sets', { body: Object(body) })
      : await callApi(
          client,
          { method: 'PUT', path: '/v1/rule-sets/{id}' },
          { path: { id }, headers: { 'If-Match': known.tag }, body },
        );
  const { rule_set, state, sha256 } = Object(answer);
  return { rule_set, state, sha256 };
}

/** The source of a rule set that people have made; undefined where there is none. */
async function readKnown(ask: AskApi, id: string) {
  try {
    return await ask('GET /v1/rule-sets/{id}', { path: { id } });
  } catch (error) {
    if (error instanceof Failure && error.code === 'API_404') return undefined;
    throw error;
  }
}

export const importFile = asking(
  'FILE',
  'Make a draft of a file, or change your draft of that name',
  {},
  async ({ words: [path = ''], ...api }, { output }) => {
    const made = await importSource(api, await readSource(path));
    output.value(made, [`${made.rule_set} is a ${made.state}, ${made.sha256}`]);
    output.note(`Next: bin/risk rules submit ${made.rule_set}, after which it changes no more`);
  },
);

export const submitGiven = asking(
  'GIVEN',
  'Submit your own draft, or a file whose examples pass, which is imported first; the draft no longer changes',
  {
    '--accept-declines':
      'It is meant that the rule set declines more of yesterday than is usual, or reads what was not recorded',
  },
  async ({ words: [name = ''], values, ...api }, { output }) => {
    const { ask } = api;
    const id = RULE_SET.test(name) ? name : await importTested(api, name);
    const query = values['accept-declines'] ? { accept_declines: true } : {};
    const answer = await ask('POST /v1/rule-sets/{id}/submit', { path: { id }, query });
    output.value(output.json ? answer : {}, [`${id} is submitted, ${answer.detail['sha256']}`]);
    output.note(sayWaiting(answer.approval_id));
  },
);

/** @returns the name. @throws Failure where an example does not pass */
async function importTested(api: Asking, path: string): Promise<string> {
  const { tested, source } = await runFile(path);
  const failed = sayFailed(path, tested);
  if (failed.length > 0) throw new Failure('invalid', 'FILE_INVALID', failed.join('\n'));
  return (await importSource(api, source)).rule_set;
}

export const exportRuleSet = asking(
  'RULE_SET',
  'Print the file that import takes',
  {},
  async ({ ask, words: [id = ''] }, { output }) => {
    const { source } = await ask('GET /v1/rule-sets/{id}', { path: { id } });
    output.value(source, [toYaml(source).replace(/\n$/, '')]);
  },
);

const sourceOf = async (ask: AskApi, given: string) =>
  RULE_SET.test(given)
    ? (await ask('GET /v1/rule-sets/{id}', { path: { id: given } })).source
    : await readSource(given);

export const diffFiles = asking(
  'GIVEN [OTHER]',
  'Say what a file or rule set changes of another one (the first one in force)',
  {},
  async ({ ask, words: [given = '', named] }, { output }) => {
    const source = await sourceOf(ask, given);
    const other = named ?? (await ask('GET /v1/rule-sets', {})).items[0]?.rule_set ?? '';
    const changes = diffRuleSets(await sourceOf(ask, other), source, ruleLines);
    output.value(changes, changes.length === 0 ? [`${given} is as ${other}`] : changes);
  },
);
