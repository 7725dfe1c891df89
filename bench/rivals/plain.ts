/** No queue at all: the request inserts the row, scores it and updates the row, and is answered. */
import type { Rival } from './rival.ts';
import {
  createTables,
  insertPayment,
  insertPayments,
  openPool,
  toPayment,
  updateScore,
  updateScores,
} from './tables.ts';

export const rival: Rival = {
  openApi: async (style, stores) => {
    const pool = openPool(stores);
    await createTables(pool);
    let scored = 0;
    return {
      accept: async (inputs) => {
        const payments = inputs.map(toPayment);
        if (style === 'batched') {
          await insertPayments(pool, payments);
          await updateScores(pool, payments);
        } else {
          await Promise.all(
            payments.map(async (payment) => {
              await insertPayment(pool, payment);
              await updateScore(pool, payment);
            }),
          );
        }
        scored += payments.length;
        return payments.map(({ transactionId }) => transactionId);
      },
      scored: () => scored,
      close: () => pool.end(),
    };
  },
};
