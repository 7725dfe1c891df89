-- Settings of corridors. Makes a table, and locks nothing that exists.

create table corridor_settings (
  corridor text constraint corridor_settings_pkey primary key
    constraint corridor_is_source_destination check (corridor ~ '^[A-Z]{2}-[A-Z]{2}$'),
  version bigint not null default 1,
  weight double precision not null default 1 constraint weight_bounded check (weight >= 0.1 and weight <= 10),
  residency text constraint residency_bounded check (char_length(residency) between 1 and 64),
  proposed_by text,
  changed_by text not null,
  changed_at timestamptz(3) not null default now()
);
comment on table corridor_settings is
  'What was set for a corridor; a corridor without a row has the defaults. The audit log has the history.';
comment on column corridor_settings.version is 'Ascends by one a change of the row.';
comment on column corridor_settings.weight is 'Factor of the corridor''s part of a worker''s batch, and of what a drain leaves to it.';
comment on column corridor_settings.residency is 'Where data of the corridor must stay: a tag for people, which the engine does not act on.';
comment on column corridor_settings.proposed_by is 'Who asked for the corridor, until another person does; then null.';
