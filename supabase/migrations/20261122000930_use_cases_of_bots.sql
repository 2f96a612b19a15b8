create function public.list_bots(client_id uuid, page_size integer, after uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform private.require_page_size(list_bots.page_size);
  perform private.require_client(list_bots.client_id);
  return private.page_json((
    with page as (
      select bots as bot, bots.id from public.bots
      where bots.client_id = list_bots.client_id and (list_bots.after is null or bots.id < list_bots.after)
      order by bots.id desc limit list_bots.page_size + 1)
    select coalesce(jsonb_agg(private.bot_json(page.bot, coalesce(held.wallets, '[]')) order by page.id desc), '[]')
    from page left join private.wallets_of(list_bots.client_id, array(select id from page)) as held
      on held.bot_id = page.id), page_size);
end $$;

create function public.get_bot(bot_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  bot public.bots;
begin
  select * into bot from public.bots where id = get_bot.bot_id;
  if not found then perform private.raise_not_found(); end if;
  return private.bot_json(bot);
end $$;

create function public.start_bot(bot_id uuid, once jsonb default null) returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'start_bot');
  bot public.bots;
begin
  select * into bot from public.bots where id = start_bot.bot_id;
  if not found then perform private.raise_not_found(); end if;
  if answer is not null then return private.replayed_bot(answer); end if;
  perform private.share_keys(bot.client_id);
  update public.bots set status = 'running' where id = bot.id returning * into bot;
  return private.keep_answer(once, 'start_bot', private.bot_json(bot));
end $$;

create function public.stop_bot(bot_id uuid) returns jsonb
language plpgsql set search_path = '' set statement_timeout = '7s' as $$
declare
  bot public.bots;
begin
  select * into bot from public.bots where id = stop_bot.bot_id;
  if bot.id is not null then perform private.lock_gate(bot.client_id); end if;
  update public.bots set status = 'stopped' where id = stop_bot.bot_id returning * into bot;
  if bot.id is null then perform private.raise_not_found(); end if;
  return private.bot_json(bot);
end $$;
comment on function public.stop_bot(uuid) is
  'POST /bots/{id}/stop. It takes no idempotency key, because stopping a bot twice has the same effect as stopping it once. This call has no rate limit, so it must not store anything.';

grant execute on function
  public.list_bots(uuid, integer, uuid), public.get_bot(uuid),
  public.start_bot(uuid, jsonb), public.stop_bot(uuid)
to authenticated;
