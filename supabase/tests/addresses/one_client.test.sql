begin;
\ir ../people.psql
select plan(19);

select tests.act_as('anna');
select tests.setup_bot('anna', 'a', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', 'a2', tests.wallet('anna', 'Aown'));
select is(tests.wallets('anna'), array['a: A trading', 'a2: Aown own'], 'anna holds two addresses');

select tests.act_as('boris');
select is(tests.refusal($$select tests.put_in('boris', 'A')$$), 'PT409 address_taken',
  'a trading key''s address is taken');
select is(tests.refusal($$select tests.put_in('boris', 'Aown')$$), 'PT409 address_taken',
  'so is that of a wallet''s own key');
select is(tests.refusal($$select tests.setup_bot('boris', 'b', tests.wallet('boris', 'A'))$$),
  'PT409 address_taken',
  'for a set-up too');
select is(tests.bots('boris'), '{}', 'of which nothing stays');
select tests.setup_bot('boris', 'b', tests.wallet('boris', 'B'));
select is(tests.refusal($$select tests.rotate('boris', 'A')$$), 'PT409 address_taken', 'and for a rotation');
select is(tests.refusal($$select tests.replace_by('boris', 'Aown')$$), 'PT409 address_taken',
  'straight in the table too');
select is(tests.refusal($$select tests.setup_bot('boris', 'b2', tests.wallet('boris', 'A'))$$),
  'PT409 address_taken',
  'and for a key of a wallet''s own');
select tests.act_as('ada');
select is(tests.refusal($$select public.add_wallet('edge', tests.bot_id('b'), tests.wallet('boris', 'Aown'))$$),
  'PT409 address_taken', 'even for an admin');

select tests.act_as('anna');
select is(tests.refusal($$select tests.rotate('anna', 'Aown')$$), 'allowed', 'one''s own address is one''s own');
select is(tests.wallets('anna'), array['a: Aown trading', 'a2: Aown trading'],
  'and a wallet''s key may become the trading key');
select tests.act_as('boris');
select is(tests.refusal($$select tests.rotate('boris', 'A')$$), 'PT409 key_ended',
  'a key id that was rotated away has ended, for another client too');
select tests.submit_again();
select is(tests.refusal($$select tests.rotate('boris', 'A')$$), 'allowed',
  'an address that was rotated away is free under a new key id');
select tests.act_as('anna');
select public.revoke_key(tests.client_id('anna'));
select tests.act_as('boris');
select tests.submit_again();
select is(tests.refusal($$select tests.setup_bot('boris', 'b2', tests.wallet('boris', 'Aown'))$$), 'allowed',
  'so is one that was revoked');
select tests.act_as('anna');
select tests.submit_again();
select is(tests.refusal($$select tests.setup_bot('anna', 'a3', tests.wallet('anna', 'Aown'))$$),
  'PT409 address_taken',
  'and then it is the other''s');
select is(tests.wallets('anna'), array['a: Aown empty', 'a2: Aown empty'], 'empty wallets hold no address');
select is(tests.wallets('boris'), array['b: A trading', 'b2: Aown own'], 'which the other client holds now');

-- An address that hashtextextended takes for the lock of anna's keys: it was found in seconds, by running that backwards.
select is(
  hashtextextended('address Thief00000003026R7CYCTHbEhBo', 0),
  hashtextextended('keys of client ' || tests.client_id('anna'), 0), 'a hash that is not made for it has such twins');
select isnt(
  private.name_of_lock('address', 'Thief00000003026R7CYCTHbEhBo'),
  private.name_of_lock('keys of client', tests.client_id('anna')::text),
  'who chooses an address does not choose a lock of another client');

select * from finish();
rollback;
