/** `vestibule providers list` and `accept`: what the server offers, and the notice that its operator reads once. */
import type { Provider } from '@vestibule/protocol/api';
import { CliError, type Exit } from '../cli-error.ts';
import { connectTo, type Cli } from '../cli.ts';
import { findProvider, toUnknownProvider } from '../provider-choice.ts';
import { toTable } from '../table.ts';
import { askYes } from '../terminal.ts';

export async function listProviders(cli: Cli): Promise<Exit> {
  const { report } = cli;
  const { client } = connectTo(cli);
  const answer = await client.listProviders();
  const rows = answer.providers.map((provider) => [
    provider.id,
    provider.name,
    provider.version,
    provider.modes
      .filter(({ available }) => available)
      .map(({ mode }) => mode)
      .join(' ') || '-',
    toState(provider),
  ]);
  report.tell({ type: 'providers', ...answer }, toTable(['ID', 'NAME', 'VERSION', 'WAYS', 'STATE'], rows));
  for (const { file, problems } of answer.fileProblems)
    report.warn(`${file} cannot be used:\n${problems.map((line) => `  ${line}`).join('\n')}`);
  return 'done';
}

function toState({ notice, available, reason, installed, untested }: Provider): string {
  if (notice !== null && notice.acceptedAt === null) return 'its notice must be accepted';
  if (!available) return reason ?? 'cannot be used now';
  const words = [installed ? 'ready' : 'ready, installed at the first sign-in'];
  if (untested) words.push('untested');
  return words.join(', ');
}

/** Shows the notice of a definition as it is accepted, whoever accepts it. */
export function toNoticeText({ name, notice }: Provider): string {
  return `${notice?.title ?? name}\n\n${notice?.text ?? ''}\n`;
}

export async function acceptNotice(cli: Cli, name: string, flags: { yes?: boolean | undefined }): Promise<Exit> {
  const { report, terminal } = cli;
  const { client } = connectTo(cli);
  const listed = await client.listProviders();
  const provider = findProvider(listed, name);
  if (provider === null) throw toUnknownProvider(listed, name);
  const { notice } = provider;
  if (notice === null) {
    report.tell({ type: 'end', accepted: false }, `${provider.name} has no notice to accept.`);
    return 'done';
  }
  report.tell({ type: 'notice', ...notice }, toNoticeText(provider));
  if (notice.acceptedAt !== null) {
    report.tell(
      { type: 'end', accepted: true, at: notice.acceptedAt },
      `It was accepted already, ${notice.acceptedAt}.`,
    );
    return 'done';
  }
  if (flags.yes !== true) {
    if (!terminal.isInteractive || report.isJson)
      throw new CliError('no_answer', 'Somebody must read and accept it: run it at a terminal, or say --yes.');
    if (!(await askYes(terminal, `Accept this for everybody who signs in to ${provider.name} on this server?`))) {
      report.warn('It was not accepted.');
      return 'failed';
    }
  }
  await client.acceptNotice(provider.id, notice.hash);
  report.tell({ type: 'end', accepted: true }, `Accepted; ${provider.name} is offered now. The audit log says so.`);
  return 'done';
}
