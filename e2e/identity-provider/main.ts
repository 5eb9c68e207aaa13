/**
 * The fake identity provider as a program, so that a test can put it into another network namespace:
 * `tsx e2e/identity-provider/main.ts --host 10.0.0.1 --port 80 --public-url http://idp.test --journal /tmp/issued.ndjson`
 * Prints one JSON line when it listens; ends at SIGTERM.
 */
import { parseArgs } from 'node:util';
import { startFakeIdentityProvider } from './fake-identity-provider.ts';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    'public-url': { type: 'string' },
    journal: { type: 'string' },
    user: { type: 'string' },
    password: { type: 'string' },
    'token-prefix': { type: 'string' },
  },
});

const provider = await startFakeIdentityProvider({
  host: values.host,
  port: Number(values.port),
  publicUrl: values['public-url'],
  journal: values.journal,
  user: values.user,
  password: values.password,
  tokenPrefix: values['token-prefix'],
});
process.stdout.write(`${JSON.stringify({ listening: provider.url })}\n`);
process.once('SIGTERM', () => void provider.close().then(() => process.exit(0)));
