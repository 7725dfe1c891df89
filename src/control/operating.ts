/** Status and dead letters for operators, bound once to their adapters. */
import type { Actor } from '../domain/principal.ts';
import type { TryAppend } from '../ingest/append-entries.ts';
import type { Databases } from '../query/choose-database.ts';
import {
  type DeadLetterListParameters,
  groupDeadLetters,
  readDeadLetter,
  searchDeadLetters,
} from '../query/dead-letters.ts';
import { createReadStatus, type Pipeline } from '../query/pipeline-status.ts';
import {
  type DeadLetterCommand,
  purgeDeadLetters,
  replayDeadLetters,
} from './dead-letter-commands.ts';

export type Operating = ReturnType<typeof createOperating>;

export function createOperating(databases: Databases, tryAppend: TryAppend, pipeline: Pipeline) {
  const { primary } = databases;
  return {
    readStatus: createReadStatus(databases, pipeline),
    searchDeadLetters: (parameters: DeadLetterListParameters) =>
      searchDeadLetters(primary, parameters),
    readDeadLetter: (id: string) => readDeadLetter(primary, id),
    groupDeadLetters: () => groupDeadLetters(primary),
    replayDeadLetters: (command: DeadLetterCommand, by: Actor) =>
      replayDeadLetters(primary, tryAppend, command, by),
    purgeDeadLetters: (command: DeadLetterCommand, by: Actor) =>
      purgeDeadLetters(primary, command, by),
  };
}
