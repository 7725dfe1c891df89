/** `risk privacy …`: personal fields, clear values and erasures, over a running API, and the rotation of keys. */
import { type Command, EXIT, parseArguments } from '../../kit/command/command.ts';
import { commandOf } from '../../kit/command/rows.ts';
import { byCommand, openCommandDatabase } from '../../kit/command/stores.ts';
import { anonymiseAction } from './anonymise/anonymise-command.ts';
import { privacySettings } from './open-personal.ts';
import { rewrap } from './rewrap.ts';

const rewrapAll: Command['run'] = async (args, context) => {
  parseArguments(args, {});
  const { keys } = privacySettings(context.config);
  await using database = openCommandDatabase(context, 'privacy');
  const done = await rewrap(database, keys, byCommand('privacy rewrap'), context.signal);
  const rest = done.isWhole ? '; no older key is needed any more' : '; stopped: run it again';
  context.output.value(done, [`${done.subjects} subjects wrapped by ${done.key}${rest}`]);
  return done.isWhole ? EXIT.fine : EXIT.failed;
};

export const command = commandOf({
  name: 'privacy',
  summary: 'Declares personal fields, reads what a token stands for, and erases it.',
  notes: `anonymise and rewrap need DATABASE_URL; rewrap needs RISK_PRIVACY_KEYS and RISK_ERASURE_LEDGER, too.

Example: risk privacy erase --field account_id --value acc_17 --reason 'request 2026-117' --yes`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    fields: { operation: 'listPersonalFields', columns: ['field', 'declared_by', 'declared_at'] },
    declare: { operation: 'declarePersonalField', words: { FIELD: 'field' } },
    anonymise: anonymiseAction,
    read: { operation: 'readSubject', words: { TOKEN: 'token' } },
    erase: {
      operation: 'eraseSubject',
      mustBeMeant: () => 'an erasure cannot be undone',
    },
    rewrap: {
      words: '',
      summary: 'Wrap all keys by the first key of RISK_PRIVACY_KEYS',
      run: rewrapAll,
    },
  },
});
