/**
 * `npm run bench -- detect`: from the moment a VM's agent holds the complete credential to the `completed` event at the page. The built
 * controller runs as a process of its own with its embedded PostgreSQL and the runtime `fake`, whose VMs live in the controller's process;
 * this process is the page, told by server-sent events. Both read the wall clock of this machine: the fake credential ends a fixed time
 * after it was made, and the API tells when it ends, to the millisecond.
 */
import { loadavg } from 'node:os';
import { FAKE_CREDENTIAL_LIFETIME_MS } from '@vestibule/vm-manager/fake/fake-credential';
import { startVestibule } from '../e2e/support/vestibule-server.ts';
import { createBareCompletion } from './support/bare-completion.ts';
import { percentile, round } from './support/measures.ts';
import { readCount } from './support/options.ts';
import { createPageClient, type PageClient } from './support/page-client.ts';

const GOAL = { p50_ms: 30, p99_ms: 150 };
const WARM_UP = 5;
/** Leaves the page time to listen before the credential is there. */
const SCRIPT = { signIn: 'auto', afterMs: 150 };

const HELP = `npm run bench -- detect [--n COUNT]

Credential complete in the VM -> "completed" at the page, by push, on the runtime fake.
  --n COUNT  measured sign-ins, at least 50 for a number to publish (default 100)

Prints one JSON line, in milliseconds. floor_ms is the bare completing statement plus one bare HTTP exchange, medians of the same run,
taken in turns with the sign-ins; ratio_p50 is the median sign-in over it. Goal: p50 ${GOAL.p50_ms} or less, p99 ${GOAL.p99_ms} or less.`;

async function signIn(page: PageClient, userId: string): Promise<number> {
  const { sessionId } = await page.client.createSession({ userId, provider: 'demo' });
  let wasListening = false;
  for await (const { session, receivedAtMs } of page.follow(sessionId)) {
    if (session.status === 'completed') {
      if (!wasListening) throw new Error('the page began to listen too late: this measures nothing');
      const [credential] = await page.client.listCredentials(userId);
      const completeAtMs = Date.parse(credential?.expiresAt ?? '') - FAKE_CREDENTIAL_LIFETIME_MS;
      return receivedAtMs - completeAtMs;
    }
    if (session.status === 'failed') throw new Error(`the sign-in failed: ${session.errorMessage ?? ''}`);
    wasListening = true;
  }
  throw new Error('the events ended before the sign-in did');
}

type Measured = { detections: number[]; statements: number[]; exchanges: number[] };

async function measure(count: number): Promise<Measured> {
  const env = {
    VESTIBULE_RUNTIME: 'fake',
    VESTIBULE_FAKE_SCRIPT: JSON.stringify(SCRIPT),
    VESTIBULE_GRACE_SECONDS: '1',
    VESTIBULE_MAX_SESSIONS: '64',
  };
  const server = await startVestibule({ args: ['--demo'], env });
  const bare = await createBareCompletion(server);
  try {
    const page = createPageClient(server);
    const measured: Measured = { detections: [], statements: [], exchanges: [] };
    for (let turn = 1; turn <= WARM_UP + count; turn += 1) {
      const [detection, statement] = [await signIn(page, `bench-${turn}`), await bare.completeOne()];
      const exchange = await bare.exchangeOne();
      if (turn <= WARM_UP) continue;
      measured.detections.push(detection);
      measured.statements.push(statement);
      measured.exchanges.push(exchange);
    }
    return measured;
  } finally {
    await bare.close();
    await server.remove();
  }
}

const count = readCount({ help: HELP, fallback: 100, least: 1 });
const { detections, statements, exchanges } = await measure(count);
const [p50, statement, exchange] = [detections, statements, exchanges].map((values) => percentile(values, 50)) as [
  number,
  number,
  number,
];
const floor = round(statement + exchange, 1);
console.log(
  JSON.stringify({
    bench: 'detect',
    runtime: 'fake',
    n: count,
    p50_ms: p50,
    p99_ms: percentile(detections, 99),
    max_ms: percentile(detections, 100),
    floor_ms: floor,
    floor: { statement_p50_ms: statement, http_p50_ms: exchange },
    ratio_p50: round(p50 / floor, 1),
    goal: GOAL,
    load1: round(loadavg()[0] ?? 0, 1),
  }),
);
