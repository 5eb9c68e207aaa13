/** What has to happen before the person can sign in, as a list with what is done, what is going on and what comes later. */
import type { Session } from '@vestibule/protocol/api';
import type { Capability, SessionStep, Stage } from '@vestibule/protocol/session';
import { STAGES } from '@vestibule/protocol/session';
import { toStepWords } from './step-words.ts';

export type Preparation = { id: string; label: string; state: 'done' | 'now' | 'later'; detail: string | null };

function isPast(stage: Stage, session: Session): boolean {
  return STAGES.indexOf(session.stage) > STAGES.indexOf(stage);
}

/** The newest word of the installation, as long as it is going on. */
function toInstallDetail(steps: readonly SessionStep[]): string | null {
  const newest = steps.findLast((step) => step.type === 'layer_progress');
  return newest === undefined ? null : toStepWords(newest);
}

/** `forScreen`: only for a sign-in that is shown in the page. */
const PARTS: readonly { name: Capability; label: string; forScreen?: true }[] = [
  { name: 'network', label: 'Connect it to the network' },
  { name: 'display', label: 'Turn on its screen', forScreen: true },
  { name: 'browser', label: 'Open its browser', forScreen: true },
  { name: 'cli', label: 'Start the program' },
];

export function toPreparations(session: Session, steps: readonly SessionStep[]): Preparation[] {
  const installed = isPast('installing', session);
  const claimed = isPast('starting_vm', session);
  const wait = session.waitingFor;
  const list: Preparation[] = [];
  if (!installed || steps.some((step) => step.type === 'layer_progress')) {
    const detail = installed ? null : (toInstallDetail(steps) ?? wait);
    list.push({
      id: 'install',
      label: 'Install the program on the server',
      state: installed ? 'done' : 'now',
      detail,
    });
  }
  list.push({
    id: 'machine',
    label: 'Start the sign-in machine',
    state: claimed ? 'done' : installed ? 'now' : 'later',
    detail: installed && !claimed ? wait : null,
  });
  const isShown = session.mode === 'vm_browser';
  for (const part of PARTS) {
    if (part.forScreen && !isShown) continue;
    const ready = session.capabilities.includes(part.name);
    list.push({ id: part.name, label: part.label, state: ready ? 'done' : claimed ? 'now' : 'later', detail: null });
  }
  if (!isShown && session.capabilities.includes('cli')) {
    const detail = session.prompt === null ? null : 'It asks something first. Answer it in the terminal on this page.';
    list.push({ id: 'offer', label: 'Wait for what the program gives you to sign in with', state: 'now', detail });
  }
  return list;
}
