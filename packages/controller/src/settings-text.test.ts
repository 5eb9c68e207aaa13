import { expect, it } from 'vitest';
import { loadConfig } from './config.ts';
import { toEnvExample, toHelpText } from './settings-text.ts';
import { SETTING_NAMES } from './settings.ts';

it('describes every setting in .env.example, whose defaults are the real ones', () => {
  const lines = toEnvExample().split('\n');
  const assigned = lines.flatMap((line) => /^# ([A-Z_]+)=(.*)$/.exec(line)?.slice(1, 3) ?? []);
  const written = Object.fromEntries(SETTING_NAMES.map((name) => [name, assigned[assigned.indexOf(name) + 1] ?? '']));
  expect(assigned.filter((_, index) => index % 2 === 0)).toEqual(SETTING_NAMES);
  expect(loadConfig({ ...written, HOME: '/h' }, [], false)).toEqual(loadConfig({ HOME: '/h' }, [], false));
});

it('offers an option for every setting but the secret ones', () => {
  expect(toHelpText()).toContain('--session-seconds');
  expect(toHelpText()).not.toMatch(/--operator-token …|--database/);
});
