-- The starting catalogue of bot types. May run any number of times; what the operator changed stays.
insert into public.bot_types (id, name, description, chain) values
  ('evm-grid', 'Grid trading (EVM)', 'Places buy and sell orders around a price on an EVM chain.', 'evm'),
  ('evm-dca', 'Cost averaging (EVM)', 'Buys a fixed amount at fixed times on an EVM chain.', 'evm'),
  ('solana-grid', 'Grid trading (Solana)', 'Places buy and sell orders around a price on Solana.', 'solana'),
  ('solana-dca', 'Cost averaging (Solana)', 'Buys a fixed amount at fixed times on Solana.', 'solana')
on conflict (id) do nothing;
