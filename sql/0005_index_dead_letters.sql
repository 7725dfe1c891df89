-- What became of a transaction: asked with every read of one, and for every id by the reconciler.
create index dead_letters_final_transaction_idx on dead_letters (transaction_id)
  where replayed_at is null;
