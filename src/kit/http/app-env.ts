/** Values that every handler finds in its context, and the methods that write. */
import type { HttpBindings } from '@hono/node-server';
import type { KeptAnswers } from '../access/kept-answers.ts';
import type { Trace } from '../traces/trace.ts';
import type { PersonalEdge } from '../words/personal-edge.ts';
import type { Principal } from '../words/principal.ts';
import type { Credential } from '../words/session.ts';

export type AppEnv = {
  /** Absent when a test calls the application without a server. */
  readonly Bindings: Partial<HttpBindings>;
  readonly Variables: {
    requestId: string;
    /** Absent where traces are off. */
    trace?: Trace;
    /** Set on every route below /v1. */
    principal: Principal;
    /** Credential of the request; set with the principal. */
    credential: Credential;
    /** Kept answers of writes; absent in a process that takes no writes. */
    keptAnswers?: KeptAnswers;
    /** Absent where the market declares no personal field. */
    personal?: PersonalEdge;
    /** Ends the deadline of the request, for a handler whose own bounds end its work. */
    liftDeadline?: () => void;
    /** Corridors that the body names; absent where it names none. */
    corridors?: ReadonlySet<string>;
  };
};

/** Methods of requests that write. */
export const WRITING_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** Paths of the POST operations that write nothing (`x-writes-nothing` in the document). */
const ASKING = /^\/v1\/(?:evaluate|rule-sets\/(?:check|test)|transactions\/[^/]+\/what-if)$/;

export const mayWrite = (method: string, path: string): boolean =>
  WRITING_METHODS.includes(method) && !(method === 'POST' && ASKING.test(path));
