/** Vitest's global set-up of `*.pg.test.ts`: starts the run's cluster, tells the workers where it is, and removes it at the end. */
import type { TestProject } from 'vitest/node';
import { startTestCluster } from './testing-cluster.ts';

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startTestCluster();
  project.provide('testServer', cluster.server);
  return () => cluster.stop();
}
