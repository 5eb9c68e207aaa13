/**
 * One sign-in of a real machine as its page sees it, up to the first click: pushes, a ticket, the live view through the relay. The times
 * of its stages come from the session's events, from the sockets and facts in the VM's folder, and from the agent's own log.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isTerminal, type SessionStep } from '@vestibule/protocol/session';
import { clickIntoField } from './click.ts';
import { nowMs } from './measures.ts';
import type { PageClient } from './page-client.ts';
import { RfbViewer } from './rfb-viewer.ts';

/** In the order in which they usually come; each in milliseconds from the POST. */
export const STAGES = [
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
export type Stage = (typeof STAGES)[number];
export type ProductRun = Readonly<Partial<Record<Stage, number>>> & {
  painted: number;
  click: number;
  missedClicks: number;
};

/** Resolves when the machine is gone again. */
export async function runProduct(page: PageClient, dataDir: string, provider: string): Promise<ProductRun> {
  const startedAtMs = nowMs();
  const userId = `bench-${Math.floor(startedAtMs)}`;
  const { sessionId } = await page.client.createSession({ userId, provider });
  const acceptedAtMs = nowMs();
  let run: ProductRun | null = null;
  for await (const { session } of page.follow(sessionId)) {
    if (run === null && isTerminal(session.status))
      throw new Error(`the sign-in ended as ${session.status}: ${session.errorMessage ?? ''}`);
    if (run !== null || session.liveView !== 'ready') continue;
    const { openAtMs, paintedAtMs, clickedAtMs, missedClicks } = await clickInView(page, sessionId);
    const { steps } = await page.client.getTimeline(sessionId);
    const times = {
      ...findEventTimes(steps),
      ...findMachineTimes(dataDir, session.vm?.vmId ?? ''),
      ...{ accepted: acceptedAtMs, view_open: openAtMs, painted: paintedAtMs, click: clickedAtMs },
    };
    run = { ...toRun(times, startedAtMs), missedClicks };
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

function findEventTimes(steps: readonly SessionStep[]): Partial<Record<Stage, number>> {
  const at = (type: SessionStep['type']): number | undefined => {
    const step = steps.find((each) => each.type === type);
    return step && Date.parse(step.at);
  };
  return clean({ placed: at('vm_creating'), agent_linked: at('vm_claimed') });
}

/** The agent's log counts from its own start; the moment its socket appeared says when that was. */
function findMachineTimes(dataDir: string, vmId: string): Partial<Record<Stage, number>> {
  const vmDir = join(dataDir, 'vms', vmId);
  const facts = readFileSync(join(vmDir, 'vm.log'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"from":"agent"'))
    .map((line) => JSON.parse(line) as { afterMs: number; fact: string; name?: string });
  const after = (fact: string, name?: string): number | undefined =>
    facts.find((each) => each.fact === fact && each.name === name)?.afterMs;
  const listening = after('agent listening');
  if (listening === undefined) return {};
  const startedAtMs = statSync(join(vmDir, 'run', 'agent.sock')).mtimeMs - listening;
  const at = (afterMs: number | undefined): number | undefined =>
    afterMs === undefined ? undefined : startedAtMs + afterMs;
  return clean({
    vm_created: statSync(join(vmDir, 'supervisor.json')).mtimeMs,
    agent_started: startedAtMs,
    display_ready: at(after('capability ready', 'display')),
    cli_ready: at(after('capability ready', 'cli')),
    url_opened: at(after('sign-in page opened')),
    browser_ready: at(after('capability ready', 'browser')),
  });
}

function clean(times: Partial<Record<Stage, number | undefined>>): Partial<Record<Stage, number>> {
  return Object.fromEntries(Object.entries(times).filter((entry): entry is [string, number] => entry[1] !== undefined));
}

function toRun(
  times: Partial<Record<Stage, number>> & { painted: number; click: number },
  from: number,
): Omit<ProductRun, 'missedClicks'> {
  const entries = Object.entries(times).map(([stage, at]) => [stage, at - from]);
  return Object.fromEntries(entries) as Omit<ProductRun, 'missedClicks'>;
}
