-- What requests do with clients.
--
-- Each function of the API is one use case: one transaction and one round trip. It runs with the caller's own rights, so
-- row-level security applies to every statement in it. A row that the caller cannot see is a 404. A function that takes
-- `once` first looks for a stored response. The caller needs the same rights to get the stored response.

create function private.client_json(client public.clients) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'id', client.id, 'name', client.name, 'email', client.email,
    'linked', client.user_id is not null,
    'created_at', private.rfc3339(client.created_at));
end $$;

create function public.create_client(
  name text, email text, once jsonb default null, link_account boolean default false
) returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'create_client');
  client public.clients;
begin
  perform private.require_admin();
  if answer is not null then return answer; end if;
  insert into public.clients (name, email) values (create_client.name, lower(create_client.email collate "C"))
    on conflict on constraint "one client for each e-mail" do nothing
    returning * into client;
  if client.id is null then
    raise sqlstate 'PT409' using message = 'Another client has this e-mail address.', hint = 'email_taken';
  end if;
  if create_client.link_account then client.user_id := private.link_account_by_admin(client.id); end if;
  return private.keep_answer(once, 'create_client', private.client_json(client));
end $$;

create function public.list_clients(page_size integer, after uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform private.require_page_size(list_clients.page_size);
  return private.page_json((
    select coalesce(jsonb_agg(page.item order by page.id desc), '[]') from (
      select clients.id, private.client_json(clients) as item from public.clients
      where list_clients.after is null or clients.id < list_clients.after
      order by clients.id desc limit list_clients.page_size + 1) as page), page_size);
end $$;

create function public.get_client(client_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  client public.clients;
begin
  select * into client from public.clients where clients.id = get_client.client_id;
  if not found then perform private.raise_not_found(); end if;
  return private.client_json(client);
end $$;

create function public.get_own_client() returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  own constant uuid := private.own_client_id();
begin
  if own is null then
    raise sqlstate 'PT404' using
      message = 'The account of this session is not linked to a client.', hint = 'account_not_linked';
  end if;
  return public.get_client(own);
end $$;

grant execute on function
  private.client_json(public.clients), public.create_client(text, text, jsonb, boolean), public.list_clients(integer, uuid),
  public.get_client(uuid), public.get_own_client()
to authenticated;
