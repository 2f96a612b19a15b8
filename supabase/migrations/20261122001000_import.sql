create table private.imported_rows (
  source text not null,
  old_table text not null,
  old_id text not null,
  new_id uuid not null,
  client_id uuid not null,
  address text,
  key_id uuid,
  imported_at timestamptz not null default now(),
  constraint "an old row is imported once" primary key (source, old_table, old_id),
  constraint "an imported row is of a client" foreign key (client_id) references public.clients (id),
  constraint "a source has a short name" check (source ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(source) <= 64),
  constraint "rows of these tables are imported" check (old_table in ('clients', 'bots', 'trading_keys', 'bot_wallets')),
  constraint "an imported key has an address and an id, another row neither" check (
    (address is not null) = (old_table in ('trading_keys', 'bot_wallets')) and (address is null) = (key_id is null)),
  constraint "an old id and an address are short" check (length(old_id) <= 64 and length(address) <= 64)
);
comment on table private.imported_rows is
  'The rows that "npm run import" has imported, by their ids in the old database, so that a second run does not import them again. Only the operator writes this table.';
comment on column private.imported_rows.address is 'The address of the key when it was imported. If the row now has another address, the key has changed since.';
create index imported_rows_by_client on private.imported_rows (client_id);
create index imported_rows_by_key on private.imported_rows (key_id);
create unique index "one old client for each client of a source" on private.imported_rows (source, client_id)
  where old_table = 'clients';

alter table private.imported_rows enable row level security;
alter table private.imported_rows force row level security;
