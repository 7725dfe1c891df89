/** What `risk review` does with one case, and with a ring of them. */
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { DISPOSITIONS } from '../../../core/domain/disposition.ts';
import type { AskApi } from '../../../kit/client/ask.ts';
import { EXIT, wordOption } from '../../../kit/command/command.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { CASE_LIMITS, ringSchema } from '../review-case.ts';
import { type Action, type Request, reasonOf } from './request.ts';

const FILE_TYPE = 'application/octet-stream';

/** Each answers the case as it is now. */
function onCase(step: 'claim' | 'confirm' | 'lock' | 'release' | 'undo'): Action {
  return onId((ask, { words: [id = ''] }) =>
    ask(`POST /v1/reviews/{id}/${step}`, { path: { id } }),
  );
}

function withReason(step: 'escalate' | 'return'): Action {
  return onId((ask, { words: [id = ''], options }) =>
    ask(`POST /v1/reviews/{id}/${step}`, { path: { id }, body: { reason: reasonOf(options) } }),
  );
}

/** @param more words after the id */
function onId(run: (ask: AskApi, request: Request) => Promise<object>, ...more: string[]): Action {
  return {
    words: ['ID', ...more],
    run: async (ask, request) => {
      request.context.output.record({ ...(await run(ask, request)) });
      return EXIT.fine;
    },
  };
}

export const STEPS: Readonly<Record<string, Action>> = {
  show: onId((ask, { words: [id = ''] }) => ask('GET /v1/reviews/{id}', { path: { id } })),
  open: onId((ask, { words: [transaction_id = ''], options: { note } }) =>
    ask('POST /v1/reviews', {
      body: { transaction_id, ...(note === undefined ? {} : { note }) },
    }),
  ),
  ...{ claim: onCase('claim'), lock: onCase('lock'), release: onCase('release') },
  decide: onId((ask, { words: [id = '', word = ''], options }) => {
    const disposition = wordOption('DISPOSITION', word, DISPOSITIONS);
    const body = { disposition, reason: reasonOf(options) };
    return ask('POST /v1/reviews/{id}/decide', { path: { id }, body });
  }, 'DISPOSITION'),
  ...{ undo: onCase('undo'), confirm: onCase('confirm') },
  ...{ return: withReason('return'), escalate: withReason('escalate') },
  assign: onId((ask, { words: [id = ''], options: { assignee = null } }) =>
    ask('POST /v1/reviews/{id}/assign', { path: { id }, body: { assignee } }),
  ),
  note: onId(
    (ask, { words: [id = '', note = ''] }) =>
      ask('POST /v1/reviews/{id}/notes', { path: { id }, body: { note } }),
    'TEXT',
  ),
  attach: onId(async (ask, { words: [id = '', file = ''] }) => {
    const content = (await readAttachment(file)).toString('base64');
    const body = { file_name: basename(file), file_type: FILE_TYPE, content };
    return await ask('POST /v1/reviews/{id}/files', { path: { id }, body });
  }, 'FILE'),
  ring: { words: ['PARTY', 'ID', 'DISPOSITION'], run: decideRing },
};

async function decideRing(ask: AskApi, { words, options, context }: Request): Promise<number> {
  const [kind = '', id = '', word = ''] = words;
  const party = wordOption('PARTY', kind, ringSchema.shape.party.options);
  const disposition = wordOption('DISPOSITION', word, DISPOSITIONS);
  const body = { party, id, disposition, reason: reasonOf(options) };
  const decided = await ask('POST /v1/reviews/ring', { body });
  const waiting = decided.items.filter(({ state }) => state === 'confirming').length;
  context.output.value(decided, [
    `decided ${decided.items.length} as ${disposition}, of which ${waiting} wait for a second person` +
      (decided.more ? '; more are open: say it again' : ''),
  ]);
  return EXIT.fine;
}

/** A file that is too large is not read. */
async function readAttachment(path: string): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > CASE_LIMITS.fileBytes) {
      throw new Error(`${size} bytes, at most ${CASE_LIMITS.fileBytes} are taken`);
    }
    return await file.readFile();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure('invalid', 'FILE_INVALID', `${path}: ${why}`, { cause: error });
  }
}
