/** HTTP with no store behind it: parses each body and answers as the API would. `node echo-role.ts api` */
import { createTransactionIds } from '../../src/ingest/transaction-id.ts';
import { servePlainly } from './plain-service.ts';

const newId = createTransactionIds();
await servePlainly({
  port: Number(process.env['PORT']),
  accept: async (inputs) => inputs.map(() => newId(Date.now())),
  scored: () => 0,
  close: async () => undefined,
});
