import { readFileSync } from 'node:fs';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { toDelivery, type DeliveredLogin, type DeliveryRequest } from './delivery.ts';
import { parseProviderFile } from './provider-file.ts';
import { toDefinitionText } from './testing-definition.ts';

function define(text: string): DeliveryRequest['definition'] {
  const result = parseProviderFile(text);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.definition;
}
const loadShipped = (id: string): DeliveryRequest['definition'] =>
  define(readFileSync(new URL(`../../../../providers/${id}.yaml`, import.meta.url), 'utf8'));

function deliver(
  change: Partial<DeliveryRequest> & Pick<DeliveryRequest, 'definition'>,
  captured: Record<string, string>,
) {
  const files = Object.entries(captured).map(([path, text]) => ({ path, contentBase64: btoa(text) }));
  const place = { home: '/home/ada', cwd: '/work/it', account: null, organization: null, isRestricted: false };
  return toDelivery({ ...place, files, ...change });
}
const textOf = ({ files }: DeliveredLogin, path: string): string | undefined =>
  files.find((file) => file.path === path)?.content.toString();
const jsonOf = (login: DeliveredLogin, path: string): unknown => JSON.parse(textOf(login, path) ?? 'null');

describe('a delivered login', () => {
  it('has the captured files byte for byte, for nobody else to read, also when the definition names one of them', () => {
    const definition = define(
      toDefinitionText({ more: 'delivery: { files: [{ path: .tool/auth.json, format: json, content: { a: 1 } }] }' }),
    );
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x00, 0xff]);
    const files = [{ path: '.tool/auth.json', contentBase64: bytes.toString('base64') }];
    const delivered = deliver({ definition, files }, {});
    expect(delivered).toEqual({ files: [{ path: '.tool/auth.json', content: bytes, mode: 0o600 }], environment: {} });
  });

  it('has the values of this login and sandbox in keys, values and lines, and leaves out what needs a missing one', () => {
    const definition = define(
      toDefinitionText({
        more: `delivery:
  environment: { TOOL_HOME: '\${home}/.tool', TOOL_ORGANIZATION: '\${organization}' }
  files:
    - path: .tool/state.json
      format: json
      content:
        folders: { '\${cwd}': { trusted: true } }
        who: { account: '\${account}', organization: '\${organization}' }
        list: ['\${home}', '\${organization}', 1, null]
    - path: .tool/lines
      format: text
      content: |
        account \${account}
        organization \${organization}
        \${unknown} stays`,
      }),
    );
    const delivered = deliver({ definition, account: 'ada@example.test' }, { '.tool/auth.json': '{}' });
    expect(delivered.environment).toEqual({ TOOL_HOME: '/home/ada/.tool' });
    expect(jsonOf(delivered, '.tool/state.json')).toEqual({
      folders: { '/work/it': { trusted: true } },
      who: { account: 'ada@example.test' },
      list: ['/home/ada', 1, null],
    });
    expect(textOf(delivered, '.tool/lines')).toBe('account ada@example.test\n${unknown} stays\n');
  });

  it('lets no value from a file that a CLI wrote add a line or end a string', () => {
    const definition = define(
      toDefinitionText({
        more: `delivery: { files: [{ path: .tool/config.toml, format: toml, content: "cwd = \\"\${cwd}\\"\\nwho = \\"\${account}\\"\\n" }] }`,
      }),
    );
    const toml = (change: Partial<DeliveryRequest>) =>
      parseToml(textOf(deliver({ definition, ...change }, { '.tool/auth.json': '{}' }), '.tool/config.toml') ?? '');
    expect(toml({ cwd: '/a "b"\\c', account: 'x' })).toEqual({ cwd: '/a "b"\\c', who: 'x' });
    expect(toml({ account: 'x"\nadmin = true\n#' })).toEqual({ cwd: '/work/it' });
  });
});

