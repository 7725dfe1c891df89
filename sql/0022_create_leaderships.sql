create table leaderships (
  duty text constraint leaderships_pkey primary key,
  owner text not null default '',
  epoch bigint not null default 0,
  expires_at timestamptz(3) not null default '-infinity'
);
comment on table leaderships is
  'One row per duty that one process at a time does, made when it is first asked for.';
comment on column leaderships.owner is 'The process that does it, or did it last.';
comment on column leaderships.epoch is
  'Grows with each change of owner. Every write of an owner names it and fails once it has grown.';
comment on column leaderships.expires_at is
  'By this server''s clock. From then on any process may take the duty over.';
