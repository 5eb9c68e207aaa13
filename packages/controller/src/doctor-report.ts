/** What the preflight of a runtime found, in words for a person. */
import type { Requirement } from '@vestibule/protocol/api';
import type { RuntimeKind } from '@vestibule/protocol/vm';

export type Diagnosis = {
  runtime: RuntimeKind;
  /** Whether it is the one that the settings name. */
  isConfigured: boolean;
  sharedKernel: boolean;
  /** See `Runtime.pace`. */
  pace: number;
  requirements: readonly Requirement[];
};

export function countMissing({ requirements }: Diagnosis): number {
  return requirements.filter(({ severity }) => severity === 'missing').length;
}

export function toDoctorText(diagnosis: Diagnosis): string {
  const { runtime, isConfigured, sharedKernel, pace, requirements } = diagnosis;
  const origin = isConfigured ? 'which the settings name' : 'which the settings do not name now';
  const kernel = sharedKernel ? "Its browser VMs share this server's kernel." : 'Its browser VMs have a kernel apart.';
  const lines = [
    `Runtime ${runtime}, ${origin}. ${kernel}`,
    ...(pace > 1 ? [`Guests run about ${Math.round(pace)} times slower than this server itself.`] : []),
    ...requirements.flatMap(toLines),
    '',
    toVerdict(countMissing(diagnosis)),
  ];
  return `${lines.join('\n')}\n`;
}

/** What is missing first would hide how it belongs together: the order is the runtime's own. */
function toLines({ severity, title, hint }: Requirement): string[] {
  const mark = severity === 'missing' ? 'MISSING' : 'notice ';
  return ['', `  ${mark}  ${title}`, ...hint.split('\n').map((line) => `           ${line}`)];
}

function toVerdict(missing: number): string {
  if (missing === 0) return 'Nothing is missing: sign-ins can run.';
  return `${missing === 1 ? 'One thing is' : `${missing} things are`} missing; until then no sign-in can run.`;
}
