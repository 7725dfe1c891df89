-- What proves that a stream in Redis is the one that was last seen, with all that was appended to it.

create table stream_proofs (
  stream text constraint stream_proofs_pkey primary key,
  token text not null,
  history text not null,
  proven_at timestamptz(3) not null default now()
);
comment on table stream_proofs is
  'One row a stream: the token that stands in its group and its retries, and the history of writes (replication id) of the server that held them.';
