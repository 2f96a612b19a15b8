/** A stack in a process of its own: it shares no thread with its clients, and a crash of one does not end the other. */
import { startStack } from '../../tools/stack/stack.ts';
import { ignoreSignals, stopWithParent } from './parent.ts';

ignoreSignals();
const [directory = '', durability] = process.argv.slice(2);
const { supabaseUrl, databaseUrl, superuserUrl, jwtSecret, publishableKey, edgeToken, stop } =
  await startStack({
    directory,
    supabasePort: 0,
    durable: durability === 'durable',
    poolSize: 40,
  });
stopWithParent(stop);
process.send?.({ supabaseUrl, databaseUrl, superuserUrl, jwtSecret, publishableKey, edgeToken });
