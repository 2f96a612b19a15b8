begin;
\ir ../people.psql
select plan(19);

select tests.act_as('anna');
select tests.setup_bot('anna', 'a', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', 'a2', tests.wallet('anna', 'Aown'));
select is(tests.wallets('anna'), array['a: A trading', 'a2: Aown own'], 'anna holds keys of two addresses');

select tests.act_as('boris');
select is(tests.refusal($$select tests.put_in('boris', 'A')$$), 'PT409 address_taken',
  'a trading key with the address of another client''s trading key -> 409');
select is(tests.refusal($$select tests.put_in('boris', 'Aown')$$), 'PT409 address_taken',
  'a trading key with the address of another client''s own key -> 409');
select is(tests.refusal($$select tests.setup_bot('boris', 'b', tests.wallet('boris', 'A'))$$),
  'PT409 address_taken',
  'setup_bot with the address of another client -> 409');
select is(tests.bots('boris'), '{}', 'the rejected setup_bot left no bot');
select tests.setup_bot('boris', 'b', tests.wallet('boris', 'B'));
select is(tests.refusal($$select tests.rotate('boris', 'A')$$), 'PT409 address_taken', 'rotate_key to the address of another client -> 409');
select is(tests.refusal($$select tests.replace_by('boris', 'Aown')$$), 'PT409 address_taken',
  'a rotation directly in the table to the address of another client -> 409');
select is(tests.refusal($$select tests.setup_bot('boris', 'b2', tests.wallet('boris', 'A'))$$),
  'PT409 address_taken',
  'a second bot with an own key of another client''s address -> 409');
select tests.act_as('ada');
select is(tests.refusal($$select public.add_wallet('edge', tests.bot_id('b'), tests.wallet('boris', 'Aown'))$$),
  'PT409 address_taken', 'an admin cannot add a wallet with the address of another client');

select tests.act_as('anna');
select is(tests.refusal($$select tests.rotate('anna', 'Aown')$$), 'allowed', 'a client rotates to an address of its own');
select is(tests.wallets('anna'), array['a: Aown trading', 'a2: Aown trading'],
  'the own key of a wallet can become the trading key');
select tests.act_as('boris');
select is(tests.refusal($$select tests.rotate('boris', 'A')$$), 'PT409 key_id_ended',
  'a key id that was rotated away has ended for another client too');
select tests.submit_again();
select is(tests.refusal($$select tests.rotate('boris', 'A')$$), 'allowed',
  'an address that was rotated away is free, with a new key id');
select tests.act_as('anna');
select public.revoke_key(tests.client_id('anna'));
select tests.act_as('boris');
select tests.submit_again();
select is(tests.refusal($$select tests.setup_bot('boris', 'b2', tests.wallet('boris', 'Aown'))$$), 'allowed',
  'an address that was revoked is free');
select tests.act_as('anna');
select tests.submit_again();
select is(tests.refusal($$select tests.setup_bot('anna', 'a3', tests.wallet('anna', 'Aown'))$$),
  'PT409 address_taken',
  'after that, the address belongs to the other client');
select is(tests.wallets('anna'), array['a: Aown empty', 'a2: Aown empty'], 'empty wallets hold no address');
select is(tests.wallets('boris'), array['b: A trading', 'b2: Aown own'], 'the other client now holds keys of both addresses');

-- For this address, hashtextextended gives the number of the lock of anna's keys. Inverting the hash took seconds.
select is(
  hashtextextended('address Thief00000003026R7CYCTHbEhBo', 0),
  hashtextextended('keys of client ' || tests.client_id('anna'), 0), 'hashtextextended gives an address the same number as a lock of another client');
select isnt(
  private.lock_of('address', 'Thief00000003026R7CYCTHbEhBo'),
  private.lock_of_keys(tests.client_id('anna')),
  'lock_of gives this address another number than the lock of another client');

select * from finish();
rollback;
