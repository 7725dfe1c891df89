/** The label of the transaction that every example of the document has. */
import type { LabelJson } from '../../query/label-json.ts';
import type { TransactionDetailJson } from '../../query/transaction-json.ts';
import { storedTransaction, TRANSACTION_ID } from './transactions.ts';

export const storedLabel: LabelJson = {
  transaction_id: TRANSACTION_ID,
  created_at: storedTransaction.created_at,
  account_id: 'acc_17',
  merchant_id: 'm_9',
  label: 'fraud',
  labelled_at: '2026-11-20T16:00:00.000Z',
  source: 'chargeback',
  received_at: '2026-11-20T16:00:02.310Z',
  client: 'shop',
  identity: null,
  note: 'Cardholder did not recognise the payment',
};

export const transactionDetail: TransactionDetailJson = {
  ...storedTransaction,
  labels: { complete: true, items: [storedLabel] },
};
