/** Capabilities that are being removed; a row goes with its capability, and this file with the last row. */
import type { Guards } from './guard.ts';

export const GOING: Guards = {
  'decision-stream': {
    says: 'Final decisions of reviews are events of a stream of their own.',
    shown: 'GET /v1/reviews/decisions',
    test: 'integration/rooms/review/decision-events.test.ts > an event has the id of its decision, and what the API answers',
    mechanism: 'src/rooms/review/change/publish-decisions.ts',
  },
  'case-files': {
    says: 'Files are attached to a case.',
    shown: 'POST /v1/reviews/{id}/files, GET /v1/reviews/{id}/files/{note_id}, risk review attach',
    test: 'integration/rooms/review/http.test.ts > notes and files have bounds, at which they are taken',
    mechanism: 'src/rooms/review/change/notes.ts',
  },
};
