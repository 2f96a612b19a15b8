/** A stack in a process of its own, so that what asks it and what it does not share a processor's time or a fate. */
import { startStack } from '../../tools/stack/stack.ts';

const [directory = '', port = '0'] = process.argv.slice(2);
const { supabaseUrl, databaseUrl, superuserUrl, jwtSecret, publishableKey, edgeToken, stop } =
  await startStack({
    directory,
    supabasePort: Number(port),
    durable: false,
    poolSize: 40,
  });
process.once('disconnect', () => void stop().finally(() => process.exit()));
process.send?.({ supabaseUrl, databaseUrl, superuserUrl, jwtSecret, publishableKey, edgeToken });
