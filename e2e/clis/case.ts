/** One line of the table: a CLI, a way to sign in, and what shows that it went as it should. */
import type { TestBed } from './test-bed.ts';

export type Case = {
  cli: string;
  way: string;
  /** Resolves with the evidence, in words; rejects when it went otherwise. */
  run: (bed: TestBed) => Promise<string>;
};

export type Result = { cli: string; version: string; way: string; evidence: string; seconds: number; ok: boolean };
