/** `risk rules …`: rule sets as files, and their life, over a running API. */
import { writeFile } from 'node:fs/promises';
import type { ApiClient } from '../../kit/client/api-client.ts';
import { type AskApi, callApi, createAsk } from '../../kit/client/ask.ts';
import { withApi } from '../../kit/command/api.ts';
import { type CommandContext, EXIT, optionsOf, parseArguments } from '../../kit/command/command.ts';
import { readJsonFile, unusable } from '../../kit/command/read-file.ts';
import { commandOf } from '../../kit/command/rows.ts';
import { Failure } from '../../kit/words/failure.ts';
import { diffRuleSets } from './diff-rule-sets.ts';

/** As much as the API takes. */
const FILE_BYTES_MAX = 524_288;
const words = { RULE_SET: 'id' };

const readSource = (path: string) => readJsonFile(path, FILE_BYTES_MAX);

type Values = Readonly<Record<string, unknown>>;

/** An action that takes FILE or RULE_SET and asks the API more than once. */
const written = (
  word: string,
  summary: string,
  own: Readonly<Record<string, string>>,
  run: (
    ask: AskApi,
    given: string,
    context: CommandContext,
    values: Values,
    client: ApiClient,
  ) => Promise<number>,
) => {
  const options = { '--url URL': 'The API (RISK_URL)', ...own };
  return {
    words: word,
    summary,
    options,
    async run(args: string[], context: CommandContext): Promise<number> {
      const { values, positionals } = parseArguments(args, optionsOf(options), {
        required: [word],
      });
      const given: Values = values;
      const url = typeof given['url'] === 'string' ? given['url'] : undefined;
      return await withApi(context, url, (client) =>
        run(createAsk(client), positionals[0] ?? '', context, given, client),
      );
    },
  };
};

const checkFile = written(
  'FILE',
  'Say what is wrong with a file, by line and column; exit code 1 where something is',
  {},
  async (ask, path, { output }) => {
    const checked = await ask('POST /v1/rule-sets/check', { body: await readSource(path) });
    const { problems, sha256 } = checked;
    const lines = problems.map(({ pointer, detail }) => `${path}: ${pointer} ${detail}`);
    output.value(checked, problems.length > 0 ? lines : [`${path} is accepted, ${sha256}`]);
    return problems.length > 0 ? EXIT.failed : EXIT.fine;
  },
);

const importFile = written(
  'FILE',
  'Make a draft of a file, or change your draft of that name',
  {},
  async (ask, path, { output }, _, client) => {
    const body = await readSource(path);
    const id = String(Object(body).id);
    const known = await readKnown(ask, id);
    const answer =
      known === undefined
        ? await ask('POST /v1/rule-sets', { body })
        : await callApi(
            client,
            { method: 'PUT', path: '/v1/rule-sets/{id}' },
            { path: { id }, headers: { 'If-Match': known.tag }, body },
          );
    const { rule_set, state, sha256 } = Object(answer);
    output.value({ rule_set, state, sha256 }, [`${rule_set} is a draft, ${sha256}`]);
    return EXIT.fine;
  },
);

/** The source of a rule set that people have made; undefined where there is none. */
async function readKnown(ask: AskApi, id: string) {
  try {
    return await ask('GET /v1/rule-sets/{id}', { path: { id } });
  } catch (error) {
    if (error instanceof Failure && error.code === 'API_404') return undefined;
    throw error;
  }
}

const exportRuleSet = written(
  'RULE_SET',
  'Write the file that import takes; no file is overwritten',
  { '--out FILE': 'Where it writes (RULE_SET.json in the current folder)' },
  async (ask, id, { output }, values) => {
    const { source } = await ask('GET /v1/rule-sets/{id}', { path: { id } });
    const path = typeof values['out'] === 'string' ? values['out'] : `${id}.json`;
    try {
      await writeFile(path, `${JSON.stringify(source, null, 2)}\n`, { flag: 'wx' });
    } catch (error) {
      throw unusable(path, error);
    }
    output.value({ rule_set: id, path }, [`${id} written to ${path}`]);
    return EXIT.fine;
  },
);

