/** Status and dead letters for operators, bound once to their adapters. */
import { encodeToken } from '../domain/consistency-token.ts';
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

/** @param system  system identifier of the database cluster, for consistency tokens */
export function createOperating(
  databases: Databases,
  tryAppend: TryAppend,
  pipeline: Pipeline,
  system: string,
) {
  const { primary } = databases;
  return {
    readStatus: createReadStatus(databases, pipeline),
    searchDeadLetters: (parameters: DeadLetterListParameters) =>
      searchDeadLetters(primary, parameters),
    readDeadLetter: (id: string) => readDeadLetter(primary, id),
    groupDeadLetters: () => groupDeadLetters(primary),
    replayDeadLetters: async (command: DeadLetterCommand, by: Actor) => {
      const { result, write } = await replayDeadLetters(primary, tryAppend, command, by);
      return { result, token: write && encodeToken({ system, ...write }) };
    },
    purgeDeadLetters: (command: DeadLetterCommand, by: Actor) =>
      purgeDeadLetters(primary, command, by),
  };
}
