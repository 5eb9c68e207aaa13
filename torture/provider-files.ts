/** The provider definitions of a run, each in a folder for one controller: data only, as a user would add them. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CREDENTIAL_FILES } from './behaviours.ts';

const CLI_FOLDER = fileURLToPath(new URL('cli', import.meta.url));

export const PROVIDERS = { scripted: 'torture', browser: 'torture_browser' } as const;

function toDefinition(id: string, folder: string, args: string[], journalSocket: string): object {
  return {
    id,
    name: id,
    description: 'A scripted CLI that needs no person.',
    install: { kind: 'bundled', folder, version: '1.0.0', bin: 'scripted-cli.mjs' },
    login: { args, environment: { TORTURE_JOURNAL: journalSocket }, url: { pattern: '^http://127[.]0[.]0[.]1:' } },
    success: { when: 'exit_zero' },
    credential: {
      files: [
        { path: CREDENTIAL_FILES.auth, format: 'json', required: ['access_token', 'refresh_token'] },
        { path: CREDENTIAL_FILES.session, format: 'text' },
      ],
      account: { file: CREDENTIAL_FILES.auth, field: 'account' },
    },
  };
}

/** JSON is YAML. `withBrowser` adds the provider whose VMs run a real browser. */
export function writeProviders(dir: string, journalSocket: string, withBrowser: boolean): void {
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  const add = (id: string, args: string[]): string => {
    const folder = join(dir, `${id}-cli`);
    cpSync(CLI_FOLDER, folder, { recursive: true });
    writeFileSync(join(dir, `${id}.yaml`), JSON.stringify(toDefinition(id, `${id}-cli`, args, journalSocket), null, 2));
    return folder;
  };
  add(PROVIDERS.scripted, []);
  if (withBrowser) writeFileSync(join(add(PROVIDERS.browser, ['--browser']), 'real-browser'), '');
}