describe('Claude Code', () => {
  const definition = loadShipped('claude_code');

  it('finds the answers to its first questions beside the login', () => {
    const delivered = deliver({ definition }, { '.claude/.credentials.json': '{"claudeAiOauth":{}}' });
    expect(delivered.files.map(({ path }) => path)).toEqual(['.claude/.credentials.json', '.claude.json']);
    expect(jsonOf(delivered, '.claude.json')).toMatchObject({
      hasCompletedOnboarding: true,
      projects: { '/work/it': { hasTrustDialogAccepted: true } },
    });
  });

  it('is held to the organization that the session was restricted to', () => {
    const restricted = { definition, isRestricted: true, organization: '11111111-2222-4333-8444-555555555555' };
    const delivered = deliver(restricted, { '.claude/.credentials.json': '{}' });
    expect(jsonOf(delivered, '.claude/settings.json')).toEqual({
      forceLoginMethod: 'claudeai',
      forceLoginOrgUUID: restricted.organization,
    });
  });

  it('takes a setup token from its variable, without the line break that a person pasted', () => {
    const delivered = deliver({ definition }, { '.vestibule/claude-setup-token': 'sk-ant-oat01-canary\n' });
    expect(delivered.environment).toEqual({ DISABLE_AUTOUPDATER: '1', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-canary' });
    expect(jsonOf(delivered, '.claude.json')).toMatchObject({ hasCompletedOnboarding: true });
  });

  it('takes an API key by its helper, from the file as it was captured', () => {
    const delivered = deliver({ definition }, { '.vestibule/anthropic-api-key': 'sk-ant-api03-canary' });
    expect(jsonOf(delivered, '.claude/settings.json')).toEqual({
      apiKeyHelper: 'cat "/home/ada/.vestibule/anthropic-api-key"',
    });
    expect(delivered.environment).toEqual({ DISABLE_AUTOUPDATER: '1' });
  });
});

describe('Codex', () => {
  const definition = loadShipped('codex');
  const configOf = (change: Partial<DeliveryRequest>) =>
    parseToml(textOf(deliver({ definition, ...change }, { '.codex/auth.json': '{}' }), '.codex/config.toml') ?? '');

  it('keeps its login in the file and trusts the folder it is started in', () => {
    expect(configOf({})).toEqual({
      cli_auth_credentials_store: 'file',
      check_for_update_on_startup: false,
      projects: { '/work/it': { trust_level: 'trusted' } },
    });
  });

  it('is held to the workspace that the session was restricted to, above its first table', () => {
    expect(configOf({ isRestricted: true, organization: 'ws-1' })).toMatchObject({
      forced_login_method: 'chatgpt',
      forced_chatgpt_workspace_id: 'ws-1',
      cli_auth_credentials_store: 'file',
      projects: {},
    });
  });
});

describe('Gemini CLI', () => {
  it('has its kind of sign-in chosen by the kind of login, and the restriction merged into its settings', () => {
    const definition = loadShipped('gemini_cli');
    const google = deliver(
      { definition, isRestricted: true, account: 'ada@example.test' },
      { '.gemini/oauth_creds.json': '{}' },
    );
    expect(jsonOf(google, '.gemini/settings.json')).toMatchObject({
      security: {
        auth: { selectedType: 'oauth-personal', enforcedType: 'oauth-personal' },
        folderTrust: { enabled: false },
      },
    });
    expect(jsonOf(google, '.gemini/google_accounts.json')).toEqual({ active: 'ada@example.test', old: [] });
    const key = deliver({ definition }, { '.gemini/.env': 'GEMINI_API_KEY=canary' });
    expect(jsonOf(key, '.gemini/settings.json')).toMatchObject({
      security: { auth: { selectedType: 'gemini-api-key' } },
    });
    expect(textOf(key, '.gemini/google_accounts.json')).toBeUndefined();
  });
});

it('gives a variable from a field of a login, whatever its format, and none for a field that is not there', () => {
  const definition = define(
    toDefinitionText({
      more: 'delivery: { secretEnvironment: { TOOL_TOKEN: { file: .tool/auth.json, field: a.token }, TOOL_OTHER: { file: .tool/auth.json, field: b }, TOOL_ABSENT: { file: .absent } } }',
    }),
  );
  expect(deliver({ definition }, { '.tool/auth.json': '{"a":{"token":"canary"}}' }).environment).toEqual({
    TOOL_TOKEN: 'canary',
  });
});
