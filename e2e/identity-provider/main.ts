/**
 * The fake identity provider as a program, so that a test can put it into another network namespace. Its settings come as one JSON line on
 * standard input, for they hold passwords, which may stand in no argv; each further line changes how it behaves, and is answered by a line.
 * Prints one JSON line when it listens; ends when its standard input does.
 */
import { createInterface } from 'node:readline';
import type { Behaviour } from './behaviour.ts';
import {
  startFakeIdentityProvider,
  type FakeIdentityProvider,
  type FakeIdentityProviderOptions,
} from './fake-identity-provider.ts';

let started: Promise<FakeIdentityProvider> | null = null;

createInterface({ input: process.stdin })
  .on('line', (line) => void take(line))
  .once('close', () => process.exit(0));

async function take(line: string): Promise<void> {
  if (started === null) {
    started = startFakeIdentityProvider(JSON.parse(line) as FakeIdentityProviderOptions);
    say({ listening: (await started).url });
  } else {
    (await started).behave(JSON.parse(line) as Partial<Behaviour>);
    say({ behaves: true });
  }
}

function say(fact: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
}
