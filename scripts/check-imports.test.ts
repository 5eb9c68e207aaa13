/** Plants a violation of each rule and sees the check fail; and sees it pass on what the rules allow. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findViolations } from './imports/check.ts';
import { createModuleGraph } from './imports/module-graph.ts';
import { ROOT, TSX } from './start/paths.mjs';

const CONTROLLER = 'packages/controller/src';

/** A small house in which every rule is kept. */
const KEPT: Readonly<Record<string, string>> = {
  'packages/protocol/src/session.ts': `import { z } from 'zod'; export const status = z.string();`,
  'packages/vm-manager/src/runtime.ts': `import type { Duplex } from 'node:stream'; export type Runtime = Duplex;`,
  'packages/vm-manager/src/runtimes/fake-runtime.ts': `export const createFakeRuntime = () => 1;`,
  'packages/agent/src/main.ts': `import { status } from '@vestibule/protocol/session'; console.log(status);`,
  'packages/web/src/main.tsx': `import './main.css'; import { status } from '@vestibule/protocol/session'; console.log(status);`,
  [`${CONTROLLER}/app.ts`]: `
    import { createFakeRuntime } from '@vestibule/vm-manager/runtimes/fake-runtime';
    import { createSessions } from './session/sessions.ts';
    import { createServer } from './http/server.ts';
    console.log(createFakeRuntime, createSessions, createServer);`,
  [`${CONTROLLER}/config.ts`]: `export const home = process.env['HOME'];`,
  [`${CONTROLLER}/http/server.ts`]: `import type { Sessions } from '../session/sessions.ts'; export const createServer = (s: Sessions) => s;`,
  [`${CONTROLLER}/session/sessions.ts`]: `
    import type { Runtime } from '@vestibule/vm-manager/runtime';
    import { find } from './session-store.ts';
    export type Sessions = Runtime; export const createSessions = () => find;`,
  [`${CONTROLLER}/session/machine.ts`]: `export const next = 1;`,
  [`${CONTROLLER}/session/session-store.ts`]: `
    import { pool } from '../db/pool.ts'; import { next } from './machine.ts';
    export const find = () => pool.query('select status from auth_sessions', [next]);`,
  [`${CONTROLLER}/db/pool.ts`]: `import pg from 'pg'; export const pool = new pg.Pool();`,
};

function violationsWith(planted: Record<string, string>): string[] {
  return findViolations(createModuleGraph(new Map(Object.entries({ ...KEPT, ...planted }))));
}

