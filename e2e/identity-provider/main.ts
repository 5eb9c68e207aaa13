/**
 * The fake identity provider as a program, so that a test can put it into another network namespace. Its settings come as one JSON line on
 * standard input, for they hold passwords, which may stand in no argv. Prints one JSON line when it listens; ends when its standard input does.
 */
import { createInterface } from 'node:readline';
import { startFakeIdentityProvider, type FakeIdentityProviderOptions } from './fake-identity-provider.ts';

const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => void start(JSON.parse(line) as FakeIdentityProviderOptions));
lines.once('close', () => process.exit(0));

async function start(options: FakeIdentityProviderOptions): Promise<void> {
  const provider = await startFakeIdentityProvider(options);
  process.stdout.write(`${JSON.stringify({ listening: provider.url })}\n`);
}
