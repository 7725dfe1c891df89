-- What scorecards need. The file makes new tables, and locks metadata_fields for a moment.

-- Slots of declared fields

create table field_slots (
  slot smallint constraint field_slots_pkey primary key constraint slot_bounded check (slot between 1 and 160),
  field text not null,
  type text not null,
  kind text not null constraint slot_kind_known check (kind in ('lift', 'tail', 'to_account')),
  constraint field_slots_once unique (field, type, kind)
);
comment on table field_slots is 'Features of declared fields, in the order in which they stand in vectors behind the fixed features. Rows are only added: a slot means one field for ever, declared or not.';
create trigger field_slots_never_change before update or delete or truncate on field_slots
  for each statement execute function refuse_change();

-- A field that had slots with this type has them again.
create function take_slots(field text, type text) returns void language sql set search_path from current as $$
  insert into field_slots (slot, field, type, kind)
  select (select count(*) from field_slots) + nth, $1, $2, kind
    from unnest(case $2 when 'number' then array['tail', 'to_account'] else array['lift'] end) with ordinality as kinds (kind, nth)
   where not exists (select from field_slots s where s.field = $1 and s.type = $2)
$$;
create function take_slots() returns trigger language plpgsql set search_path from current as $$
begin
  perform take_slots(new.name, new.type);
  return null;
end $$;
-- Each version of the code that declares a field gives it slots by this trigger.
create trigger metadata_fields_take_slots after insert on metadata_fields for each row execute function take_slots();
select take_slots(name, type) from (select name, type from metadata_fields order by name) as declared;