describe('the import rules', () => {
  it('are kept by a house that keeps them', () => {
    expect(violationsWith({})).toEqual([]);
  });

  it.each([
    [
      'protocol imports another package from the registry',
      'packages/protocol/src/x.ts',
      `import 'fastify';`,
      /may import only zod/,
    ],
    ['protocol imports Node', 'packages/protocol/src/x.ts', `import 'node:fs';`, /runs without Node/],
    ['the page imports Node', 'packages/web/src/x.ts', `import 'node:fs';`, /runs without Node/],
    [
      'the agent imports the controller',
      'packages/agent/src/x.ts',
      `import '@vestibule/controller/app';`,
      /imports controller/,
    ],
    [
      'the agent imports a type of the controller',
      'packages/agent/src/x.ts',
      `import type { A } from '@vestibule/controller/app';`,
      /imports controller/,
    ],
    [
      'the agent imports the controller dynamically',
      'packages/agent/src/x.ts',
      `void import('@vestibule/controller/app');`,
      /imports controller/,
    ],
    [
      'the agent names a type of the controller in place',
      'packages/agent/src/x.ts',
      `export type A = import('@vestibule/controller/app').A;`,
      /imports controller/,
    ],
    [
      'the agent exports from the controller',
      'packages/agent/src/x.ts',
      `export * from '@vestibule/controller/app';`,
      /imports controller/,
    ],
    [
      'the agent imports a computed name',
      'packages/agent/src/x.ts',
      `const a = 'x'; void import(a);`,
      /nothing is there/,
    ],
    [
      'the VM manager reaches into another package by a path',
      'packages/vm-manager/src/x.ts',
      `import '../../protocol/src/session.ts';`,
      /by a path/,
    ],
    ['an import leads nowhere', 'packages/agent/src/x.ts', `import './gone.ts';`, /nothing is there/],
    ['a package has no rule', 'packages/new/src/x.ts', `import 'node:fs';`, /has no rule/],
    [
      'a use case takes a value of the VM manager',
      `${CONTROLLER}/fleet/x.ts`,
      `import { createFakeRuntime } from '@vestibule/vm-manager/runtimes/fake-runtime'; createFakeRuntime();`,
      /more than types of vm-manager/,
    ],
    ['a use case imports a transport', `${CONTROLLER}/session/x.ts`, `import '../http/server.ts';`, /goes upward/],
    [
      'a use case imports a type of a transport',
      `${CONTROLLER}/session/x.ts`,
      `import type { A } from '../http/server.ts';`,
      /goes upward/,
    ],
    [
      'a store imports a use case that reaches a store',
      `${CONTROLLER}/fleet/vm-store.ts`,
      `import '../session/sessions.ts';`,
      /goes upward/,
    ],
    ['the database imports a store', `${CONTROLLER}/db/x.ts`, `import '../session/session-store.ts';`, /goes upward/],
    [
      'a file of no layer imports one',
      `${CONTROLLER}/telemetry/x.ts`,
      `import '../session/machine.ts';`,
      /belongs to no layer/,
    ],
    ['a transport imports app.ts', `${CONTROLLER}/http/x.ts`, `import '../app.ts';`, /goes upward/],
    ['a use case imports pg', `${CONTROLLER}/session/x.ts`, `import pg from 'pg'; console.log(pg);`, /imports pg/],
    [
      'a use case holds SQL',
      `${CONTROLLER}/session/x.ts`,
      'export const q = `update auth_sessions set status = $1`;',
      /holds SQL/,
    ],
    [
      'a transport reads the environment',
      `${CONTROLLER}/http/x.ts`,
      `console.log(process.env.HOME);`,
      /reads process\.env/,
    ],
    [
      'the agent reads the environment by another spelling',
      'packages/agent/src/x.ts',
      `console.log(process['env']);`,
      /reads process\.env/,
    ],
    [
      'a transport constructs a use case',
      `${CONTROLLER}/http/x.ts`,
      `import { createSessions } from '../session/sessions.ts'; createSessions();`,
      /only app\.ts constructs/,
    ],
    ['two modules import each other', 'packages/agent/src/x.ts', `import './x.ts';`, /cycle/],
  ])('are broken when %s', (_title, path, source, expected) => {
    const violations = violationsWith({ [path]: source });
    expect(violations).toEqual([expect.stringMatching(expected)]);
    expect(violations[0]).toContain(path);
  });

  it('are broken by a cycle of types alone', () => {
    const cycle = {
      'packages/agent/src/a.ts': `import type { B } from './b.ts'; export type A = B;`,
      'packages/agent/src/b.ts': `import type { A } from './a.ts'; export type B = A;`,
    };
    expect(violationsWith(cycle)).toEqual([expect.stringContaining('a.ts → packages/agent/src/b.ts')]);
  });

  it('let tests use other packages of the house as they do in production, and read the environment', () => {
    const test = `import '@vestibule/vm-manager/runtimes/fake-runtime'; console.log(process.env['REQUIRE']);`;
    expect(violationsWith({ [`${CONTROLLER}/fleet/x.test.ts`]: test })).toEqual([]);
  });
});

describe('the program', () => {
  it('fails on a violation planted in a copy of this repository, and passes without it', () => {
    const copy = mkdtempSync(join(tmpdir(), 'vestibule-imports-'));
    try {
      cpSync(join(ROOT, 'packages'), join(copy, 'packages'), {
        recursive: true,
        filter: (path) => !path.includes('node_modules'),
      });
      const run = () =>
        spawnSync(process.execPath, [TSX, join(ROOT, 'scripts/check-imports.ts'), copy], { encoding: 'utf8' });
      expect(run()).toMatchObject({ status: 0, stderr: '' });
      writeFileSync(join(copy, 'packages/protocol/src/planted.ts'), `import '@vestibule/agent/config';\n`);
      const broken = run();
      expect(broken.status).toBe(1);
      expect(broken.stderr).toContain('packages/protocol/src/planted.ts:1  imports agent, which protocol may not');
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it('fails when it read next to nothing', () => {
    const empty = mkdtempSync(join(tmpdir(), 'vestibule-imports-'));
    try {
      cpSync(join(ROOT, 'packages/protocol'), join(empty, 'packages/protocol'), { recursive: true });
      const run = spawnSync(process.execPath, [TSX, join(ROOT, 'scripts/check-imports.ts'), empty], {
        encoding: 'utf8',
      });
      expect(run.status).toBe(1);
      expect(run.stderr).toContain('the check itself is broken');
    } finally {
      rmSync(empty, { recursive: true });
    }
  });
});
