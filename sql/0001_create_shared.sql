-- What every market may read and none may write at run time. The migrating role owns it.
create schema if not exists shared;

create table if not exists shared.corridors (
  corridor text constraint corridors_pkey primary key,
  created_at timestamptz(3) not null default now(),
  constraint corridor_is_source_destination check (corridor ~ '^[A-Z]{2}-[A-Z]{2}$')
);
comment on table shared.corridors is
  'Ordered pairs source country - destination country that transactions may name. Written by migrate (seed and RISK_CORRIDORS).';

insert into shared.corridors (corridor) values
  ('US-EG'), ('US-MX'), ('US-PH'), ('US-IN'), ('GB-NG'), ('GB-PK'),
  ('AE-IN'), ('SA-EG'), ('DE-TR'), ('FR-MA'), ('ES-CO'), ('US-US')
on conflict do nothing;
