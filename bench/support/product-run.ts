/**
 * One sign-in of a real machine as its page sees it, up to the first click: pushes, a ticket, the live view through the relay. The times
 * of its stages come from the session's events, from the supervisor's fact file, and from the agent's own log.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isTerminal, type SessionStep } from '@vestibule/protocol/session';
import { clickIntoField } from './click.ts';
import { nowMs } from './measures.ts';
import type { PageClient } from './page-client.ts';
import { RfbViewer } from './rfb-viewer.ts';

/** In the order in which they usually come; each in milliseconds from the POST. */
export const MOMENTS = [
  'accepted',
  'placed',
  'vm_created',
  'agent_started',
  'display_ready',
  'agent_linked',
  'view_open',
  'cli_ready',
  'url_opened',
  'browser_ready',
  'painted',
  'click',
] as const;
export type Moment = (typeof MOMENTS)[number];
export type ProductRun = Readonly<Partial<Record<Moment, number>>> & {
  painted: number;
  click: number;
  missedClicks: number;
  vmId: string;
};

export type ProductRunOptions = {
  dataDir: string;
  provider: string;
  /** Awaited with the page clicked and its machine still there. */
  hold?: (run: ProductRun) => Promise<void>;
};

let users = 0;

/** Resolves when the machine is gone again. */
export async function runProduct(
  page: PageClient,
  { dataDir, provider, hold }: ProductRunOptions,
): Promise<ProductRun> {
  const startedAtMs = nowMs();
  users += 1;
  const { sessionId } = await page.client.createSession({ userId: `bench-${process.pid}-${users}`, provider });
  const acceptedAtMs = nowMs();
  let run: ProductRun | null = null;
  for await (const { session } of page.follow(sessionId)) {
    if (run === null && isTerminal(session.status))
      throw new Error(`the sign-in ended as ${session.status}: ${session.errorMessage ?? ''}`);
    if (run !== null || session.liveView !== 'ready') continue;
    const { openAtMs, paintedAtMs, clickedAtMs, missedClicks } = await clickInView(page, sessionId);
    const { steps } = await page.client.getTimeline(sessionId);
    const vmId = session.vm?.vmId ?? '';
    const times = {
      ...findMachineTimes(dataDir, vmId, steps),
      ...{ accepted: acceptedAtMs, view_open: openAtMs, painted: paintedAtMs, click: clickedAtMs },
    };
    run = { ...toRun(times, startedAtMs), missedClicks, vmId };
    await hold?.(run);
    await page.client.cancelSession(sessionId);
  }
  if (run === null) throw new Error('the sign-in never had a live view');
  return run;
}

async function clickInView(page: PageClient, sessionId: string) {
  const viewer = await RfbViewer.open(await page.openLiveView(sessionId));
  const openAtMs = nowMs();
  return { openAtMs, ...(await clickIntoField(viewer)) };
}

/**
 * The agent counts from its own start, on a clock of its own; what it told of a capability was never written down before it happened, so
 * the earliest start that these tell is when it started.
 */
function findMachineTimes(
  dataDir: string,
  vmId: string,
  steps: readonly SessionStep[],
): Partial<Record<Moment, number>> {
  const at = (type: SessionStep['type']): number | undefined => {
    const step = steps.find((each) => each.type === type);
    return step && Date.parse(step.at);
  };
  const capabilities = steps
    .filter(({ type }) => type === 'capability_ready')
    .map((step) => ({ name: String(step.data['capability']), afterMs: Number(step.data['afterMs']), at: step.at }));
  const started = Math.min(...capabilities.map(({ at: written, afterMs }) => Date.parse(written) - afterMs));
  const ready = (name: string): number | undefined => {
    const capability = capabilities.find((each) => each.name === name);
    return capability && started + capability.afterMs;
  };
  const opened = findOpenedAfterMs(join(dataDir, 'vms', vmId, 'vm.log'));
  return clean({
    placed: at('vm_creating'),
    vm_created: statSync(join(dataDir, 'vms', vmId, 'supervisor.json')).mtimeMs,
    agent_started: Number.isFinite(started) ? started : undefined,
    display_ready: ready('display'),
    agent_linked: at('vm_claimed'),
    cli_ready: ready('cli'),
    url_opened: opened === undefined ? undefined : started + opened,
    browser_ready: ready('browser'),
  });
}

function findOpenedAfterMs(log: string): number | undefined {
  const lines = readFileSync(log, 'utf8').split('\n');
  const line = lines.find((each) => each.startsWith('{"from":"agent"') && each.includes('"sign-in page opened"'));
  return line === undefined ? undefined : (JSON.parse(line) as { afterMs: number }).afterMs;
}

function clean(times: Partial<Record<Moment, number | undefined>>): Partial<Record<Moment, number>> {
  return Object.fromEntries(Object.entries(times).filter((entry): entry is [string, number] => entry[1] !== undefined));
}

function toRun(
  times: Partial<Record<Moment, number>> & { painted: number; click: number },
  from: number,
): Omit<ProductRun, 'missedClicks' | 'vmId'> {
  const entries = Object.entries(times).map(([moment, at]) => [moment, at - from]);
  return Object.fromEntries(entries) as Omit<ProductRun, 'missedClicks' | 'vmId'>;
}
