import { inspect } from 'node:util';
import { Secret } from '@vestibule/protocol/secret';
import { expect, test } from 'vitest';
import { toClientConfig } from './connection-config.ts';
import { toExternalConfigs } from './external-postgres.ts';

const URL_WITH_PASSWORD =
  'postgres://platform:canary-password@db.example:5433/login?sslmode=require&options=-c%20geqo%3Doff';

test('the product takes on its own role, and the options and everything else of the URL stay', () => {
  const { owner, app } = toExternalConfigs(new Secret(URL_WITH_PASSWORD));
  expect(toClientConfig(owner).connectionString).toBe(URL_WITH_PASSWORD);
  const url = new URL(toClientConfig(app).connectionString ?? '');
  expect(url.searchParams.get('options')).toBe('-c geqo=off -c role=vestibule_app -c search_path=public');
  expect(url.searchParams.get('sslmode')).toBe('require');
  expect(url.password).toBe('canary-password');
});

test('a configuration that is printed shows no password', () => {
  const configs = toExternalConfigs(new Secret(URL_WITH_PASSWORD));
  expect(`${inspect(configs, { depth: null })}${JSON.stringify(configs)}`).not.toContain('canary');
});
