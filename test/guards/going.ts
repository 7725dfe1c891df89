/** Capabilities that are being removed; a row goes with its capability, and this file with the last row. */
import type { Guards } from './guard.ts';

export const GOING: Guards = {
  'decision-stream': {
    says: 'Final decisions of reviews are events of a stream of their own.',
    shown: 'GET /v1/reviews/decisions',
    test: 'integration/rooms/review/decision-events.test.ts > an event has the id of its decision, and what the API answers',
    mechanism: 'src/rooms/review/change/publish-decisions.ts',
  },
};