const diffFile = written(
  'FILE',
  'Say what a file changes of a rule set',
  { '--with RULE_SET': 'The rule set (the first one in force)' },
  async (ask, path, { output }, values) => {
    const source = await readSource(path);
    const [current] = (await ask('GET /v1/rule-sets', {})).items;
    const id = String(values['with'] ?? current?.rule_set);
    const other = await ask('GET /v1/rule-sets/{id}', { path: { id } });
    const changes = diffRuleSets(other.source, source);
    output.value(changes, changes.length === 0 ? [`${path} is as ${id}`] : changes);
    return EXIT.fine;
  },
);

/** Members of a rule set that people read; export writes the rules. */
const TOLD = [
  ...['rule_set', 'state', 'author', 'approved_by', 'sha256', 'problem'],
  ...['corridors', 'proposals', 'shadows'],
];
const told = {
  words,
  tell: (found: Values): Values => Object.fromEntries(TOLD.map((name) => [name, found[name]])),
};

/** Leaves out the rules that are silent. */
const tellTrial = (trial: Values): Values => {
  const rules = Array.isArray(trial['rules']) ? trial['rules'] : [];
  return { ...trial, rules: rules.filter((rule) => Object(rule).fired === true) };
};

type Flip = Readonly<Record<'count' | 'from' | 'to', string>>;
const sayFlips = (flips: readonly Flip[]) =>
  flips.map(({ count, from, to }) => `${count} from ${from} to ${to}`).join(', ');

const sayCounts = (counts: Values) =>
  Object.entries(counts)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(', ');

/** Says verdicts, which of them differ, and why a rule may be of no use, in words. */
const tellPreview = (preview: Values): Values => {
  const { before, after, flips, rules, unrecorded, ...about } = Object(preview);
  return {
    ...about,
    before: sayCounts(before.all),
    after: sayCounts(after.all),
    unrecorded: unrecorded.map(({ input, scores }: Values) => `${scores} ${input}`).join(', '),
    flips: sayFlips(flips),
    rules: rules.map(({ rule, hits, fraud, legitimate, findings, without }: Values) => ({
      ...{ rule, hits, fraud, legitimate },
      finding: Object(findings)
        .map(({ detail }: Values) => detail)
        .join(' '),
      without_it: sayFlips(Object(without).flips ?? []),
    })),
  };
};

type Decided = { readonly proposal?: { readonly to: string; readonly corridor: string } | null };
/** Tells how a proposal comes into force. */
const sayProposal = ({ proposal = null }: Decided) =>
  proposal === null
    ? undefined
    : `It is in force when another risk officer sends bin/risk rules rollout RULE_SET --corridor ${proposal.corridor} --to ${proposal.to}`;

export const command = commandOf({
  name: 'rules',
  summary: 'Checks, tries, submits, approves and rolls out rule sets.',
  notes: `RULE_SET is a name with a version, as careful@1. FILE is JSON, as export writes it.
A draft is changed and submitted by its author, and approved by another person. It goes by shadow and canary to active, each step by two
people: the first proposes, the second sends the same. One person rolls back, and every worker follows within 2 s.
Example: risk rules rollout careful@1 --corridor US-EG --to canary:5`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: {
      operation: 'listRuleSets',
      columns: ['rule_set', 'state', 'in_force', 'author', 'approved_by', 'corridors', 'problem'],
    },
    show: { operation: 'readRuleSet', ...told },
    check: checkFile,
    preview: {
      operation: 'previewRuleSet',
      summary: 'Say what a file would have decided yesterday, and which rules are of no use',
      words: { FILE: async (path) => ({ source: await readSource(path) }) },
      tell: tellPreview,
    },
    test: {
      operation: 'tryRuleSet',
      summary: 'Say what a file would decide of a scored transaction',
      words: {
        FILE: async (path) => ({ source: await readSource(path) }),
        TRANSACTION: 'transaction_id',
      },
      tell: tellTrial,
    },
    diff: diffFile,
    import: importFile,
    export: exportRuleSet,
    submit: { operation: 'submitRuleSet', ...told },
    approve: { operation: 'approveRuleSet', ...told },
    rollout: { operation: 'rollOutRuleSet', words, notes: sayProposal },
    rollback: { operation: 'rollBackRuleSet', words },
    retire: { operation: 'retireRuleSet', ...told },
  },
});
